"""How often the camera's probe is wrong: `python -m tests.bench.camera_eyes [RUNS]`, a minute for 100.

Each run has a room with a usual view learnt in other hours; it is then looked at well, and with each fault.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

import numpy as np

from agent.media.camera_gate import NO_GATE, GatedCamera
from agent.media.camera_probe import Watched, judge, watch_open
from agent.media.device import Camera, RawPicture
from agent.media.pixels import blank, planes
from agent.store import Store
from agent.usual_view import UsualView
from tests.bench import camera_rooms as made
from tests.bench.camera_rooms import Luma, Sight
from tests.bench.film import clip_path

RATE = 30.0
LOOKS = 3
NOISE = 1.0, 7.0
"""Luma: a good sensor by day, a poor one in the evening."""


class SightCamera:
    """A camera that sees it, as fast as it is asked."""

    sensor = (made.WIDTH, made.HEIGHT)

    def __init__(self, sight: Sight) -> None:
        self._sight, self._number = sight, 0

    def read(self) -> RawPicture:
        frame = blank(made.WIDTH, made.HEIGHT)
        planes(frame)[0][:] = self._sight.picture(self._number)
        self._number += 1
        return RawPicture(frame, self._number / RATE)

    def __getattr__(self, _name: str) -> object:
        return lambda *_: None


def looked(sight: Sight) -> Watched:
    camera: Camera = SightCamera(sight)  # type: ignore[assignment]
    seen = watch_open(GatedCamera(camera, NO_GATE), lambda works=True: None)
    assert seen is not None
    return seen


def usual_of(room: Luma, random: np.random.Generator) -> list[float]:
    """Learnt as the agent does, in LOOKS hours."""
    usual = UsualView(Store(None))
    for _ in range(LOOKS):
        usual.learn(looked(made.sensed(made.in_light(room, random), random, random.uniform(*NOISE))).view)
    return list(usual.numbers or ())


def well(room: Luma, random: np.random.Generator) -> Sight:
    """Another hour, with nobody, somebody, or somebody who moves."""
    lit = made.in_light(room, random)
    noise, who = random.uniform(*NOISE), random.integers(0, 3)
    if who == 0:
        return made.sensed(lit, random, noise)
    state = random.bit_generator.state
    place = random.uniform(0.35, 0.65)
    one = made.with_person(lit, random, place)
    if who == 1:
        return made.sensed(one, random, noise)
    random.bit_generator.state = state
    other = made.with_person(lit, random, place + random.uniform(0.03, 0.15))
    return made.sensed(one, random, noise, other)


def ill(fault: str, room: Luma, foreign: Luma, random: np.random.Generator) -> Sight:
    """The room with this fault."""
    lit, noise = made.in_light(room, random), random.uniform(*NOISE)
    match fault:
        case "camera_frozen":
            return made.sensed(lit, random, noise, stands=True)
        case "camera_covered":
            return made.sensed(made.covered(lit, random), random, random.uniform(*NOISE))
        case "camera_dark":
            return made.sensed(made.dark(lit, random), random, random.uniform(2, 10))
        case "camera_bright":
            return made.sensed(made.bright(lit, random), random, noise)
        case "camera_blurred":
            return made.sensed(made.out_of_focus(lit, random.uniform(9, 25)), random, noise)
        case _:
            elsewhere = made.turned(lit, made.in_light(foreign, random), random)
            return made.sensed(elsewhere, random, noise)


def said(sight: Sight, usual: list[float]) -> tuple[str, Watched]:
    seen = looked(sight)
    return judge(seen, RATE, usual, at_night=False).instruction or "well", seen


def main(runs: int, kinds: list[str]) -> None:
    data = clip_path().parent
    films = [data / name for name in ("bigbuckbunny.mp4", "bikes.mp4", "carphone_pristine.mp4")]
    rooms = list(made.rooms([film for film in films if film.exists()]))
    random = np.random.default_rng(20_261_122)
    usuals = [usual_of(room, random) for room in rooms]
    for fault in kinds or ["well", *made.FAULTS]:
        started, answers, wrong = time.thread_time(), Counter[str](), []
        for number in range(runs):
            which = number % len(rooms)
            room, foreign = rooms[which], rooms[(which + 1 + number // len(rooms)) % len(rooms)]
            sight = well(room, random) if fault == "well" else ill(fault, room, foreign, random)
            answer, seen = said(sight, usuals[which])
            answers[answer] += 1
            if answer != fault:
                wrong.append((which, answer, seen.look, round(seen.moved, 3)))
        right = answers[fault] / runs
        print(
            f"{fault:16} {right:6.1%} of {runs}  {dict(answers)}  {time.thread_time() - started:.0f} s",
            flush=True,
        )
        for each in wrong[:12] if runs <= 150 else []:
            print("   ", *each)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2:])
