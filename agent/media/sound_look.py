"""What a microphone gives, in numbers: level, noise, clipping, hum, digital silence. Pure, and keeps no sound.

20 ms at a time are folded into sums; of the sound itself only what is below 1 kHz stays, for as long as one look
takes, since hum is told from noise by its lines at the mains' harmonics.

    hearing = Hearing()
    for sound in …:
        hearing.add(sound.samples)
    look = hearing.look()
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.media.device import Samples

RATE_HZ = 48_000
FRAME_SAMPLES = RATE_HZ // 50
FULL_SCALE = 32768.0
FLOOR_DBFS = -120.0
"""What is said of no sound at all; 16 bits end some 20 dB above."""
AT_FULL_SCALE = 32_700
"""A little less than the largest number: resampling on the way rounds flat tops off."""
QUIET_SHARE = 0.1
"""The noise floor is the level that a tenth of all 20 ms lie below: speech has so many pauses."""
LOW_EVERY = 24
LOW_RATE_HZ = RATE_HZ // LOW_EVERY
SEGMENT_S = 0.5
"""Hum is there in each half second, a voice of the same pitch is not."""
MAINS_HZ = (50, 60)
HARMONICS_BELOW_HZ = 450.0
LINE_HZ, BESIDE_HZ = 4.0, (6.0, 16.0)
"""Half the width of a line with a Hann window of SEGMENT_S, and what lies beside it, for the noise under it."""

Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SoundLook:
    """Levels in dBFS (0: the mean square of a full-scale square wave), without the constant part.

    noise_dbfs: the level that a tenth of it lies below. clipped: share of samples at full scale; clipped_for:
    share of the 20 ms that have some. hum_dbfs: the mains' lines (hum_hz and its harmonics) in the half second
    that has the least of them; hum_db: these against all else in the quietest half second. silent: share of the
    20 ms in which no sample differs from the next. dc: constant part, 1 being full scale.
    """

    seconds: float
    level_dbfs: float
    peak_dbfs: float
    noise_dbfs: float
    clipped: float
    clipped_for: float
    hum_dbfs: float
    hum_db: float
    hum_hz: int
    silent: float
    dc: float

    @property
    def is_digital_silence(self) -> bool:
        """Nothing but one and the same number: no microphone at the other end, or one that is switched off."""
        return self.silent >= 1.0


class Hearing:
    """Folds sound into a SoundLook. add() takes some 30 µs for 20 ms; look() a few ms."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all of it, and begin anew."""
        self._powers: list[float] = []
        self._low: list[Wave] = []
        self._count = self._clipped = self._clipped_frames = self._silent_frames = self._peak = 0
        self._sum = 0.0
        self._over = np.zeros(0, np.int16)

    @property
    def seconds(self) -> float:
        """How much was heard since the beginning, in seconds."""
        return self._count / RATE_HZ

    def add(self, samples: Samples) -> None:
        """Mono sound at 48 kHz, any number of samples; what is no whole 20 ms waits for the rest."""
        if len(self._over):
            samples = np.concatenate([self._over, samples])
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._over = samples[whole:].copy()
        for start in range(0, whole, FRAME_SAMPLES):
            self._frame(samples[start : start + FRAME_SAMPLES])

    def look(self) -> SoundLook:
        """What was heard since the beginning; one can go on listening."""
        frames = len(self._powers)
        if not frames:
            return SoundLook(
                0.0, FLOOR_DBFS, FLOOR_DBFS, FLOOR_DBFS, 0.0, 0.0, FLOOR_DBFS, FLOOR_DBFS, 0, 1.0, 0.0
            )
        quiet = float(np.quantile(self._powers, QUIET_SHARE))
        hum, rest, hum_hz = _hum(np.concatenate(self._low), self._powers)
        return SoundLook(
            seconds=self.seconds,
            level_dbfs=dbfs(float(np.mean(self._powers))),
            peak_dbfs=dbfs(float(self._peak) ** 2),
            noise_dbfs=dbfs(quiet),
            clipped=self._clipped / self._count,
            clipped_for=self._clipped_frames / frames,
            hum_dbfs=dbfs(hum),
            hum_db=decibels(hum, rest),
            hum_hz=hum_hz,
            silent=self._silent_frames / frames,
            dc=self._sum / self._count / FULL_SCALE,
        )

    def _frame(self, samples: Samples) -> None:
        wave = samples.astype(np.float32)
        mean = float(wave.mean())
        self._powers.append(max(0.0, float(np.dot(wave, wave)) / len(wave) - mean * mean))
        self._low.append(wave.reshape(-1, LOW_EVERY).mean(axis=1))
        lowest, highest = int(samples.min()), int(samples.max())
        largest = max(-lowest, highest)
        self._peak = max(self._peak, largest)
        if largest >= AT_FULL_SCALE:
            clipped = int(np.count_nonzero(np.abs(wave) >= AT_FULL_SCALE))
            self._clipped += clipped
            self._clipped_frames += 1
        self._silent_frames += lowest == highest
        self._count += len(samples)
        self._sum += mean * len(samples)


def look(samples: Samples) -> SoundLook:
    """All of this sound at once: mono at 48 kHz."""
    hearing = Hearing()
    hearing.add(samples)
    return hearing.look()


def dbfs(power: float) -> float:
    """A mean square of 16 bit samples in dBFS."""
    return decibels(power, FULL_SCALE**2)


def decibels(power: float, reference: float) -> float:
    """One power over another in dB, no less than FLOOR_DBFS and no more than its opposite."""
    if power <= 0:
        return FLOOR_DBFS
    return (
        min(-FLOOR_DBFS, max(FLOOR_DBFS, 10 * math.log10(power / reference)))
        if reference > 0
        else -FLOOR_DBFS
    )


def _hum(low: Wave, powers: list[float]) -> tuple[float, float, int]:
    """Power of the mains' lines, of all else where it is quietest, and the mains' frequency in Hz."""
    size = round(SEGMENT_S * LOW_RATE_HZ)
    if len(low) < size:
        return 0.0, float(np.mean(powers)), 0
    segments = low[: len(low) // size * size].reshape(-1, size)
    segments = segments - segments.mean(axis=1, keepdims=True)
    window = np.hanning(size)
    spectrum = np.abs(np.fft.rfft(segments * window)) ** 2 * 2 / (size * np.sum(window**2))
    families = {mains: _family(spectrum, mains, size) for mains in MAINS_HZ}
    mains = max(families, key=lambda each: float(families[each].min()))
    hum = families[mains]
    frames = round(SEGMENT_S * RATE_HZ / FRAME_SAMPLES)
    whole = np.array(powers[: len(segments) * frames]).reshape(len(segments), frames).mean(axis=1)
    return float(hum.min()), float(np.min(np.maximum(whole - hum, 0.0))), mains


def _family(spectrum: NDArray[np.float64], mains: int, size: int) -> NDArray[np.float64]:
    """Power of these lines in each segment, less the noise under them."""
    hz = np.fft.rfftfreq(size, 1 / LOW_RATE_HZ)
    total = np.zeros(len(spectrum))
    for line in np.arange(mains, HARMONICS_BELOW_HZ, mains):
        away = np.abs(hz - line)
        on, beside = away <= LINE_HZ, (away >= BESIDE_HZ[0]) & (away <= BESIDE_HZ[1])
        noise = np.median(spectrum[:, beside], axis=1) * np.count_nonzero(on)
        total += np.maximum(0.0, spectrum[:, on].sum(axis=1) - noise)
    return total
