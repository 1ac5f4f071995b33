"""A command's life, as one table. Pure.

`accepted/rejected → running → succeeded/failed/timed_out/canceled/expired`. `new` is what the journal does not
hold yet, and is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from agent.table import Rule, follow

INTERRUPTED = "interrupted by a restart"


class State(StrEnum):
    """As agent.contract.commands has them, and `new`."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    EXPIRED = "expired"


OVER = frozenset(
    {State.REJECTED, State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CANCELED, State.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal holds of a command. `boot` and `machine` tell the start in which it began."""

    id: str
    name: str
    issued_at: datetime
    expires_at: datetime
    timeout_s: int = 120
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    state: State = State.NEW
    reason: str = ""
    result: Mapping[str, str] = field(default_factory=dict)
    boot: int = 0
    machine: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Arrived:
    """It has come for the first time; `fault` says why it cannot be done at all."""

    fault: str = ""


@dataclass(frozen=True, slots=True)
class Waits:
    """It would disturb whoever is in the room now, or cannot be written down; empty: no longer."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """It is about to be done, in this start of the agent on this start of the machine."""

    boot: int
    machine: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It was done, or could not be; `state` is succeeded, failed or canceled."""

    state: State
    reason: str = ""
    result: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long one is, in words for IT."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The region takes it back."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """It has run for longer than it may."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The agent has started; this is the start's number and the machine's boot id (random(4))."""

    boot: int
    machine: str


Event = Arrived | Waits | Begun | Progress | Ended | CancelAsked | Passed | TimeUp | Restarted


def step(entry: Entry, event: Event, now: datetime) -> Entry:
    """The command after an event; one that no rule takes changes nothing."""
    return follow(RULES, entry, event, now)[0]


_Result = tuple[Entry, tuple[object, ...]]


def _plain(entry: Entry, _event: object, _now: datetime) -> _Result:
    return replace(entry, reason=""), ()


def _reject(entry: Entry, event: Arrived, _now: datetime) -> _Result:
    return replace(entry, reason=event.fault), ()


def _wait(entry: Entry, event: Waits | Progress, _now: datetime) -> _Result:
    return replace(entry, reason=event.reason), ()


def _begin(entry: Entry, event: Begun, _now: datetime) -> _Result:
    return replace(entry, reason="", boot=event.boot, machine=event.machine), ()


def _end(entry: Entry, event: Ended, _now: datetime) -> _Result:
    return replace(entry, state=event.state, reason=event.reason, result=dict(event.result)), ()


def _time_up(entry: Entry, _event: TimeUp, _now: datetime) -> _Result:
    return replace(entry, reason=f"did not end within {entry.timeout_s} s"), ()


def _interrupt(entry: Entry, _event: Restarted, _now: datetime) -> _Result:
    return replace(entry, reason=INTERRUPTED), ()


def _has_fault(_entry: Entry, event: Arrived, _now: datetime) -> bool:
    return bool(event.fault)


def _is_late(entry: Entry, _event: object, now: datetime) -> bool:
    return now > entry.expires_at


def _was_the_restart(entry: Entry, event: Restarted, _now: datetime) -> bool:
    """The new start is what was asked for: of the agent, or of the whole machine."""
    if entry.name != "restart" or event.boot <= entry.boot:
        return False
    what = entry.arguments.get("what", "agent")
    return what == "agent" or (what == "machine" and event.machine != entry.machine)


def _goes_on(entry: Entry, _event: object, _now: datetime) -> bool:
    """Half of a wipe is no end: every step of it can be done again, and is. An update has a record of its own that
    says where it goes on (agent/update/record.py)."""
    return entry.name in {"wipe", "update"}


def _in(*states: State) -> frozenset[State]:
    return frozenset(states)


S = State
RULES: tuple[Rule[Entry, object], ...] = (
    Rule(_in(S.NEW), Arrived, S.REJECTED, _reject, _has_fault, "it cannot be done"),
    Rule(_in(S.NEW), Arrived, S.EXPIRED, _plain, _is_late, "too late"),
    Rule(_in(S.NEW), Arrived, S.ACCEPTED, _plain),
    Rule(_in(S.NEW, S.ACCEPTED), CancelAsked, S.CANCELED, _plain),
    Rule(_in(S.ACCEPTED), Passed, S.EXPIRED, _plain, _is_late, "too late"),
    Rule(_in(S.ACCEPTED), Waits, None, _wait),
    Rule(_in(S.ACCEPTED), Begun, S.RUNNING, _begin),
    Rule(_in(S.RUNNING), Progress, None, _wait),
    Rule(_in(S.RUNNING), Ended, S.SUCCEEDED, _end, when="its own word"),
    Rule(_in(S.RUNNING), TimeUp, S.TIMED_OUT, _time_up),
    Rule(_in(S.RUNNING), Restarted, S.SUCCEEDED, _plain, _was_the_restart, "it was the restart"),
    Rule(
        _in(S.RUNNING),
        Restarted,
        None,
        lambda entry, _event, _now: (entry, ()),
        _goes_on,
        "a wipe, an update",
    ),
    Rule(_in(S.RUNNING), Restarted, S.FAILED, _interrupt),
)
