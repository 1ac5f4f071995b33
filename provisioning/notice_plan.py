"""When whom is told of what, judged without a database: pure.

- A room is told of when it is booked (provisioning.readiness) and cannot be used, or when it only warns and its
  next visit begins within WARNED_BEFORE: the test before a session has found it.
- Nothing is told that has not lasted DEBOUNCE, and nothing that is over before it was sent.
- Between "not ready" and "ready again" each instruction is told once, and one at a time: that which is to be done
  first. One that shows when the first is mended is told then.
- "Ready again" goes to those who were told, once, when the room has been well for DEBOUNCE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.contract.instructions import NO_UNIT
from provisioning.readiness import Lack, NotReady
from provisioning.views import LIVE

DEBOUNCE = timedelta(seconds=60)
WARNED_BEFORE = timedelta(minutes=30)
GIVE_UP_AFTER = timedelta(hours=2)
"""A notice that could not be sent in that time is shown as failed."""
FIRST_AGAIN, LAST_AGAIN = timedelta(seconds=15), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Open:
    """A notice of a fault in a room that has not been said to be well since."""

    id: int
    room_id: str
    unit_id: str
    instruction: str
    state: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A room that was told of, as it is now."""

    lacks: Sequence[Lack]
    has_test: bool
    """Its unit is there, and its words have a self-test behind them."""
    well_since: datetime | None
    """When the unit's last fault was over, or the unit was put there; None: neither was."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be done: rooms to be told of, with the lack; notices nobody needs now; rooms that are well."""

    tell: tuple[tuple[NotReady, Lack], ...]
    drop: tuple[int, ...]
    well: tuple[str, ...]


def decide(
    lines: Iterable[NotReady], standings: Mapping[str, Standing], opened: Collection[Open], now: datetime
) -> Decided:
    """lines: rooms that are booked and not ready; standings: by room, of each that `opened` names."""
    by_room: dict[str, list[Open]] = {}
    for each in opened:
        by_room.setdefault(each.room_id, []).append(each)
    lines = list(lines)
    well = tuple(room for room, told in by_room.items() if is_well(standings[room], told, now))
    wanted = {line.room_id: {lack.instruction for lack in line.lacks} for line in lines}
    return Decided(
        tell=tuple(
            (line, lack)
            for line in lines
            if (lack := to_tell(line, by_room.get(line.room_id, ()), now)) is not None
        ),
        drop=tuple(
            each.id
            for each in opened
            if each.state == "waiting" and each.instruction not in wanted.get(each.room_id, ())
        ),
        well=well,
    )


def to_tell(line: NotReady, opened: Iterable[Open], now: datetime) -> Lack | None:
    """The one thing about a room that its clinic is to hear now and has not."""
    lack = line.lacks[0]
    if lack.fault_id is None and lack.instruction != NO_UNIT:
        return None  # it is told from the row in which it is kept; a room without a unit has none
    if lack.since is not None and now - lack.since < DEBOUNCE:
        return None
    is_held = line.next.state in LIVE
    if lack.level == "warn" and (is_held or line.next.start - now > WARNED_BEFORE):
        return None
    known = {each.instruction for each in opened if each.state != "dropped"}
    return None if lack.instruction in known else lack


def is_well(standing: Standing, told: Iterable[Open], now: datetime) -> bool:
    """Whether those who were told of a room can hear that it is well."""
    if not standing.has_test or standing.well_since is None or now - standing.well_since < DEBOUNCE:
        return False
    known = {each.instruction for each in told}
    return not any(lack.level == "fail" or lack.instruction in known for lack in standing.lacks)


def again_after(tries: int) -> timedelta:
    """How long after the so-manieth try the next one may come: 15 s, twice that, at most a quarter of an hour."""
    return min(FIRST_AGAIN * (1 << min(tries - 1, 10)), LAST_AGAIN)
