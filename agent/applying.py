"""The region's configuration on a running unit: kept, put in force, tried, rolled back and told of.

What happens to a revision is decided in agent/configuring.py; what takes a value into use is a `Part`
(agent/config_parts.py). Every step is on disk before it is done, but for rolling back, which is done first.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from agent.config import Configuration, keep_complete, overlay
from agent.config_kept import NO_DISK, save
from agent.configuring import (
    TO_THE_REGION,
    TRIED,
    Check,
    Heard,
    Ledger,
    begin,
    hear,
    postpone,
    prove,
    report,
    roll_back,
)
from agent.contract import Message
from agent.contract.unit_config import Config, ConfigReport
from agent.fault_points import Reached, from_environment
from agent.faults import kind_and_place
from agent.room import IN_USE
from agent.room import State as RoomState
from agent.unit import Unit

log = logging.getLogger(__name__)

SETTLE_S = 1.0
"""Between a change and the first look whether the unit is well: a link takes a moment to be seen as gone."""

Say = Callable[[ConfigReport, int | None], object]


class Part(Protocol):
    """Takes some fields of the configuration into use. Used on the event loop."""

    fields: frozenset[str]

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """Use these values from now on; told again what it uses already, it changes nothing.

        OSError and ValueError end a trial at once.
        """

    def fault(self) -> str:
        """Why the unit is not well with it, in words; empty when it is."""


class Applying:
    """Joins ledger, store, unit and parts. Used on the event loop.

    say(report, rev) tells the region; is_reached() whether the broker is connected and the region has answered
    since the moment given; nudge() makes the region answer; keep_way(values) keeps what a unit without its store
    needs to be reached (agent/way_kept.py); each_second() is a part's own that goes on also when no trial does.
    """

    def __init__(
        self,
        unit: Unit,
        ledger: Ledger,
        first: Configuration,
        parts: Sequence[Part],
        *,
        check: Check,
        say: Say,
        is_reached: Callable[[float], bool],
        nudge: Callable[[], None],
        trial_s: float,
        keep_way: Callable[[Config], None] = lambda _values: None,
        each_second: Callable[[], None] = lambda: None,
        reached: Reached | None = None,
    ) -> None:
        self._reached = reached or from_environment()
        self._unit, self._first, self._parts = unit, first, tuple(parts)
        self._ledger = ledger
        self._check, self._say = check, say
        self._is_reached, self._nudge = is_reached, nudge
        self._trial_s = trial_s
        self._keep_way = keep_way
        self._each_second = each_second
        self._began_at = 0.0
        self._unkept: Heard | None = None
        self._unsaved = False
        self._undone: set[str] = set()
        self._left_out: tuple[str, ...] = ()

    @property
    def ledger(self) -> Ledger:
        """What is known of the region's configuration."""
        return self._ledger

    @property
    def is_on_trial(self) -> bool:
        """Whether the unit is showing itself well with something new."""
        return self._ledger.state == "trial"

    def start(self) -> None:
        """Bring every part to what is in force, whatever the last run left."""
        for part in self._parts:
            self._apply(part, on_trial=False)
        self._keep_way(self._ledger.values)
        self._show()

    def config(self, message: Message, _payload: bytes) -> None:
        """A configuration has come."""
        rev = message.rev if message.rev is not None else 0
        self._hear(Heard(config=message.data, rev=rev))

    def connection(self, up: bool) -> None:
        """The broker has come or gone: a broker that was killed may have lost our word."""
        if up:
            self.tell()

    def tell(self) -> None:
        """Say what is in force, and what became of a newer one."""
        told = report(self._ledger, self._left_out)
        if told is not None:
            self._say(*told)

    def tick(self) -> None:
        """Once a second."""
        self._each_second()
        if self._unsaved:
            self._unsaved = not self._saved(self._ledger)
        for part in [part for part in self._parts if part.fields & self._undone]:
            self._apply(part, on_trial=False)
        if self._unkept is not None:
            heard, self._unkept = self._unkept, None
            self._hear(heard)
        if self.is_on_trial:
            self._judge()
        elif self._may_begin():
            self._begin()

    def _hear(self, heard: Heard) -> None:
        moved = hear(self._ledger, heard, self._check)
        if moved == self._ledger:
            return
        if not self._saved(moved):
            if self._unkept is None:
                self._say(ConfigReport(applied=False, errors=(NO_DISK,), wanted_rev=heard.rev), self._rev())
            self._unkept = heard
            return
        self._reached("config-heard", str(heard.rev))
        self._move(moved)
        if not (self._may_begin() and self._begin()):
            self.tell()

    def _begin(self) -> bool:
        """Take what waits, and tell; False if it could not be kept: the next tick tries again."""
        begun = begin(self._ledger)
        if not self._saved(begun):
            return False
        self._reached("config-begun", str(begun.wanted[1]))
        self._began_at = self._unit.clock.monotonic_s()
        faults = self._move(begun)
        self._reached("config-in-use", str(begun.wanted[1]))
        if faults and self.is_on_trial:
            self._undo(roll_back(begun, faults[0], self._check))
            return True
        self.tell()
        if self.is_on_trial:
            log.info("configuration %d is on trial: %s", begun.wanted[1], ", ".join(begun.tried))
            self._nudge()
        return True

    def _judge(self) -> None:
        """Is the unit well with what is on trial?"""
        elapsed_s = self._unit.clock.monotonic_s() - self._began_at
        faults = self._faults()
        if not faults and elapsed_s >= SETTLE_S:
            proven = prove(self._ledger, self._check)
            if self._saved(proven):
                log.info("configuration %d is in force", proven.rev)
                self._reached("config-proven", str(proven.rev))
                self._move(proven, also=self._ledger.tried)
                self.tell()
        elif self._unit.room.state in IN_USE:
            self._undo(postpone(self._ledger))
        elif elapsed_s >= self._trial_s:
            self._undo(roll_back(self._ledger, f"{faults[0]} within {self._trial_s:g} s", self._check))
        else:
            self._nudge()

    def _faults(self) -> list[str]:
        found = [part.fault() for part in self._parts if part.fields & set(self._ledger.tried)]
        if not self._is_reached(self._began_at):
            found.append("the region did not answer")
        return [fault for fault in found if fault]

    def _undo(self, back: Ledger) -> None:
        """First undone, then kept: killed in between, the unit finds a trial on disk and undoes it again."""
        log.warning(
            "configuration %d is %s: %s", self._ledger.wanted[1], back.state, "; ".join(back.errors[-1:])
        )
        self._move(back, also=self._ledger.tried)
        self._reached("config-undone", str(back.wanted[1]))
        self._unsaved = not self._saved(back)
        self.tell()

    def _move(self, moved: Ledger, also: Sequence[str] = ()) -> list[str]:
        """Have the parts use what is in force now; returns what they could not."""
        changed = moved.differs_from(self._ledger) | set(also)
        self._ledger = moved
        self._show()
        wanted = [part for part in self._parts if part.fields & changed]
        return [fault for part in wanted if (fault := self._apply(part, on_trial=self.is_on_trial))]

    def _apply(self, part: Part, *, on_trial: bool) -> str:
        try:
            part.apply(self._ledger.values, on_trial=on_trial)
        except (OSError, ValueError) as error:
            names = ", ".join(sorted(part.fields))
            log.error("configuration not in use: %s: %s", names, kind_and_place(error))  # noqa: TRY400
            if not on_trial and isinstance(error, OSError):
                self._undone |= part.fields  # the disk may be emptied; what the board cannot have stays so
            return f"{sorted(part.fields)[0]}: {error}"
        self._undone -= part.fields
        return ""

    def _show(self) -> None:
        """What needs no part of its own is in force by being the unit's configuration."""
        configuration = overlay(self._first, self._ledger.values, self._ledger.rev)
        self._unit.configuration, self._left_out = keep_complete(configuration, self._unit.complete_languages)
        self._unit.changed()

    def _may_begin(self) -> bool:
        """Something waits, the room is free, and the region is there to prove it by.

        Where the way to the region is what changes, it may be gone just because of that.
        """
        if self._ledger.state != "deferred" or not self._is_free():
            return False
        tried = TRIED.intersection(self._ledger.waits)
        return not tried or bool(tried & TO_THE_REGION) or self._is_reached(float("-inf"))

    def _is_free(self) -> bool:
        """Nobody is there, no test runs, and nobody is expected before a trial would be over."""
        if self._unit.room.state not in {RoomState.IDLE, RoomState.OUT_OF_ORDER}:
            return False
        start = self._unit.next_start()
        return start is None or start - self._unit.clock.now() > timedelta(seconds=self._trial_s)

    def _rev(self) -> int | None:
        return self._ledger.rev if self._ledger.rev >= 0 else None

    def _saved(self, ledger: Ledger) -> bool:
        try:
            save(self._unit.store, ledger)
        except sqlite3.Error as error:
            log.error("configuration not kept: %s", type(error).__name__)  # noqa: TRY400
            return False
        if ledger.state != "trial":
            self._keep_way(ledger.values)
        return True
