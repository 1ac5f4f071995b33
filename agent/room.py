"""The room itself, as one table: idle, scanning, testing, occupied, out of order. Pure.

One session grows ready while another is still in call, so the room is a machine of its own: it decides when
the self-test may run (never while someone sits there) and what the lamp at the door says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from agent.table import Rule, follow

TEST_BEFORE = timedelta(minutes=20)
"""The room checks itself this long before each session, where IT has set nothing else."""
TEST_AGAIN = timedelta(seconds=30)
"""How soon a failed self-test is tried again."""
LOOK_AGAIN = timedelta(minutes=5)
"""And one that found the room usable, but not as it should be."""
TEST_TIMEOUT = timedelta(seconds=40)
Occasion = Literal["start", "daily", "before", "again", "staff", "command"]
"""Why a self-test is made: at the unit's start, by the time of day, before a session, since the last one found
something, since staff want it, or since the region does."""


class State(StrEnum):
    """What the room is doing."""

    IDLE = "idle"
    SCANNING = "scanning"
    TESTING = "testing"
    OCCUPIED = "occupied"
    OUT_OF_ORDER = "out_of_order"


class Lamp(StrEnum):
    """The lamp at the door."""

    FREE = "free"
    SOON = "soon"
    OCCUPIED = "occupied"
    HELP = "help"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Room:
    """The room's state; `holder` is the sid of the session whose patient is inside. `tested_at`: when the last
    self-test ended, `was_whole`: by itself, so that its word is about all of the room."""

    state: State = State.IDLE
    holder: str | None = None
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    tested_at: datetime | None = None
    testing_since: datetime | None = None
    was_whole: bool = False

    @property
    def ready(self) -> bool:
        """Whether the last self-test went well."""
        return self.tested_at is not None and not self.faults


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; `next_start` is when the next session begins, `before` how long before it the room checks
    itself, `daily` when it last was to do so by the time of day, `within` how long a self-test may take."""

    next_start: datetime | None = None
    before: timedelta = TEST_BEFORE
    daily: datetime | None = None
    within: timedelta = TEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class TestAsked:
    """Somebody wants a self-test now."""

    occasion: Occasion = "command"


@dataclass(frozen=True, slots=True)
class TestDone:
    """The self-test has ended; both are instructions by key (agent/contract/instructions.py). `faults` keep visits
    out, `warnings` do not; both are empty when all is well."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultFound:
    """Something stopped working outside a self-test."""

    fault: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A patient has checked in."""

    sid: str


@dataclass(frozen=True, slots=True)
class Released:
    """That session's patient has left the room."""

    sid: str


@dataclass(frozen=True, slots=True)
class ScanOpened:
    """The page that reads a QR code has opened."""


@dataclass(frozen=True, slots=True)
class ScanClosed:
    """And closed."""


Event = Tick | TestAsked | TestDone | FaultFound | Taken | Released | ScanOpened | ScanClosed


@dataclass(frozen=True, slots=True)
class RunSelfTest:
    """Run the probes now."""

    occasion: Occasion = "command"


@dataclass(frozen=True, slots=True)
class StopSelfTest:
    """Break off: someone needs the camera."""


Effect = RunSelfTest | StopSelfTest
Result = tuple[Room, tuple[Effect, ...]]


def step(room: Room, event: Event, now: datetime) -> Result:
    """The room after an event, and the effects in the order they are to be done."""
    return follow(RULES, room, event, now)


def lamp(room: Room, next_start: datetime | None, now: datetime, *, calling: bool = False) -> Lamp:
    """What the lamp at the door says; calling: somebody in the room calls for help, and nobody has answered."""
    if calling:
        return Lamp.HELP
    if room.state == State.OCCUPIED:
        return Lamp.OCCUPIED
    if room.faults:
        return Lamp.FAULT
    soon = next_start is not None and next_start - now <= TEST_BEFORE
    return Lamp.SOON if soon else Lamp.FREE


def _nothing(room: Room, _event: object, _now: datetime) -> Result:
    return room, ()


def _start_due_test(room: Room, event: Tick, now: datetime) -> Result:
    return replace(room, testing_since=now), (RunSelfTest(_due(room, event, now) or "again"),)


def _start_test(room: Room, event: TestAsked, now: datetime) -> Result:
    return replace(room, testing_since=now), (RunSelfTest(event.occasion),)


def _end_test(room: Room, event: TestDone, now: datetime) -> Result:
    found = replace(room, faults=event.faults, warnings=event.warnings)
    return replace(found, tested_at=now, testing_since=None, was_whole=True), ()


def _test_hangs(room: Room, _event: Tick, now: datetime) -> Result:
    hung = replace(room, faults=("selftest",), tested_at=now, testing_since=None, was_whole=False)
    return hung, (StopSelfTest(),)


def _take(room: Room, event: Taken, _now: datetime) -> Result:
    stops = (StopSelfTest(),) if room.testing_since is not None else ()
    return replace(room, holder=event.sid, testing_since=None), stops


def _scan_in_test(room: Room, _event: ScanOpened, _now: datetime) -> Result:
    """Whoever stands there comes first; the test is made anew when it is due."""
    return replace(room, testing_since=None), (StopSelfTest(),)


def _release(room: Room, _event: Released, _now: datetime) -> Result:
    return replace(room, holder=None), ()


def _fault_in_test(room: Room, event: FaultFound, now: datetime) -> Result:
    room, _ = _fault(room, event, now)
    return replace(room, tested_at=now, testing_since=None, was_whole=False), (StopSelfTest(),)


def _is_faulty_holder(room: Room, event: Released, now: datetime) -> bool:
    return bool(room.faults) and _by_holder(room, event, now)


def _fault(room: Room, event: FaultFound, _now: datetime) -> Result:
    return replace(room, faults=tuple(dict.fromkeys((*room.faults, event.fault)))), ()


def _test_is_due(room: Room, event: Tick, now: datetime) -> bool:
    return _due(room, event, now) is not None


def _due(room: Room, event: Tick, now: datetime) -> Occasion | None:
    """Why a test is to be made now; one before a session comes before all others, since it is the fullest."""
    if room.tested_at is None:
        return "start"
    if event.next_start is not None and now >= event.next_start - event.before > room.tested_at:
        return "before"
    if event.daily is not None and event.daily > room.tested_at:
        return "daily"
    if room.faults:
        return "again" if now >= room.tested_at + TEST_AGAIN else None
    return "again" if room.warnings and now >= room.tested_at + LOOK_AGAIN else None


def _test_is_stuck(room: Room, event: Tick, now: datetime) -> bool:
    return room.testing_since is not None and now >= room.testing_since + event.within


def _is_faulty(room: Room, _event: ScanClosed, _now: datetime) -> bool:
    return bool(room.faults)


def _has_faults(_room: Room, event: TestDone, _now: datetime) -> bool:
    return bool(event.faults)


def _by_holder(room: Room, event: Released, _now: datetime) -> bool:
    return room.holder == event.sid


IN_USE = frozenset({State.OCCUPIED, State.SCANNING})
"""Somebody sits there, or stands there with a code in the hand."""
_FREE = frozenset({State.IDLE, State.OUT_OF_ORDER})
_NOT_OCCUPIED = frozenset(State) - {State.OCCUPIED}


def _in(*states: State) -> frozenset[State]:
    return frozenset(states)


S = State
RULES: tuple[Rule[Room, Effect], ...] = (
    Rule(_FREE, Tick, S.TESTING, _start_due_test, _test_is_due, "a self-test is due"),
    Rule(_FREE, TestAsked, S.TESTING, _start_test),
    Rule(_in(S.TESTING), TestDone, S.OUT_OF_ORDER, _end_test, _has_faults, "with faults"),
    Rule(_in(S.TESTING), TestDone, S.IDLE, _end_test, when="all well"),
    Rule(_in(S.TESTING), Tick, S.OUT_OF_ORDER, _test_hangs, _test_is_stuck, "no end in 40 s"),
    Rule(_FREE, ScanOpened, S.SCANNING, _nothing),
    Rule(_in(S.TESTING), ScanOpened, S.SCANNING, _scan_in_test),
    Rule(_in(S.SCANNING), ScanClosed, S.OUT_OF_ORDER, _nothing, _is_faulty, "with faults"),
    Rule(_in(S.SCANNING), ScanClosed, S.IDLE, _nothing, when="all well"),
    Rule(_NOT_OCCUPIED, Taken, S.OCCUPIED, _take),
    Rule(_in(S.OCCUPIED), Released, S.OUT_OF_ORDER, _release, _is_faulty_holder, "with faults"),
    Rule(_in(S.OCCUPIED), Released, S.IDLE, _release, _by_holder, "all well"),
    Rule(_in(S.TESTING), FaultFound, S.OUT_OF_ORDER, _fault_in_test),
    Rule(_FREE, FaultFound, S.OUT_OF_ORDER, _fault),
    Rule(_in(S.OCCUPIED, S.SCANNING), FaultFound, None, _fault),
)
