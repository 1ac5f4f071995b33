"""Commands at the broker: published, followed, expired and cleared. On the region's worker thread.

A command stays retained until it is over, so that a unit that was away gets it; then both its topics are
emptied. What the unit says counts, also after the region has given up waiting for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, true, update

from agent.contract import Message, Topic, encode
from agent.contract.commands import FINAL, Command, CommandReport
from provisioning.commands import remember
from provisioning.database import Database
from provisioning.fleet_models import CommandRow, Revocation
from provisioning.schedules import Publish

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=1)
GRACE = timedelta(seconds=30)
"""A unit's report of what it did in the last moment may come a little later."""
NO_ANSWER = "the unit never answered"
NO_END = "the unit did not say how it ended"
NOT_BEGUN = "the unit could not begin it in time"
REVOKED = "the unit was revoked"
IS_OPEN = and_(CommandRow.cleared.is_(False), CommandRow.state.not_in(FINAL))
"""Few are, of all that ever were: `cleared` has an index."""
OURS = frozenset({NO_ANSWER, NO_END, NOT_BEGUN})
"""Reasons by which the region gave up; the unit's own word replaces them."""


class CommandWire:
    """Joined to the worker by its hooks: publish(unit), heard(unit, message), connected(), tick()."""

    def __init__(self, database: Database, publish: Publish, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._looked_at: datetime | None = None

    def publish(self, unit: str) -> None:
        """Send what the broker has not yet, of one unit."""
        self._publish_where(CommandRow.unit_id == unit)

    def connected(self) -> None:
        """The broker may have lost what it was to keep: send all again that is not over."""
        with self._database.write() as db:
            db.execute(update(CommandRow).where(CommandRow.cleared.is_(False)).values(published=False))
        self._work_off()

    def tick(self) -> None:
        """Once a second: what has waited too long is over, and what is over is cleared."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        self._give_up(now)
        self._work_off()

    def heard(self, unit: str, message: Message) -> None:
        """Keep what a unit says of a command; one that is over is cleared, also one that nobody knows here."""
        command_id, report = message.topic.levels[0], message.data
        assert isinstance(report, CommandReport)
        now = self._clock()
        with self._database.write() as db:
            row = db.get(CommandRow, command_id, with_for_update=True)
            if row is not None and row.unit_id == unit and _counts(row, report):
                row.state, row.reason, row.result = report.state, report.reason, dict(report.result)
                row.changed_at = now
                if report.state in FINAL:
                    row.cleared = False
                    remember(db, row, now)
                log.info("unit %s: command %s (%s) is %s", unit, command_id, row.name, row.state)
        if row is None or row.unit_id != unit:
            log.warning("unit %s speaks of a command that is not its own", unit)
        if report.state in FINAL:
            self._clear(unit, command_id)

    def _give_up(self, now: datetime) -> None:
        revoked = select(Revocation.unit_id)
        with self._database.write() as db:
            late = or_(CommandRow.expires_at < now - GRACE, CommandRow.unit_id.in_(revoked))
            waiting = select(CommandRow).where(IS_OPEN, late)
            gone = set(db.scalars(revoked))
            for row in db.scalars(waiting.with_for_update()):
                ended = _given_up(row, now, is_revoked=row.unit_id in gone)
                if ended is not None:
                    row.state, row.reason = ended
                    row.changed_at = now
                    remember(db, row, now)

    def _work_off(self) -> None:
        self._publish_where(true())
        with self._database.read() as db:
            over = and_(CommandRow.cleared.is_(False), CommandRow.state.in_(FINAL))
            rows = db.execute(select(CommandRow.unit_id, CommandRow.id).where(over).limit(500)).all()
        for unit, command_id in rows:
            self._clear(unit, command_id)

    def _publish_where(self, whose: ColumnElement[bool]) -> None:
        with self._database.read() as db:
            query = select(CommandRow).where(IS_OPEN, CommandRow.published.is_(False), whose)
            rows = db.scalars(query.order_by(CommandRow.made_at).limit(1000)).all()
        sent = [row for row in rows if self._send(row)]
        if sent:
            with self._database.write() as db:
                for row in sent:
                    # Cancelled in the meantime, it is to go out once more.
                    same = (CommandRow.id == row.id) & (CommandRow.cancel.is_(row.cancel))
                    db.execute(update(CommandRow).where(same).values(published=True))

    def _send(self, row: CommandRow) -> bool:
        command = Command(
            name=row.name,
            arguments=row.arguments,
            timeout_s=row.timeout_s,
            cancel=row.cancel,
            issued_at=row.made_at,
        )
        payload = encode(command, now=self._clock(), expires_at=row.expires_at)
        return self._publish(Topic(row.unit_id, "dn/cmd", (row.id,)), payload)

    def _clear(self, unit: str, command_id: str) -> None:
        topics = (Topic(unit, "dn/cmd", (command_id,)), Topic(unit, "up/cmd", (command_id,)))
        if all(self._publish(topic, b"") for topic in topics):
            with self._database.write() as db:
                mine = (CommandRow.id == command_id) & (CommandRow.unit_id == unit)
                db.execute(update(CommandRow).where(mine).values(cleared=True, published=True))


def _counts(row: CommandRow, report: CommandReport) -> bool:
    """Whether a report tells something new: what is over stays over, unless only we had given up."""
    if row.state in FINAL:
        return report.state in FINAL and row.reason in OURS
    same = (row.state, row.reason, row.result) == (report.state, report.reason, report.result)
    goes_back = row.state == "running" and report.state == "accepted"
    return not same and not goes_back


def _given_up(row: CommandRow, now: datetime, *, is_revoked: bool) -> tuple[str, str] | None:
    if is_revoked:
        return "canceled", REVOKED
    if row.state == "running":
        last = row.expires_at + timedelta(seconds=row.timeout_s) + GRACE
        return ("timed_out", NO_END) if now > last else None
    if row.cancel:
        return "canceled", NO_ANSWER
    return "expired", (NO_ANSWER if row.state == "sent" else NOT_BEGUN)
