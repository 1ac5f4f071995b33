"""From what the microphone heard and what came out of the canceller to figures. Pure.

Echo return loss enhancement (ITU-T G.168, 3.2.7): level of the echo in the microphone over level of what is left
of it. The room's noise is in both, so what is left is never judged lower than it really is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tests.bench.echo.rooms import RATE_HZ, Wave

FRAME_S = 0.02
SPEECH_BELOW_LOUDEST_DB = 25.0
"""Frames of 20 ms that are quieter than this against the loudest are pauses, and are not judged."""
SETTLED_WITHIN_DB = 3.0
SETTLED_WINDOW_S = 0.5
FLOOR_DBFS = -100.0
STEADY_WITHIN = 2  # samples
FARTHEST_S = 0.3  # through canceller and buffers


@dataclass(frozen=True, slots=True)
class Script:
    """When who speaks, in seconds from the beginning of what is played."""

    far_alone: tuple[float, float] = (1.0, 15.0)
    settled_from: float = 9.0
    both: tuple[float, float] = (15.0, 21.0)
    near_alone: tuple[float, float] = (21.5, 27.5)
    """The same words as in `both`, so that one can be held against the other."""
    length_s: float = 30.0


@dataclass(frozen=True, slots=True)
class EchoFigures:
    """echo and left: levels in dBFS while the far end speaks alone, settled; their difference is the ERLE in dB.

    over_speech_db: the ERLE without what the gain control adds to the near speech: how much farther the echo
    lies below the room's own speech. converged_s: after the first word. near_kept_db: level of the near
    speech while both speak against the same words alone, 0 being all of it.
    """

    echo_dbfs: float
    left_dbfs: float
    erle_db: float
    over_speech_db: float
    first_second_db: float
    converged_s: float
    near_gain_db: float
    near_kept_db: float
    noise_change_db: float


def figures(microphone: Wave, cleaned: Wave, near: Wave, script: Script) -> EchoFigures:
    """microphone and cleaned begin with what is played, and so does near, which is what the near end says."""
    lag = delay(microphone, cleaned)
    cleaned = cleaned[lag:]
    start, end = script.far_alone
    settled = _slice(microphone, script.settled_from, end), _slice(cleaned, script.settled_from, end)
    speech = _speech(settled[0])
    echo, left = _level(settled[0], speech), _level(settled[1], speech)
    near_alone, near_both = _coherent(cleaned, near, script.near_alone), _coherent(cleaned, near, script.both)
    near_in = _coherent(microphone, near, script.near_alone)
    pause = 0.2, start - 0.1
    return EchoFigures(
        echo_dbfs=echo,
        left_dbfs=left,
        erle_db=echo - left,
        over_speech_db=echo - left + near_alone - near_in,
        first_second_db=_erle(microphone, cleaned, start, start + 1.0),
        converged_s=_converged(microphone, cleaned, script, echo - left),
        near_gain_db=near_alone - near_in,
        near_kept_db=near_both - near_alone,
        noise_change_db=_level(_slice(cleaned, *pause)) - _level(_slice(microphone, *pause)),
    )


def delay(reference: Wave, sound: Wave, farthest_s: float = FARTHEST_S) -> int:
    """By how many samples `sound` comes after `reference`, from 0 to farthest_s."""
    length = min(len(reference), len(sound))
    size = 2 * length
    cross = np.fft.irfft(
        np.fft.rfft(sound[:length], size) * np.conj(np.fft.rfft(reference[:length], size)), size
    )
    return int(np.argmax(np.abs(cross[: round(farthest_s * RATE_HZ)])))


def is_steady(expected: Wave, microphone: Wave, script: Script) -> bool:
    """Whether the echo came after the same time in every second that is judged: nothing was lost on the way."""
    found = []
    for second in range(int(script.settled_from), int(script.far_alone[1]) - 1):
        heard, due = (_slice(each, second, second + 1) for each in (microphone, expected))
        if len(heard) < RATE_HZ:
            return False
        found.append(delay(due, heard))
    return max(found) - min(found) <= STEADY_WITHIN


def _slice(sound: Wave, start_s: float, end_s: float) -> Wave:
    return sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]


def _frames(sound: Wave) -> Wave:
    size = round(FRAME_S * RATE_HZ)
    return sound[: len(sound) // size * size].reshape(-1, size)


def _speech(sound: Wave) -> Wave:
    power = np.mean(_frames(sound) ** 2, axis=1)
    return power > np.max(power) * 10 ** (-SPEECH_BELOW_LOUDEST_DB / 10)


def _level(sound: Wave, which: Wave | None = None) -> float:
    frames = _frames(sound)
    power = float(np.mean((frames if which is None else frames[which[: len(frames)]]) ** 2))
    return max(FLOOR_DBFS, 10 * float(np.log10(power))) if power > 0 else FLOOR_DBFS


def _erle(microphone: Wave, cleaned: Wave, start_s: float, end_s: float) -> float:
    heard = _slice(microphone, start_s, end_s)
    speech = _speech(heard)
    return _level(heard, speech) - _level(_slice(cleaned, start_s, end_s), speech)


def _converged(microphone: Wave, cleaned: Wave, script: Script, settled_db: float) -> float:
    start, end = script.far_alone
    at = start
    while at + SETTLED_WINDOW_S < end:
        if _erle(microphone, cleaned, at, at + SETTLED_WINDOW_S) >= settled_db - SETTLED_WITHIN_DB:
            return at - start
        at += 0.1
    return end - start


def _coherent(sound: Wave, near: Wave, span: tuple[float, float]) -> float:
    """Level in dBFS of that in `sound` which is `near`: each third of an octave by its own gain, since noise
    suppression treats them apart."""
    size = 1024
    heard, said = (
        np.fft.rfft(_slice(each, *span)[: _count(span, size) * size].reshape(-1, size) * np.hanning(size))
        for each in (sound, near)
    )
    edges = np.unique(np.geomspace(6, 170, 18).astype(int))  # 280 Hz to 8 kHz, where speech is understood
    power = 0.0
    for low, high in pairwise(edges):
        x, y = said[:, low:high], heard[:, low:high]
        energy = float(np.sum(np.abs(x) ** 2))
        if energy > 0:
            power += abs(complex(np.sum(y * np.conj(x)))) ** 2 / energy
    mean = power / (_count(span, size) * size**2)
    return 10 * float(np.log10(mean)) if mean > 0 else FLOOR_DBFS


def _count(span: tuple[float, float], size: int) -> int:
    return int((span[1] - span[0]) * RATE_HZ) // size
