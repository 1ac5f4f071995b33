"""Commands to units, as pages and the command line send and follow them: the database's side.

The worker publishes them and takes what the units answer: provisioning/command_wire.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.contract.command_check import what_is_wrong
from agent.contract.commands import FINAL, KNOWN
from provisioning import audit
from provisioning.database import Database
from provisioning.fleet_models import CommandRow, Revocation, UnitHistory
from provisioning.models import OutboxRow, Unit
from web.clinic.fleet.services import CommandLine
from web.clinic.services import Refused

WHAT = "command"
"""In the outbox."""
SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=30)
"""How long a command may wait for its unit: units reject what expires later."""
TIMEOUT_S = range(5, 86_401)
WAITING_AT_MOST = 15
"""Of one unit's; fewer than what a unit lets wait (agent/commands)."""
UNTOLD = frozenset({"text", "url"})
"""Arguments that no log keeps: what stands on a screen for a day, and a place that whoever knows it may use."""

MakeUrl = Callable[[str, str], str]
"""unit, command id; where the unit puts its diagnostics bundle."""


class Commands:
    """Every method may be called on any thread; each is one transaction."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], make_url: MakeUrl | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._make_url = make_url

    def send(
        self,
        unit: str,
        name: str,
        arguments: Mapping[str, str] | None = None,
        *,
        by: str,
        expires_in: timedelta = timedelta(minutes=15),
        timeout_s: int = 120,
        rollout_id: int | None = None,
    ) -> str:
        """Let the worker send a command; returns its id. Raises Refused, in words."""
        command_id, given = new_id(), dict(arguments or {})
        if name == "collect-diagnostics" and "url" not in given and self._make_url is not None:
            self._refuse_unknown(unit)
            given["url"] = self._make_url(unit, command_id)
        with self._database.write() as db:
            return send_in(
                db,
                self._clock(),
                unit,
                name,
                given,
                by=by,
                expires_in=expires_in,
                timeout_s=timeout_s,
                rollout_id=rollout_id,
                command_id=command_id,
            )

    def cancel(self, command_id: str, by: str) -> None:
        """Take back what has not begun: the unit says whether it still could. Raises Refused."""
        now = self._clock()
        with self._database.write() as db:
            row = db.get(CommandRow, command_id, with_for_update=True)
            if row is None:
                raise Refused("command", "is not known")
            if row.state in FINAL:
                raise Refused("command", f"is over already: {row.state}")
            if row.cancel:
                return
            row.cancel, row.published, row.changed_at = True, False, now
            db.add(OutboxRow(unit_id=row.unit_id, what=WHAT))
            fields = {"id": command_id, "name": row.name}
            audit.note(db, now, by=by, action="command_cancel", target=row.unit_id, fields=fields)

    def line(self, command_id: str) -> CommandLine:
        """One command. Raises Refused."""
        with self._database.read() as db:
            row = db.get(CommandRow, command_id)
        if row is None:
            raise Refused("command", "is not known")
        return _line(row)

    def lines(self, unit: str | None = None, *, limit: int = 200) -> list[CommandLine]:
        """The newest first, of one unit or of all."""
        query = select(CommandRow).order_by(CommandRow.made_at.desc(), CommandRow.id).limit(limit)
        if unit is not None:
            query = query.where(CommandRow.unit_id == unit)
        with self._database.read() as db:
            return [_line(row) for row in db.scalars(query)]

    def _refuse_unknown(self, unit: str) -> None:
        with self._database.read() as db:
            _check_unit(db, unit)


def put(db: Session, row: CommandRow) -> None:
    """Send a command that was checked, in the caller's transaction; raises Refused for a unit that gets none."""
    _check_unit(db, row.unit_id)
    db.add(row)
    db.add(OutboxRow(unit_id=row.unit_id, what=WHAT))
    remember(db, row, row.made_at)
    if row.rollout_id is not None:
        return  # who began it is in the audit log already, once for all its units
    told = {key: value for key, value in row.arguments.items() if key not in UNTOLD}
    fields = {"id": row.id, "name": row.name, **told}
    audit.note(db, row.made_at, by=row.by, action="command_send", target=row.unit_id, fields=fields)


def new_id() -> str:
    """A command's id, which nobody can guess."""
    return f"c{secrets.token_hex(8)}"


def send_in(
    db: Session,
    now: datetime,
    unit: str,
    name: str,
    arguments: Mapping[str, str],
    *,
    by: str,
    expires_in: timedelta,
    timeout_s: int = 120,
    rollout_id: int | None = None,
    command_id: str | None = None,
) -> str:
    """Send a command within the caller's transaction; returns its id. Raises Refused."""
    check(name, arguments, expires_in, timeout_s)
    row = CommandRow(
        id=command_id or new_id(),
        unit_id=unit,
        name=name,
        arguments=dict(arguments),
        timeout_s=timeout_s,
        by=by[:64],
        rollout_id=rollout_id,
        state="sent",
        reason="",
        made_at=now,
        expires_at=now + expires_in,
        changed_at=now,
    )
    put(db, row)
    return row.id


def remember(db: Session, row: CommandRow, now: datetime) -> None:
    """Write a command's state into its unit's history."""
    fields: dict[str, Any] = {"id": row.id, "name": row.name, "state": row.state, "by": row.by}
    if row.reason:
        fields["reason"] = row.reason
    db.add(UnitHistory(unit_id=row.unit_id, at=now, kind="command", fields=fields))


def check(name: str, arguments: Mapping[str, str], expires_in: timedelta, timeout_s: int) -> None:
    """Raise Refused for what no unit would do."""
    if name not in KNOWN:
        raise Refused("name", f"is one of {', '.join(KNOWN)}")
    fault = what_is_wrong(name, arguments)
    if fault:
        raise Refused(*fault.split(": ", 1))
    if not SHORTEST <= expires_in <= LONGEST:
        raise Refused("expires", "is from 10 seconds to 30 days from now")
    if timeout_s not in TIMEOUT_S:
        raise Refused("timeout", "is from 5 to 86400 seconds")


def _check_unit(db: Session, unit: str) -> None:
    if db.get(Unit, unit) is None:
        raise Refused("unit", "is not known")
    if db.get(Revocation, unit) is not None:
        raise Refused("unit", "is revoked and gets no commands")
    query = select(func.count()).where(CommandRow.unit_id == unit, CommandRow.state.not_in(FINAL))
    if (db.scalar(query) or 0) >= WAITING_AT_MOST:
        raise Refused("unit", f"has {WAITING_AT_MOST} commands waiting; cancel some, or wait")


def _line(row: CommandRow) -> CommandLine:
    return CommandLine(
        id=row.id,
        unit=row.unit_id,
        name=row.name,
        arguments=row.arguments,
        state=row.state,
        reason=row.reason,
        result=row.result,
        by=row.by,
        made_at=row.made_at.astimezone(UTC),
        expires_at=row.expires_at.astimezone(UTC),
        changed_at=row.changed_at.astimezone(UTC),
        timeout_s=row.timeout_s,
        cancel=row.cancel,
        rollout_id=row.rollout_id,
    )
