"""How a unit without a certificate gets one, as one table. Pure.

It knocks at the bootstrap listener under its serial number, asks until it is answered, keeps what it is given as
new, connects with that, and is in when the region has answered it under its new name. Times are of a clock that
never jumps; a unit at this stage may not know what day it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from agent.contract.enrolment import EnrolReply
from agent.table import Rule, follow

ASK_EVERY = timedelta(seconds=30)
SILENT_AFTER = timedelta(seconds=15)
"""The region answers at once; a broker that lets in what is not armed gives no sign of it."""
PROOF_WITHIN = timedelta(seconds=60)
PROVE_AGAIN_MOST = timedelta(minutes=10)
TRY_NEW_AFTER = timedelta(minutes=2)
"""Nothing comes from the bootstrap, and an identity is not proven: its proof may have come through unheard."""


class State(StrEnum):
    """Where the unit stands on its way in."""

    UNPREPARED = "unprepared"
    CONNECTING = "connecting"
    ASKING = "asking"
    SILENT = "silent"
    WAITING = "waiting"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNUSABLE = "unusable"
    UNPROVEN = "unproven"
    PROVING = "proving"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The way in so far."""

    state: State
    since: datetime
    has_new: bool = False
    """An identity is kept that has not proven itself."""
    problem: str = ""
    """Why there is no connection: `unreached`, `untrusted`, `refused`."""
    reason: str = ""
    """What the region gave as its reason, or what is wrong with its answer."""
    asked_at: datetime | None = None
    again_at: datetime | None = None
    failed_proofs: int = 0
    prove_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The bootstrap listener has let us in, and we have subscribed."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no connection, or it ended; `problem` says why if that is known."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """The region has answered this very request; it may be asked again after a pause."""

    reply: EnrolReply
    pause: timedelta = ASK_EVERY


@dataclass(frozen=True, slots=True)
class Stored:
    """What we were given is on disk as new."""


@dataclass(frozen=True, slots=True)
class NotStored:
    """It cannot be used, or the disk did not take it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The region has answered us under our new name."""


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """Somebody at the screen wants it tried again now."""


@dataclass(frozen=True, slots=True)
class Knock:
    """Connect to the bootstrap listener, and to nothing else."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Publish the request."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """Ask with another key from now on: this one was turned away, which may be why."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Bring the answer to disk as new."""

    reply: EnrolReply


@dataclass(frozen=True, slots=True)
class Prove:
    """Leave the bootstrap listener and connect under the new name."""


@dataclass(frozen=True, slots=True)
class Promote:
    """New is current from now on."""


Event = Tick | Connected | Gone | Replied | Stored | NotStored | Acknowledged | AskedAgain
Effect = Knock | Ask | NewKey | Keep | Prove | Promote
Result = tuple[Enrolment, tuple[Effect, ...]]


def begin(now: datetime, *, has_bootstrap: bool, has_new: bool) -> Result:
    """At the start, or after a power cut: what is kept as new is tried first."""
    if has_new:
        return Enrolment(State.PROVING, now, has_new=True), (Prove(),)
    if has_bootstrap:
        return Enrolment(State.CONNECTING, now), (Knock(),)
    return Enrolment(State.UNPREPARED, now), ()


def step(enrolment: Enrolment, event: Event, now: datetime) -> Result:
    """The way in after an event, and the effects in the order they are to be done."""
    moved, effects = follow(RULES, enrolment, event, now)
    return (moved if moved.state == enrolment.state else replace(moved, since=now)), effects


def _ask(enrolment: Enrolment, _event: object, now: datetime) -> Result:
    return replace(enrolment, asked_at=now, again_at=None, problem=""), (Ask(),)


def _ask_anew(enrolment: Enrolment, event: object, now: datetime) -> Result:
    enrolment, effects = _ask(enrolment, event, now)
    return enrolment, (NewKey(), *effects)


def _nothing(enrolment: Enrolment, _event: object, _now: datetime) -> Result:
    return enrolment, ()


def _gone(enrolment: Enrolment, event: Gone, _now: datetime) -> Result:
    return replace(enrolment, problem=event.problem or enrolment.problem), ()


def _answered(enrolment: Enrolment, event: Replied, now: datetime) -> Result:
    return replace(enrolment, reason=event.reply.reason, again_at=now + event.pause), ()


def _keep(enrolment: Enrolment, event: Replied, _now: datetime) -> Result:
    return enrolment, (Keep(event.reply),)


def _prove(enrolment: Enrolment, _event: object, _now: datetime) -> Result:
    return replace(enrolment, has_new=True, reason="", problem=""), (Prove(),)


def _unusable(enrolment: Enrolment, event: NotStored, _now: datetime) -> Result:
    return replace(enrolment, reason=event.reason), ()


def _proven(enrolment: Enrolment, _event: object, _now: datetime) -> Result:
    return enrolment, (Promote(),)


def _back(enrolment: Enrolment, event: Tick | NotStored, now: datetime) -> Result:
    pause = min(PROOF_WITHIN * 2**enrolment.failed_proofs, PROVE_AGAIN_MOST)
    reason = event.reason if isinstance(event, NotStored) else ""
    failed = enrolment.failed_proofs + 1
    moved = replace(enrolment, failed_proofs=failed, prove_again_at=now + pause, reason=reason, problem="")
    return moved, (Knock(),)


def _is_due(enrolment: Enrolment, _event: Tick, now: datetime) -> bool:
    return enrolment.asked_at is not None and now >= enrolment.asked_at + ASK_EVERY


def _may_ask_again(enrolment: Enrolment, _event: Tick, now: datetime) -> bool:
    return enrolment.again_at is not None and now >= enrolment.again_at


def _is_silent(enrolment: Enrolment, _event: Tick, now: datetime) -> bool:
    return now >= enrolment.since + SILENT_AFTER


def _is_silent_with_new(enrolment: Enrolment, _event: Tick, now: datetime) -> bool:
    return enrolment.has_new and now >= enrolment.since + TRY_NEW_AFTER


def _is_unproven(enrolment: Enrolment, _event: Tick, now: datetime) -> bool:
    return now >= enrolment.since + PROOF_WITHIN


def _says(state: str) -> Callable[[Enrolment, Replied, datetime], bool]:
    return lambda _enrolment, event, _now: event.reply.state == state


def _too_soon(enrolment: Enrolment, event: Replied, now: datetime) -> bool:
    waits = enrolment.prove_again_at is not None and now < enrolment.prove_again_at
    return event.reply.state == "approved" and waits


def _in(*states: State) -> frozenset[State]:
    return frozenset(states)


S = State
_AT_THE_DOOR = frozenset(S) - {S.UNPREPARED, S.PROVING, S.PROVEN}
_TURNED_AWAY = _in(S.REJECTED, S.EXPIRED)
_ASKS = _AT_THE_DOOR - _TURNED_AWAY - {S.CONNECTING}
RULES: tuple[Rule[Enrolment, Effect], ...] = (
    Rule(_AT_THE_DOOR, Gone, S.CONNECTING, _gone),
    Rule(_AT_THE_DOOR, Connected, S.ASKING, _ask),
    Rule(
        _in(S.SILENT, S.CONNECTING),
        Tick,
        S.PROVING,
        _prove,
        _is_silent_with_new,
        "2 min, and an identity is kept",
    ),
    Rule(_ASKS, Tick, None, _ask, _is_due, "30 s since it asked"),
    Rule(_in(S.ASKING), Tick, S.SILENT, _nothing, _is_silent, "no answer in 15 s"),
    Rule(_in(S.REJECTED), Tick, S.ASKING, _ask_anew, _may_ask_again, "may ask again"),
    Rule(_in(S.REJECTED), AskedAgain, S.ASKING, _ask_anew),
    Rule(_in(S.EXPIRED), Tick, S.ASKING, _ask, _may_ask_again, "may ask again"),
    Rule(_in(S.EXPIRED) | _ASKS, AskedAgain, S.ASKING, _ask),
    Rule(_AT_THE_DOOR, Replied, S.WAITING, _answered, _says("waiting"), "IT has not decided"),
    Rule(_AT_THE_DOOR, Replied, S.CONFLICT, _answered, _says("conflict"), "another key asks too"),
    Rule(_AT_THE_DOOR, Replied, S.REJECTED, _answered, _says("rejected"), "rejected"),
    Rule(_AT_THE_DOOR, Replied, S.EXPIRED, _answered, _says("expired"), "nobody decided in time"),
    Rule(_AT_THE_DOOR, Replied, S.UNPROVEN, _answered, _too_soon, "approved, the proof failed just now"),
    Rule(_AT_THE_DOOR, Replied, None, _keep, _says("approved"), "approved"),
    Rule(_AT_THE_DOOR, Stored, S.PROVING, _prove),
    Rule(_AT_THE_DOOR, NotStored, S.UNUSABLE, _unusable),
    Rule(_in(S.PROVING), Acknowledged, S.PROVEN, _proven),
    Rule(_in(S.PROVING), Tick, S.CONNECTING, _back, _is_unproven, "no answer in 60 s"),
    Rule(_in(S.PROVEN), NotStored, S.CONNECTING, _back, when="the disk did not take it"),
)
