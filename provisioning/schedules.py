"""Each unit's whole schedule, retained at the broker, with a revision that grows on every change."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic_core import to_json
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agent.contract import Topic, encode
from agent.contract.schedule import CheckIn, Features, Party, Schedule, ScheduledSession, ScheduleReport
from agent.contract.unit_config import Config
from provisioning.booking import salt_of_day
from provisioning.database import Database
from provisioning.models import BookedSession, OutboxRow, Room, Unit, UnitReport

log = logging.getLogger(__name__)

DAYS = 7
DAY_BEGINS = timedelta(hours=3)
"""The window moves at three in the morning, so that no session about midnight drops out while it is held."""
REPEAT_AFTER = timedelta(seconds=5)
"""A unit that reports another revision is sent ours again, but not for every report."""

Publish = Callable[[Topic, bytes], bool]


@dataclass(frozen=True, slots=True)
class Window:
    """The days that a snapshot covers."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, zone: ZoneInfo) -> Window:
        """From today's midnight to seven days from now at least."""
        today = (now.astimezone(zone) - DAY_BEGINS).date()
        midnight, last = (
            datetime.combine(day, time(), zone).astimezone(UTC)
            for day in (today, today + timedelta(days=DAYS + 1))
        )
        return cls(midnight, last)


class Schedules:
    """Builds and publishes; used by the region's worker thread only, so that revisions have one author."""

    def __init__(
        self,
        database: Database,
        publish: Publish,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        changed: Callable[[str, str], None] = lambda _what, _unit: None,
    ) -> None:
        """changed(what, unit) is told of what the outbox says besides schedules and configurations."""
        self._changed = changed
        self._database = database
        self._publish = publish
        self._clock = clock
        self._zone = zone
        self._sent_at: dict[str, datetime] = {}
        self._window = Window.around(clock(), zone)

    def work_off_outbox(self) -> list[tuple[str, str]]:
        """Publish what was changed by pages, booking systems or the command line; returns (unit, what)."""
        with self._database.read() as db:
            rows = db.execute(select(OutboxRow.id, OutboxRow.unit_id, OutboxRow.what)).all()
        if not rows:
            return []
        todo = sorted({(unit, what) for _, unit, what in rows})
        for unit, what in todo:
            if what == "schedule":
                self.publish_schedule(unit)
            elif what == "config":
                self.publish_config(unit)
            else:
                self._changed(what, unit)
        with self._database.write() as db:
            db.execute(delete(OutboxRow).where(OutboxRow.id.in_([row_id for row_id, _, _ in rows])))
        return todo

    def roll_over(self) -> bool:
        """Once a day, publish all schedules with the window moved; says whether that was now."""
        window = Window.around(self._clock(), self._zone)
        if window == self._window:
            return False
        self._window = window
        self.publish_all()
        return True

    def publish_all(self) -> None:
        """After (re)connecting: the broker may have lost what it was to keep."""
        with self._database.read() as db:
            units = list(db.scalars(select(Unit.id)))
        for unit in units:
            self.publish_schedule(unit)
            self.publish_config(unit)

    def publish_schedule(self, unit_id: str) -> None:
        """Publish a unit's snapshot; its revision grows if it is another than last time."""
        now = self._clock()
        window = Window.around(now, self._zone)
        with self._database.write() as db:
            unit = db.get(Unit, unit_id, with_for_update=True)
            if unit is None:
                return
            schedule, rows = self._snapshot(db, unit, window)
            digest = hashlib.sha256(to_json(schedule)).hexdigest()
            if digest != unit.schedule_sha256:
                unit.schedule_rev, unit.schedule_sha256 = unit.schedule_rev + 1, digest
            for row in rows:
                if (row.published_version, row.published_unit) != (row.version, unit_id):
                    row.published_version, row.published_unit = row.version, unit_id
                    row.published_rev = unit.schedule_rev
            rev = unit.schedule_rev
        payload = encode(schedule, now=now, rev=rev, expires_at=window.end)
        if self._publish(Topic(unit_id, "dn/schedule"), payload):
            self._sent_at[unit_id] = now
            log.info("schedule of unit %s published, rev %d, %d sessions", unit_id, rev, len(rows))

    def publish_config(self, unit_id: str) -> None:
        """Publish what a unit's configuration shall be."""
        with self._database.read() as db:
            unit = db.get(Unit, unit_id)
        if unit is None or unit.config_rev == 0:
            return
        config = Config.model_validate_json(to_json({**unit.config, "epoch": unit.config_epoch}))
        payload = encode(config, now=self._clock(), rev=unit.config_rev)
        self._publish(Topic(unit_id, "dn/config"), payload)

    def reported(self, unit_id: str, report: ScheduleReport) -> None:
        """Keep what a unit says of its snapshot, and send ours again if it has another.

        A snapshot that was rejected is not sent again, since it would be rejected again.
        """
        with self._database.write() as db:
            unit = db.get(Unit, unit_id, with_for_update=True)
            row = db.get(UnitReport, unit_id, with_for_update=True)
            if unit is None or row is None:
                return
            row.schedule_epoch, row.schedule_rev = report.epoch, report.rev
            row.schedule_outcome, row.heard_at = report.outcome, self._clock()
            row.rejected_sids = [item.sid for item in report.rejected]
            ours, theirs = (unit.schedule_epoch, unit.schedule_rev), (report.epoch, report.rev)
            if theirs > ours:
                # We know less than we once did: restored from a backup. A later epoch overrules the unit's.
                log.warning("unit %s has a later schedule than we; a new epoch begins", unit_id)
                unit.schedule_epoch, unit.schedule_sha256 = report.epoch + 1, ""
        for item in report.rejected:
            log.warning("unit %s rejected session %s: %s", unit_id, item.sid, item.field)
        if report.outcome == "rejected":
            log.warning("unit %s rejected schedule rev %d", unit_id, report.rev)
        if theirs != ours and report.outcome == "accepted" and self._may_repeat(unit_id):
            self.publish_schedule(unit_id)

    def _may_repeat(self, unit_id: str) -> bool:
        sent_at = self._sent_at.get(unit_id)
        return sent_at is None or self._clock() - sent_at >= REPEAT_AFTER

    def _snapshot(self, db: Session, unit: Unit, window: Window) -> tuple[Schedule, Sequence[BookedSession]]:
        room = db.scalar(select(Room).where(Room.unit_id == unit.id))
        rows: Sequence[BookedSession] = ()
        salt = "0" * 32
        if room is not None:
            salt = salt_of_day(db, room.id, window.start.astimezone(self._zone).date())
            query = (
                select(BookedSession)
                .where(BookedSession.room_id == room.id, BookedSession.cancelled.is_(False))
                .where(BookedSession.state != "wiped")
                .where(BookedSession.end > window.start, BookedSession.start < window.end)
                .order_by(BookedSession.start, BookedSession.sid)
            )
            rows = db.scalars(query).all()
        sessions = tuple(
            _planned(row).model_dump(mode="json", by_alias=True, exclude_none=True) for row in rows
        )
        schedule = Schedule(epoch=unit.schedule_epoch, valid_until=window.end, salt=salt, sessions=sessions)
        return schedule, rows


def _planned(row: BookedSession) -> ScheduledSession:
    return ScheduledSession.model_validate(
        {
            "sid": row.sid,
            "ref": row.ref,
            "start": row.start,
            "end": row.end,
            "kind": row.kind,
            "with": Party.model_validate({"role": row.party_role, "clinic": row.clinic.name}),
            "language": row.language,
            "checkin": CheckIn.model_validate(
                {
                    "methods": tuple(row.methods),
                    "salt": row.salt if "code" in row.methods else None,
                    "code_digest": row.code_digest if "code" in row.methods else None,
                    "token_digest": row.token_digest if "qr" in row.methods else None,
                }
            ),
            "features": Features(waiting_room=row.waiting_room),
        }
    )
