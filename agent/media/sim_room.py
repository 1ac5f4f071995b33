"""The sound of a room without hardware: between the sim board's loudspeaker and its microphone, and what is wrong
with them.

A file (`acoustics.toml` in the unit's state folder) describes it, and is read again whenever it has changed, so
that tests and demonstrations break and mend the sound of a running unit from outside. Missing, the room is well.
Its keys are the fields of Acoustics; one that cannot be read leaves the room as it was, and the log says so.
"""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.media.device import DeviceError, Microphone, RawSound, Samples
from agent.media.sound_look import FULL_SCALE, RATE_HZ
from agent.media.speech import tone

log = logging.getLogger(__name__)

ACOUSTICS = "acoustics.toml"
LOOK_EVERY_S = 0.2
REFLECTIONS = ((0.0, 1.0), (0.0021, 0.5), (0.0047, -0.4), (0.0071, 0.3))
"""After the direct sound, in seconds, and how much: table, screen, wall."""
HUM = ((1, 0.0), (2, -4.0), (3, -8.0), (5, -12.0))
"""Harmonics of the mains, and their levels in dB against the first."""
MAINS_HZ = 50
CLIPS_BY_DB = 40.0
"""A microphone whose gain is turned up far too high."""
NOISE_S = 2

Wave = NDArray[np.float64]


class Acoustics(BaseModel):
    """gain_db: what is played, as the microphone hears it, against as it is played. echo_canceller_db: how much of
    that is taken out before the call; 0: it does not work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loudspeaker: bool = Field(True, description="Whether there is an output.")
    gain_db: float = Field(-12.0, ge=-120, le=20, description="-120: a loudspeaker that is switched off.")
    delay_ms: float = Field(25.0, ge=0, le=1000)
    echo_canceller_db: float = Field(35.0, ge=0, le=80)
    cancels: bool = Field(True, description="Whether a canceller is on the way at all.")
    microphone: bool = Field(True, description="Whether it is plugged in.")
    muted: bool = Field(False, description="The microphone is switched off: digital silence.")
    microphone_gain_db: float = Field(0.0, ge=-80, le=40)
    noise_dbfs: float = Field(-66.0, ge=-120, le=0, description="The room's own.")
    hum_dbfs: float | None = Field(None, ge=-120, le=0)
    clip: bool = False


@dataclass(frozen=True, slots=True)
class _Played:
    sound: Wave
    began_at: float


class SimRoom:
    """One room; its loudspeaker and its microphone hold the same. Times in seconds of time.monotonic()."""

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self._clock = clock
        self._acoustics = Acoustics()
        self._stamp: tuple[int, int] | None = None
        self._look_at = 0.0
        self._played: _Played | None = None

    def acoustics(self) -> Acoustics:
        """As the file says now, or said a moment ago."""
        now = self._clock()
        if self.file is not None and now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._read(self.file)
        return self._acoustics

    def play(self, sound: Wave) -> None:
        """From now on; 1.0 is full scale. What was played before ends."""
        self._played = _Played(sound, self._clock())

    def played(self, end_at: float, count: int) -> Wave:
        """What left the loudspeaker in the `count` samples before then."""
        wave = np.zeros(count)
        if self._played is None:
            return wave
        sound = self._played.sound
        first = round((end_at - self._played.began_at) * RATE_HZ) - count
        start, end = max(0, first), min(len(sound), first + count)
        if start < end:
            wave[start - first : end - first] = sound[start:end]
        return wave

    def echo(self, end_at: float, count: int) -> Wave:
        """What of it reaches the microphone then."""
        acoustics = self.acoustics()
        if not acoustics.loudspeaker:
            return np.zeros(count)
        gain, delay_s = 10 ** (acoustics.gain_db / 20), acoustics.delay_ms / 1000
        parts = [part * self.played(end_at - delay_s - after_s, count) for after_s, part in REFLECTIONS]
        return np.asarray(gain * np.sum(parts, axis=0))

    def _read(self, file: Path) -> None:
        try:
            stat = file.stat()
        except OSError:
            self._stamp, self._acoustics = None, Acoustics()
            return
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._acoustics = Acoustics.model_validate(tomllib.loads(file.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            log.warning("%s cannot be used, the room stays as it was: %s", file, error)


class SimMicrophone:
    """A microphone in such a room: `inner` is who speaks there. What read() gives is what the call hears, as from
    a canceller; raw and played are the microphone before it and the loudspeaker, of the same 20 ms."""

    def __init__(self, inner: Microphone, room: SimRoom) -> None:
        self._inner, self._room = inner, room
        self._place = 0
        self._noise = np.random.default_rng(1).standard_normal(NOISE_S * RATE_HZ)
        self.raw: Samples = np.zeros(0, np.int16)
        self.played: Samples = np.zeros(0, np.int16)

    @property
    def missing(self) -> DeviceError | None:
        return self._inner.missing

    def open(self) -> None:
        self._plugged_in()
        self._inner.open()

    def read(self) -> RawSound:
        sound = self._inner.read()
        acoustics = self._plugged_in()
        count = len(sound.samples)
        echo = self._room.echo(sound.captured_at, count)
        own = sound.samples / FULL_SCALE + self._background(acoustics, count)
        left = 10 ** (-acoustics.echo_canceller_db / 20)
        self.raw = _through(own + echo, acoustics)
        self.played = _whole(self._room.played(sound.captured_at, count))
        return RawSound(_through(own + left * echo, acoustics), sound.captured_at)

    def close(self) -> None:
        self._inner.close()

    def _plugged_in(self) -> Acoustics:
        acoustics = self._room.acoustics()
        if not acoustics.microphone:
            raise DeviceError("microphone", "it is not plugged in", "Plug it in")
        return acoustics

    def _background(self, acoustics: Acoustics, count: int) -> Wave:
        place = self._place % (len(self._noise) - count)
        wave = self._noise[place : place + count] * 10 ** (acoustics.noise_dbfs / 20)
        if acoustics.hum_dbfs is not None:
            for number, less_db in HUM:
                wave = (
                    wave
                    + tone(MAINS_HZ * number, acoustics.hum_dbfs + less_db, self._place, count) / FULL_SCALE
                )
        self._place += count
        return np.asarray(wave)


def _through(wave: Wave, acoustics: Acoustics) -> Samples:
    """What the microphone makes of it."""
    if acoustics.muted:
        return np.zeros(len(wave), np.int16)
    gain_db = acoustics.microphone_gain_db + (CLIPS_BY_DB if acoustics.clip else 0.0)
    return _whole(wave * 10 ** (gain_db / 20))


def _whole(wave: Wave) -> Samples:
    return np.clip(np.round(wave * FULL_SCALE), -32768, 32767).astype(np.int16)
