"""The self-test's own sound, drawn by code, and how it is found again in what a microphone heard. Pure.

A chirp glides up over the band in which speech is understood, in equal time for each octave. What comes back is
divided by what was played, frequency by frequency (A. Farina, AES 108, 2000: simultaneous measurement of impulse
response and distortion with a swept-sine technique): the air's impulse response, from which level, delay and how
dull the way is are read. Speech and noise are spread over the whole of it and stand back by some 30 dB.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agent.media.sound_look import FLOOR_DBFS, FULL_SCALE, RATE_HZ, decibels

LOW_HZ, HIGH_HZ = 300.0, 6000.0
CHIRP_S, PAUSE_S = 0.4, 0.15
CHIRPS = 3
"""The canceller learns the room from the first ones, and is judged by the last."""
LEVEL_DBFS = -26.0
"""As of somebody who speaks: a room's loudspeaker is set for that."""
FADE_S = 0.06
FARTHEST_S = 0.5
"""Later than this nothing is looked for; networked loudspeakers take so long."""
BEFORE_S, TAIL_S = 0.002, 0.04
"""How much of the response around its highest point is its level: what comes later is the room, and noise."""
PEAK_OF_NOISE_DB = 12.0
"""The highest point of FARTHEST_S of noise lies so far above its mean."""
FOUND_DB = 9.0
"""How far the response's highest point rises above that of noise alone."""
BANDS_HZ = np.geomspace(LOW_HZ * 1.1, HIGH_HZ * 0.9, 13)
"""Thirds of octaves, without the faded ends."""
SPLIT_HZ = 1500.0
"""Above it a wave goes round nothing that stands in front of a microphone."""
WORK_HZ = 16_000
FINE = RATE_HZ // WORK_HZ
"""So many samples are one here."""
LITTLE = 0.1
"""Of the mean power: what is added before dividing by a frequency's own."""
STANDS_OUT = 2.0
"""Power of the response in a band against the loudest of the pieces that hold noise alone."""
ENOUGH_BANDS = 3

Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Echo:
    """How what was played came back. gain_db: its level against that; delay_ms: of the loudest part of it;
    clear_db: how far above noise it was (FOUND_DB and more is found); treble_db: its gain above SPLIT_HZ against
    that below; bands: in how many of BANDS_HZ it stands out."""

    gain_db: float
    delay_ms: float
    clear_db: float
    treble_db: float
    bands: int = 0

    @property
    def is_measured(self) -> bool:
        """Whether its level is its own, and not that of somebody's noise; else gain_db is what it is at most."""
        return self.bands >= ENOUGH_BANDS

    @property
    def is_found(self) -> bool:
        """Whether it was heard at all."""
        return self.clear_db >= FOUND_DB


NOTHING = Echo(FLOOR_DBFS, 0.0, FLOOR_DBFS, 0.0)


def chirp() -> Wave:
    """One, 1.0 being full scale, with soft ends."""
    count = round(CHIRP_S * RATE_HZ)
    t = np.arange(count) / RATE_HZ
    octaves = np.log(HIGH_HZ / LOW_HZ)
    phase = 2 * np.pi * LOW_HZ * CHIRP_S / octaves * (np.exp(t / CHIRP_S * octaves) - 1)
    fade = round(FADE_S * RATE_HZ)
    swell = np.ones(count)
    swell[:fade] = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    swell[-fade:] = swell[:fade][::-1]
    return np.asarray(np.sin(phase) * swell * np.sqrt(2) * 10 ** (LEVEL_DBFS / 20))


def chirps() -> Wave:
    """All of them, with their pauses."""
    return np.tile(np.concatenate([chirp(), np.zeros(round(PAUSE_S * RATE_HZ))]), CHIRPS)


def last_chirp(played: NDArray[np.generic]) -> int:
    """Where the last of chirps() begins in what was played, in samples."""
    sound = chirps()
    size = _size(len(played) + len(sound))
    match = np.fft.irfft(_spectrum(played, size) * np.conj(_spectrum(sound, size)), size // FINE)
    places = max(1, (len(played) - len(sound)) // FINE)
    return int(np.argmax(match[:places])) * FINE + len(sound) // CHIRPS * (CHIRPS - 1)


def echo(heard: NDArray[np.generic], played: NDArray[np.generic]) -> Echo:
    """Both begin together and hold int16's range; what was played lies somewhere in `played`."""
    count = min(len(heard), len(played))
    size = _size(count + round(2 * FARTHEST_S * RATE_HZ))
    source, sink = _spectrum(played[:count], size), _spectrum(heard[:count], size)
    edges = _edges(len(source))
    inside = slice(edges[0], edges[-1])
    power = np.abs(source) ** 2
    if not power[inside].any() or not sink[inside].any():
        return NOTHING
    # Several chirps leave gaps between the lines of their common spectrum: nothing is divided by nothing there.
    divisor = power + LITTLE * float(np.mean(power[inside]))
    transfer, whole = np.zeros_like(sink), np.zeros_like(power)
    transfer[inside] = (sink * np.conj(source) / divisor)[inside]
    whole[inside] = (power / divisor)[inside]
    at, clear_db = _highest(transfer, edges)
    gains_db, sure = _gains_db(np.fft.irfft(transfer), at)
    gains_db -= _gains_db(np.fft.irfft(whole), 0)[0]  # a way that changes nothing, measured in the same way
    above, below = sure & (BANDS_HZ[:-1] >= SPLIT_HZ), sure & (BANDS_HZ[:-1] < SPLIT_HZ)
    both = above.any() and below.any()
    return Echo(
        gain_db=float(np.median(gains_db[sure] if sure.any() else gains_db)),
        delay_ms=at / WORK_HZ * 1000,
        clear_db=clear_db,
        treble_db=float(np.mean(gains_db[above]) - np.mean(gains_db[below])) if both else 0.0,
        bands=int(np.count_nonzero(sure)),
    )


def _size(count: int) -> int:
    """Of a transform of so many samples: FINE times a power of two."""
    return FINE << int(np.ceil(np.log2(count / FINE)))


def _spectrum(sound: NDArray[np.generic], size: int) -> NDArray[np.complex128]:
    """Up to half of WORK_HZ; there is nothing of a chirp above."""
    spectrum = np.fft.rfft(np.asarray(sound, float) / FULL_SCALE, size)
    return np.asarray(spectrum[: size // FINE // 2 + 1])


def _edges(count: int) -> list[int]:
    """Where BANDS_HZ lie among so many lines up to half of WORK_HZ."""
    return [round(hz / (WORK_HZ / 2) * (count - 1)) for hz in BANDS_HZ]


def _by_band(values: Wave, edges: list[int]) -> Wave:
    """Their mean in each band."""
    return np.array([np.mean(values[low:high]) for low, high in pairwise(edges)])


def _highest(transfer: NDArray[np.complex128], edges: list[int]) -> tuple[int, float]:
    """Where the response is highest, in samples of WORK_HZ, and by how much in dB above what noise would give.

    Each band counts the less the louder it is: what is loud in one alone is speech or ventilation, no chirp.
    """
    loud = _by_band(np.abs(transfer) ** 2, edges)
    even = transfer.copy()
    for (low, high), power in zip(pairwise(edges), loud, strict=True):
        even[low:high] /= power + 1e-30
    response = np.fft.irfft(even) ** 2
    farthest, before = round(FARTHEST_S * WORK_HZ), round(BEFORE_S * WORK_HZ)
    at = int(np.argmax(response[:farthest]))
    noise = float(np.mean(response[-farthest:-before]))
    return at, decibels(float(response[at]), noise) - PEAK_OF_NOISE_DB


def _gains_db(response: Wave, at: int) -> tuple[Wave, NDArray[np.bool_]]:
    """Of each band, in dB: the response around its highest point, less what as long a piece of noise has there;
    and which of them stand out of that noise."""
    before, tail, farthest = (round(each * WORK_HZ) for each in (BEFORE_S, TAIL_S, FARTHEST_S))
    length = before + tail
    size = 1 << int(np.ceil(np.log2(length)))
    edges = _edges(size // 2 + 1)
    starts = [at - before, *range(-farthest, -length - before, length)]
    pieces = response[np.add.outer(starts, np.arange(length))]
    powers = [_by_band(each, edges) for each in np.abs(np.fft.rfft(pieces, size, axis=1)) ** 2]
    found, noise = powers[0], np.median(powers[1:], axis=0)
    sure = found >= STANDS_OUT * np.max(powers[1:], axis=0)
    return 10 * np.log10(np.maximum(found - noise, found / 10) + 1e-12), sure
