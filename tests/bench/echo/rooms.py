"""Rooms between a loudspeaker and a microphone, made by code: an impulse response each. Pure.

The response is that of the image method's statistics: the direct sound, some early reflections, and a tail of
noise that decays exponentially, by 60 dB in the reverberation time (ISO 3382-2).
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
EARLY_S = (0.0021, 0.0047, 0.0071, 0.0103, 0.0162)
"""Reflections by table, screen, side walls and ceiling of a small room, after the direct sound."""
DECAY_60_DB = 6.91  # ln(10 ** 3)

Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Room:
    """delay_s: sound card and air; reverberation_s: until the tail is 60 dB down; echo_dbfs: level of the others'
    speech in the microphone; noise_dbfs: the room's own. play_delay_ms: HALSORUM_PLAY_DELAY_MS, or as shipped."""

    name: str
    delay_s: float
    reverberation_s: float
    echo_dbfs: float
    noise_dbfs: float
    seed: int
    play_delay_ms: int | None = None


ROOMS = (
    Room("speakerphone", 0.010, 0.25, -26.0, -62.0, 1),
    Room("consulting room", 0.030, 0.45, -30.0, -56.0, 2),
    Room("bare walls", 0.050, 0.80, -26.0, -60.0, 3),
    Room("slow sound card", 0.120, 0.45, -30.0, -60.0, 4),
    Room("slow card, told", 0.120, 0.45, -30.0, -60.0, 4, play_delay_ms=90),
)
"""The first has its loudspeaker beside the microphone. The last two show what HALSORUM_PLAY_DELAY_MS is for."""


def response(room: Room) -> Wave:
    """The room's impulse response, with a gain of 1 for white noise."""
    chance = np.random.default_rng(room.seed)
    start = round(room.delay_s * RATE_HZ)
    length = start + round(room.reverberation_s * RATE_HZ)
    wave = np.zeros(length)
    wave[start] = 1.0
    for number, after_s in enumerate(EARLY_S):
        wave[start + round(after_s * RATE_HZ)] += 0.7 * 0.8**number * chance.choice((-1.0, 1.0))
    tail_from = start + round(EARLY_S[1] * RATE_HZ)
    t = np.arange(length - tail_from) / RATE_HZ
    tail = chance.standard_normal(len(t)) * np.exp(-DECAY_60_DB * t / room.reverberation_s)
    # The direct sound and the reflections carry about as much as the tail: a speakerphone at arm's length.
    wave[tail_from:] += tail * np.linalg.norm(wave) / max(1e-9, float(np.linalg.norm(tail)))
    return wave / np.linalg.norm(wave)


def at_level(sound: Wave, dbfs: float) -> Wave:
    """The sound with this level in dBFS (of its mean square, where it is not silent)."""
    heard = sound[np.abs(sound) > 1e-4]
    level = float(np.sqrt(np.mean(heard**2))) if len(heard) else 1.0
    return sound * (10 ** (dbfs / 20) / level)


def write_wave(path: Path, *channels: Wave) -> None:
    """A WAV file of 16 bit; what exceeds full scale is clipped."""
    frames = np.clip(np.stack(channels, axis=1), -1.0, 1.0) * 32767
    with wave.open(str(path), "wb") as file:
        file.setparams((len(channels), 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(frames.round().astype("<i2").tobytes())


def read_wave(path: Path) -> Wave:
    """Its samples as rows of channels, 1.0 being full scale."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return samples.reshape(-1, file.getnchannels()).T / 32768
