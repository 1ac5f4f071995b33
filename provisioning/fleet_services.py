"""What IT's pages may do (web.clinic.fleet.services.FleetServices): whether this account may, and then to whom it
is handed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal

from sqlalchemy import select

from provisioning import audit_views
from provisioning.commands import Commands
from provisioning.configurations import Configurations
from provisioning.database import Database
from provisioning.enrolments import Enrolments, count_at_the_door
from provisioning.fleet_views import fleet_rooms, listed, unit_lines
from provisioning.people_models import AccountRow
from provisioning.rollouts import Rollouts
from provisioning.rooms import Rooms
from provisioning.unit_page import unit_page
from web.clinic.fleet.services import (
    AuditLine,
    BootstrapLine,
    CommandLine,
    EnrolmentLine,
    FleetRoom,
    GroupLine,
    RolloutLine,
    RolloutRequest,
    UnitLine,
    UnitList,
    UnitPage,
    UnitQuery,
)
from web.clinic.services import Account, NotAllowed


class FleetServices:
    """Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        enrolments: Enrolments,
        commands: Commands,
    ) -> None:
        self._database = database
        self._clock = clock
        self._enrolments = enrolments
        self._commands = commands
        self._rooms = Rooms(database, clock)
        self._configurations = Configurations(database, clock)
        self._rollouts = Rollouts(database, clock)
        self._reading = Lock()
        self._last_lines: tuple[Sequence[UnitLine], int] = (), 0
        self._read_at = datetime.min.replace(tzinfo=UTC)

    def units(self, account: Account, query: UnitQuery) -> UnitList:
        """One page of the list."""
        _only_it(account)
        lines, at_the_door = self._lines(query.max_age_s)
        return replace(listed(lines, query), at_the_door=at_the_door)

    def _lines(self, max_age_s: float) -> tuple[Sequence[UnitLine], int]:
        with self._reading if max_age_s else nullcontext():
            now = self._clock()
            if max_age_s and now - self._read_at < timedelta(seconds=max_age_s):
                return self._last_lines
            with self._database.read() as db:
                lines = unit_lines(db, now), count_at_the_door(db, now)
            self._last_lines, self._read_at = lines, now
            return lines

    def unit(self, account: Account, unit: str) -> UnitPage:
        """All that is known of one unit; raises Refused."""
        _only_it(account)
        names, commands = self._names(), self.commands(account, unit)
        with self._database.read() as db:
            return unit_page(db, unit, self._clock(), names=names, commands=commands)

    def rooms(self, account: Account) -> Sequence[FleetRoom]:
        """Every clinic's."""
        _only_it(account)
        with self._database.read() as db:
            return fleet_rooms(db)

    def assign(self, account: Account, room_id: str, unit: str | None, *, even_now: bool = False) -> None:
        """Put a unit into a room, in place of the one there. Raises Refused, with the field `session` where one is
        on there, unless even_now."""
        _only_it(account)
        self._rooms.assign(room_id, unit, by=account.id, even_now=even_now)

    def enrolments(self, account: Account, *, all_states: bool = False) -> Sequence[EnrolmentLine]:
        """Who is at the door."""
        _only_it(account)
        names = self._names()
        return [
            replace(line, decided_by=line.decided_by and names.get(line.decided_by, line.decided_by))
            for line in self._enrolments.lines(all_states=all_states)
        ]

    def approve(
        self, account: Account, enrolment: int, unit: str, room_id: str | None, *, confirmed: bool = False
    ) -> None:
        """Let one in, also under a name that another box has had, if that is confirmed."""
        _only_it(account)
        self._enrolments.approve(enrolment, unit, room_id, account.id, confirmed=confirmed)

    def reject(self, account: Account, enrolment: int, reason: str) -> None:
        """Turn one away."""
        _only_it(account)
        self._enrolments.reject(enrolment, reason, account.id)

    def bootstraps(self, account: Account) -> Sequence[BootstrapLine]:
        """Those that are armed or blocked."""
        _only_it(account)
        return [line for line in self._enrolments.bootstraps() if line.state != "used"]

    def arm(self, account: Account, serial: str) -> None:
        """Let a serial number ask once more."""
        _only_it(account)
        self._enrolments.arm(serial, account.id)

    def block(self, account: Account, serial: str) -> None:
        """Let it ask no more."""
        _only_it(account)
        self._enrolments.block(serial, account.id)

    def revoke(self, account: Account, unit: str, reason: str) -> None:
        """The broker lets it in no more."""
        _only_it(account)
        self._enrolments.revoke(unit, reason, account.id)

    def unrevoke(self, account: Account, unit: str) -> None:
        """And lets it in again."""
        _only_it(account)
        self._enrolments.unrevoke(unit, account.id)

    def set_config(self, account: Account, unit: str, values: Mapping[str, Any]) -> None:
        """Set fields of the unit's own configuration; None gives a field back to groups and room."""
        _only_it(account)
        self._configurations.set_unit(unit, values, account.id)

    def groups(self, account: Account) -> Sequence[GroupLine]:
        """All of them."""
        _only_it(account)
        return self._configurations.groups()

    def make_group(self, account: Account, name: str, about: str, rank: int) -> None:
        """Make one, or change what is said of it."""
        _only_it(account)
        self._configurations.make_group(name, about, rank, account.id)

    def drop_group(self, account: Account, name: str) -> None:
        """Its members lose what it set."""
        _only_it(account)
        self._configurations.drop_group(name, account.id)

    def set_members(self, account: Account, group: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Put units in and take units out."""
        _only_it(account)
        self._configurations.set_members(group, add, remove, account.id)

    def set_group_config(self, account: Account, group: str, values: Mapping[str, Any]) -> None:
        """Set what its units get."""
        _only_it(account)
        self._configurations.set_group(group, values, account.id)

    def command(
        self, account: Account, unit: str, name: str, arguments: Mapping[str, str], expires_in_s: int = 900
    ) -> str:
        """Send a command; returns its id."""
        _only_it(account)
        expires_in = timedelta(seconds=expires_in_s)
        return self._commands.send(unit, name, arguments, by=account.id, expires_in=expires_in)

    def cancel(self, account: Account, command: str) -> None:
        """Take back what has not begun."""
        _only_it(account)
        self._commands.cancel(command, account.id)

    def commands(self, account: Account, unit: str | None = None) -> Sequence[CommandLine]:
        """What was sent, the newest first."""
        _only_it(account)
        names = self._names()
        return [replace(row, by=names.get(row.by, row.by)) for row in self._commands.lines(unit)]

    def rollouts(self, account: Account) -> Sequence[RolloutLine]:
        """The newest first."""
        _only_it(account)
        return self._rollouts.lines(self._names())

    def rollout(self, account: Account, rollout: int) -> RolloutLine:
        """One with its units."""
        _only_it(account)
        return self._rollouts.line(rollout, self._names())

    def roll_out(self, account: Account, request: RolloutRequest) -> int:
        """Begin one; returns its number."""
        _only_it(account)
        return self._rollouts.start(request, account.id)

    def steer(self, account: Account, rollout: int, order: Literal["pause", "resume", "abort"]) -> None:
        """Pause one, let it go on, or end it."""
        _only_it(account)
        self._rollouts.steer(rollout, order, account.id)

    def audit(
        self, account: Account, *, target: str | None = None, by: str | None = None, limit: int = 200
    ) -> Sequence[AuditLine]:
        """Who did what, newest first."""
        _only_it(account)
        names = self._names()
        with self._database.read() as db:
            return audit_views.lines(db, names, target=target, by=by, limit=limit)

    def _names(self) -> dict[str, str]:
        with self._database.read() as db:
            return {row.id: row.name for row in db.scalars(select(AccountRow))}


def _only_it(account: Account) -> None:
    if account.role != "it":
        raise NotAllowed("the fleet is for IT")
