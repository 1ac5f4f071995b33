"""A certificate that has expired: the way back is opened when it is needed, and ends when the room is free."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from agent.link_tls import KnownTime
from agent.way_back import (
    LET_IN_FOR_S,
    REFUSED_AND_EXPIRED_FOR_S,
    REFUSED_FOR_S,
    WayBack,
    has_expired,
)
from tests.agent.certificates import DAY, TODAY

GONE, GOOD = TODAY - DAY, TODAY + DAY


class FakeEnroller:
    def __init__(self) -> None:
        self.is_in = False
        self.ticks = 0
        self.stopped = False

    def start(self) -> None: ...

    def tick(self) -> None:
        self.ticks += 1

    async def stop(self) -> None:
        self.stopped = True


class Scene:
    def __init__(self, not_after=GONE, known=KnownTime(TODAY - 100 * DAY, TODAY), guess=TODAY) -> None:
        self.line = SimpleNamespace(up=False, problem="")
        self.enroller, self.faults, self.changes, self.restarts = FakeEnroller(), [], [], 0
        self.is_busy, self.monotonic_s = "", 0.0
        self.way = WayBack(
            SimpleNamespace(not_after=not_after),
            self.line,
            lambda: self.enroller,
            known=lambda: known,
            guess=lambda: guess,
            busy=lambda: self.is_busy,
            monotonic_s=lambda: self.monotonic_s,
            fault_found=self.faults.append,
            recovered=self.faults.clear,
            on_change=lambda: self.changes.append(1),
            restart=self.restart,
        )

    def restart(self) -> None:
        self.restarts += 1


def test_an_expired_certificate_opens_it_once_and_closes_the_room():
    scene = Scene()
    assert scene.way.verdict() is None
    for _ in range(3):
        scene.way.tick()
    assert (scene.faults, scene.enroller.ticks) == (["certificate"], 2)
    assert (scene.way.verdict().probe, scene.way.verdict().ok) == ("certificate", False)
    asyncio.run(scene.way.stop())
    assert scene.enroller.stopped


@pytest.mark.parametrize("known", [KnownTime(TODAY - 100 * DAY, TODAY), KnownTime(TODAY)])
def test_it_has_expired_by_now_or_by_what_is_certainly_past(known):
    assert has_expired(GONE, known)
    assert not has_expired(GOOD, known)


def test_a_clock_that_is_not_sure_expires_nothing_but_a_broker_that_refuses_for_long_does():
    scene = Scene(known=KnownTime(TODAY - 100 * DAY), guess=TODAY - 50 * DAY)
    scene.way.tick()
    scene.line.problem = "refused"
    scene.way.tick()
    scene.monotonic_s = REFUSED_FOR_S - 1
    scene.way.tick()
    assert not scene.way.is_open
    scene.line.problem = "unreached"  # a broker that is away says nothing of us
    scene.way.tick()
    scene.line.problem = "refused"
    scene.monotonic_s = REFUSED_FOR_S
    scene.way.tick()
    assert not scene.way.is_open
    scene.monotonic_s = 2 * REFUSED_FOR_S
    scene.way.tick()
    assert scene.way.is_open


def test_a_clock_that_is_not_sure_and_a_broker_that_refuses_agree_soon():
    scene = Scene(known=KnownTime(TODAY - 100 * DAY))
    scene.line.problem = "refused"
    scene.way.tick()
    assert not scene.way.is_open
    scene.monotonic_s = REFUSED_AND_EXPIRED_FOR_S
    scene.way.tick()
    assert scene.way.is_open


def test_a_broker_that_lets_us_in_knows_better_than_any_clock():
    scene = Scene()
    scene.line.up = True
    scene.way.tick()
    assert not scene.way.is_open


def test_the_agent_begins_anew_once_when_the_room_is_free():
    scene = Scene()
    scene.way.tick()
    scene.enroller.is_in, scene.is_busy = True, "someone is in the room"
    scene.way.tick()
    assert scene.restarts == 0
    scene.is_busy = ""
    scene.way.tick()
    scene.way.tick()
    assert scene.restarts == 1


def test_a_revocation_that_is_taken_back_opens_the_room_again():
    async def let_in() -> None:
        scene = Scene()
        scene.way.tick()
        for up, at_s in ((True, 0.0), (False, 1.0), (True, 2.0), (True, 1.0 + LET_IN_FOR_S)):
            scene.line.up, scene.monotonic_s = up, at_s
            scene.way.tick()
            assert scene.way.is_open  # a broker whose rules deny us lets us in for a moment
        scene.is_busy, scene.monotonic_s = "someone is in the room", 2.0 + LET_IN_FOR_S
        scene.way.tick()
        assert scene.way.is_open
        scene.is_busy = ""
        scene.way.tick()
        assert (scene.way.is_open, scene.way.verdict(), scene.faults) == (False, None, [])
        await scene.way.stop()
        assert scene.enroller.stopped

    asyncio.run(let_in())
