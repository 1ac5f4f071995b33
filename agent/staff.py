"""Staff at the screen: who has unlocked it, what was asked of the region for them, and the place in a queue.

Values and pure functions; agent/touches_staff.py and agent/reception.py move them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from pydantic import TypeAdapter

from agent.checkin import TryLock
from agent.config import Configuration
from agent.contract.events import Intent
from agent.screen import Refusal

STAFF_UNLOCKED = timedelta(seconds=120)
"""Each touch by staff begins it anew."""

WAITS_AT_MOST = timedelta(hours=3)
"""As long as the region keeps a place. A room that was off since opens no camera for whoever is in it now."""

Answer = Refusal | Literal["", "done", "asked"]


@dataclass(frozen=True, slots=True)
class Place:
    """The room waits in a queue; `place` is None until the region has said. `by`: who of staff asked."""

    queue: str
    since: datetime
    place: int | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class HandingOver:
    """A session that the region has been asked to move to another room."""

    sid: str
    room: str
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """What the screen knows of staff. `opened_with` is the digest of the PIN that opened it."""

    until: datetime | None = None
    member: str | None = None
    opened_with: str = field(default="", repr=False)
    asked: tuple[str, Intent] | None = None
    """What the region was asked last by whoever is here: `answer` is of that, and of nothing asked before."""
    answer: Answer = ""
    offer_minutes: int | None = None
    """What the region can give where it could not give what was asked for."""
    place: Place | None = None
    handing: HandingOver | None = None
    overrun_known: str | None = None
    """The session that waits for the room, once the region has said that staff know."""


def pin_digest(configuration: Configuration, member: str | None) -> str | None:
    """The digest of the PIN that opens the screen for a member; with no members, that of the room's PIN."""
    if not configuration.staff:
        return configuration.staff_pin_digest
    return next((each.pin_digest for each in configuration.staff if each.id == member), None)


def is_open(desk: Desk, configuration: Configuration, now: datetime) -> bool:
    """Whether the screen is unlocked: one who was removed, or has another PIN since, is out at once."""
    # A clock that was put right may be far behind `until`: nobody is to stay unlocked by that.
    in_time = desk.until is not None and now < desk.until <= now + 2 * STAFF_UNLOCKED
    return in_time and desk.opened_with == pin_digest(configuration, desk.member)


def opened(desk: Desk, configuration: Configuration, member: str | None, now: datetime) -> Desk:
    """Unlocked by that member."""
    digest = pin_digest(configuration, member) or ""
    who = member if configuration.staff else None
    return replace(unasked(desk), until=now + STAFF_UNLOCKED, member=who, opened_with=digest)


def shut(desk: Desk) -> Desk:
    """Locked; what the room waits for goes on."""
    return replace(unasked(desk), until=None, member=None, opened_with="")


def unasked(desk: Desk) -> Desk:
    """No answer is shown; one that is still to come is not, either."""
    return replace(desk, asked=None, answer="", offer_minutes=None)


@dataclass(frozen=True, slots=True)
class PinTries:
    """Wrong PINs: one pause for the room, and whose tries they were.

    A right PIN forgives only the tries under the same name, so that nobody gets more tries at a colleague's
    by unlocking with their own in between.
    """

    lock: TryLock = field(default_factory=TryLock)
    wrong_by: dict[str, int] = field(default_factory=dict)

    def after_wrong(self, member: str, now: datetime) -> PinTries:
        """One more wrong PIN under that name."""
        lock = self.lock.after_wrong(now)
        if lock.is_locked(now):
            return PinTries(lock)
        before = {} if self.lock.until is not None else self.wrong_by
        return PinTries(lock, {**before, member: before.get(member, 0) + 1})

    def after_right(self, member: str) -> PinTries:
        """The right one."""
        left = {name: wrong for name, wrong in self.wrong_by.items() if name != member}
        return PinTries(TryLock(sum(left.values())), left)


def still_waits(place: Place, now: datetime) -> bool:
    """Whether somebody may still sit there for whom the room waits in the queue."""
    return abs(now - place.since) < WAITS_AT_MOST


@dataclass(slots=True)
class Locks:
    """Pauses after wrong tries; they survive a restart."""

    code: TryLock = field(default_factory=TryLock)
    pins: PinTries = field(default_factory=PinTries)


LOCKS: TypeAdapter[Locks] = TypeAdapter(Locks)
PLACE: TypeAdapter[Place | None] = TypeAdapter(Place | None)
"""How they are kept."""
