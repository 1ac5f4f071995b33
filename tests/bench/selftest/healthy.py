"""Healthy rooms through the real probes' judgements, many times: how often is something said though all is well?

Each run is a real self-test (agent.selftest.SelfTester, second try included) of real probes over devices that take
no time: CameraProbe from its reading of pictures on, SoundProbe over the sim board's own room, the line's figures
and judgement over two trains of packets, and the machine's judgements. A room is kept for RUNS_IN_ROOM runs, so
that what is usual is learnt and used as on a unit. Not in it: opening devices, TURN, the broker, the encoder, the
screen.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections import Counter
from typing import Any
from unittest.mock import patch

from agent.contract.status import Clock
from agent.machine_heat import Heat, Sensor
from agent.media import camera_probe
from agent.media.camera import CameraSettings
from agent.media.capture import CaptureSettings
from agent.media.microphone import MicrophoneSettings
from agent.probes.camera import CameraProbe
from agent.probes.line import judge as judge_line
from agent.probes.machine import judged_clock, judged_heat
from agent.probes.sound import SoundParts, SoundProbe
from agent.selftest import Context, SelfTest, SelfTester
from agent.store import Store
from agent.usual_view import UsualView
from agent.verdict import Verdict
from tests.bench.selftest.healthy_line import line_figures
from tests.bench.selftest.healthy_room import Camera, Place, places, sound_of

RUNS_IN_ROOM = 25
THROUGH = "camera, sound, line and machine judgements"
OCCASIONS = ("before", "before", "before", "daily", "start", "staff")


class _Line:
    """A Probe: LineProbe's judgement of what two trains would have brought."""

    name = "line"

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def run(self, context: Context) -> list[Verdict]:
        return judge_line(line_figures(self._dice))


class _Machine:
    """A Probe: a clock a little off, a processor that is warm."""

    name = "machine"

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def run(self, context: Context) -> list[Verdict]:
        clock = judged_clock(Clock(offset_s=self._dice.gauss(0, 3), synchronised=True))
        heat = Heat((Sensor("cpu-thermal", self._dice.uniform(35, 76), 80.0),), under_voltage=False)
        return [*judged_heat(heat), *([clock] if clock is not None else [])]


class HealthyRoom:
    """One place with what was learnt of it."""

    def __init__(self, place: Place, dice: random.Random) -> None:
        self._place, self._dice = place, dice
        store = Store(None)
        settings = CaptureSettings(camera=CameraSettings())
        self._camera = CameraProbe(lambda: settings, UsualView(store))
        parts = SoundParts(MicrophoneSettings())
        self._sound = SoundProbe(lambda: parts, store, trial=self._heard)

    async def run(self) -> SelfTest:
        """One self-test on a day of its own."""
        dice, done = self._dice, []
        day = self._place.day(dice)
        self._day = day
        stages = [
            [self._camera, _Machine(dice)],
            [self._sound, _Line(dice)],
        ]
        tester = SelfTester(stages, done.append)
        with patch.object(camera_probe, "make_camera", lambda *_: Camera(day, dice)):
            tester.start(dice.choice(OCCASIONS))
            await tester.over()
        (result,) = done
        return result

    def _heard(self, _settings: Any, _sink: Any, sound: Any, *, seconds: float, stopped: Any) -> Any:
        return sound_of(self._day, self._dice, sound, seconds, stopped)


def run_healthy(runs: int, seed: int) -> dict[str, Any]:
    """What was said in so many runs; deterministic for a seed."""
    return asyncio.run(_run(runs, seed))


async def _run(runs: int, seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    all_places = places()
    alarms: list[dict[str, Any]] = []
    each: list[dict[str, Any]] = []
    tried: Counter[str] = Counter()
    room = None
    for number in range(runs):
        if room is None or number % RUNS_IN_ROOM == 0:
            room = HealthyRoom(all_places[number // RUNS_IN_ROOM % len(all_places)].at(dice), dice)
        result = await room.run()
        tried.update(verdict.probe for verdict in result.verdicts)
        figures = {verdict.probe: round(verdict.figure, 3) for verdict in result.verdicts}
        each.append({"room": room._place.name, "figures": figures})
        told = [verdict for verdict in result.verdicts if not verdict.ok]
        if told:
            alarms.append(
                {
                    "run": number,
                    "room": room._place.name,
                    "day": room._day.told(),
                    "instructions": [verdict.instruction for verdict in told],
                    "reasons": [verdict.reason for verdict in told],
                }
            )
    return {
        "runs": runs,
        "seed": seed,
        "through": THROUGH,
        "tried": dict(tried),
        "alarms": alarms,
        "medians": _medians(each),
        "each": each,
    }


def _medians(each: list[dict[str, Any]]) -> dict[str, float]:
    """Of each probe's figures, in its own unit (agent/verdict.py)."""
    by_probe: dict[str, list[float]] = {}
    for run in each:
        for probe, figure in run["figures"].items():
            by_probe.setdefault(probe, []).append(figure)
    return {probe: statistics.median(figures) for probe, figures in by_probe.items()}
