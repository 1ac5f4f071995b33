"""The clinician's camera and microphone as files for a browser: real footage with its sound."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

SOUND_RATE_HZ = 48_000
TONE_LEVEL = 0.12
"""Of full scale: some 10 dB under loud footage, and easily told from it."""
PULSE_S = 0.4
"""Pulsed like speech, since browsers take what never changes out of a microphone's sound."""


def write_camera(film: Path, target: Path, width: int, height: int) -> Path:
    """The film's picture at that size as YUV4MPEG2, which Chromium plays in a loop as a camera."""
    with av.open(str(film)) as source, target.open("wb") as output:
        stream = source.streams.video[0]
        rate = stream.average_rate
        assert rate is not None
        head = f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} Ip A1:1 C420\n"
        output.write(head.encode())
        for frame in source.decode(stream):
            output.write(b"FRAME\n")
            output.write(frame.reformat(width, height, "yuv420p").to_ndarray().tobytes())
    return target


def write_microphone(film: Path, target: Path, tone_hz: float) -> Path:
    """The film's sound, mono, with a pulsed tone by which the clinician's side is known again."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
    with av.open(str(film)) as source:
        pieces = [
            part.to_ndarray().reshape(-1)
            for frame in source.decode(source.streams.audio[0])
            for part in resampler.resample(frame)
        ]
    samples = np.concatenate(pieces).astype(np.float64) / 2**15
    mixed = np.clip(samples / 2 + _pulses(len(samples), tone_hz), -1, 1)
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SOUND_RATE_HZ)
        sound.writeframes((mixed * (2**15 - 1)).astype("<i2").tobytes())
    return target


def _pulses(count: int, tone_hz: float) -> NDArray[np.float64]:
    time_s = np.arange(count) / SOUND_RATE_HZ
    swell = np.clip(np.sin(np.pi * time_s / PULSE_S), 0, None)
    return TONE_LEVEL * swell * np.sin(2 * np.pi * tone_hz * time_s)
