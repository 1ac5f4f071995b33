"""Each unit's whole schedule, retained at the broker, with a revision that grows on every change."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import delete, select

from agent.contract import Topic, encode
from agent.contract.schedule import ScheduleReport
from agent.contract.unit_config import Config
from agent.faults import kind_and_place
from provisioning.database import Database
from provisioning.models import OutboxRow, Unit, UnitReport
from provisioning.snapshots import Window, snapshots

log = logging.getLogger(__name__)

TOGETHER = 100
"""So many units' schedules are counted and published in one transaction, which others wait for."""
AGAIN_AFTER = timedelta(seconds=10)
REPEAT_AFTER = timedelta(seconds=5)
"""A unit that reports another revision is sent ours again, but not for every report."""

AWAY = ("lost", "stopping")

Publish = Callable[[Topic, bytes], bool]


class Schedules:
    """Builds and publishes; used by the region's worker thread only, so that revisions have one author."""

    def __init__(
        self,
        database: Database,
        publish: Publish,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        changed: Callable[[str, str], None] = lambda _what, _unit: None,
        *,
        keep: Publish | None = None,
    ) -> None:
        """changed(what, unit) is told of what the outbox says besides schedules and configurations; keep publishes
        for units that are away, so that months of snapshots do not queue for one that lies in a drawer."""
        self._changed = changed
        self._keep = keep or publish
        self._database = database
        self._publish = publish
        self._clock = clock
        self._zone = zone
        self._sent_at: dict[str, datetime] = {}
        self._again_at: dict[tuple[str, str], datetime] = {}
        self._window = Window.around(clock(), zone)
        self._soon: list[str] = []

    def work_off_outbox(self) -> list[tuple[str, str]]:
        """Publish what was changed by pages, booking systems or the command line; returns (unit, what)."""
        with self._database.read() as db:
            rows = db.execute(select(OutboxRow.id, OutboxRow.unit_id, OutboxRow.what)).all()
        if not rows:
            return []
        todo = sorted({(unit, what) for _, unit, what in rows})
        self.publish_schedules([unit for unit, what in todo if what == "schedule"])
        self.publish_configs([unit for unit, what in todo if what == "config"])
        failed = {each for each in todo if each[1] not in {"schedule", "config"} and not self._told(*each)}
        done = [row_id for row_id, unit, what in rows if (unit, what) not in failed]
        if done:
            with self._database.write() as db:
                db.execute(delete(OutboxRow).where(OutboxRow.id.in_(done)))
        return [each for each in todo if each not in failed]

    def _told(self, unit: str, what: str) -> bool:
        """Work off one change. What fails, such as signing while the authority's key is away, is kept and tried
        again after a while, and holds up nothing else."""
        now = self._clock()
        if now < self._again_at.get((unit, what), now):
            return False
        try:
            self._changed(what, unit)
        except Exception as error:
            log.error("%s of %s is tried again later: %s", what, unit, kind_and_place(error))  # noqa: TRY400
            self._again_at[unit, what] = now + AGAIN_AFTER
            return False
        self._again_at.pop((unit, what), None)
        return True

    def roll_over(self) -> bool:
        """Once a day, publish all schedules with the window moved; says whether that was now."""
        window = Window.around(self._clock(), self._zone)
        if window == self._window:
            return False
        self._window = window
        self.publish_soon()
        return True

    def publish_soon(self) -> None:
        """After (re)connecting, when the broker may have lost what it was to keep: have go_on() publish all."""
        with self._database.read() as db:
            self._soon = list(db.scalars(select(Unit.id).order_by(Unit.id.desc())))

    def go_on(self) -> bool:
        """Publish for some of those that wait; False when none does. What has come meanwhile goes in between."""
        some = [self._soon.pop() for _ in range(min(TOGETHER, len(self._soon)))]
        try:
            self.publish_schedules(some)
            self.publish_configs(some)
        except Exception:
            self._soon[:0] = some  # again, after all others
            raise
        return bool(self._soon)

    def publish_all(self) -> None:
        """Publish for every unit now."""
        self.publish_soon()
        while self.go_on():
            pass

    def publish_schedule(self, unit_id: str) -> None:
        """Publish a unit's snapshot; its revision grows if it is another than last time."""
        self.publish_schedules([unit_id])

    def publish_schedules(self, units: Sequence[str]) -> None:
        """The same for many units, some at a time."""
        for some in _by(TOGETHER, units):
            now = self._clock()
            window = Window.around(now, self._zone)
            made = self._counted(some, window, now)
            away = self._away(some)
            for topic, payload, sessions, rev in made:
                if self._publish_to(topic, payload, away):
                    self._sent_at[topic.unit] = now
                    log.info("schedule of unit %s published, rev %d, %d sessions", topic.unit, rev, sessions)

    def _counted(
        self, names: Sequence[str], window: Window, now: datetime
    ) -> list[tuple[Topic, bytes, int, int]]:
        """What to publish, with the revisions kept: nobody may be told of one that was not."""
        made = []
        with self._database.write() as db:
            query = select(Unit).where(Unit.id.in_(names)).order_by(Unit.id).with_for_update()
            units = db.scalars(query).all()
            of_unit = snapshots(db, units, window, self._zone)
            for unit in units:
                schedule, rows = of_unit[unit.id]
                digest = hashlib.sha256(to_json(schedule)).hexdigest()
                if digest != unit.schedule_sha256:
                    unit.schedule_rev, unit.schedule_sha256 = unit.schedule_rev + 1, digest
                for row in rows:
                    if (row.published_version, row.published_unit) != (row.version, unit.id):
                        row.published_version, row.published_unit = row.version, unit.id
                        row.published_rev = unit.schedule_rev
                payload = encode(schedule, now=now, rev=unit.schedule_rev, expires_at=window.end)
                made.append((Topic(unit.id, "dn/schedule"), payload, len(rows), unit.schedule_rev))
        return made

    def publish_configs(self, units: Sequence[str]) -> None:
        """Publish what the configurations of units shall be."""
        for some in _by(TOGETHER, units):
            with self._database.read() as db:
                rows = db.scalars(select(Unit).where(Unit.id.in_(some), Unit.config_rev > 0)).all()
            away = self._away(some)
            for unit in rows:
                try:
                    config = Config.model_validate_json(to_json({**unit.config, "epoch": unit.config_epoch}))
                except ValidationError as error:
                    # Kept by an earlier release, whose contract allowed more: the others get theirs.
                    log.error("the configuration of unit %s is not valid: %s", unit.id, kind_and_place(error))  # noqa: TRY400
                    continue
                payload = encode(config, now=self._clock(), rev=unit.config_rev)
                self._publish_to(Topic(unit.id, "dn/config"), payload, away)

    def _away(self, units: Sequence[str]) -> set[str]:
        with self._database.read() as db:
            lost = UnitReport.state.in_(AWAY)
            return set(db.scalars(select(UnitReport.unit_id).where(UnitReport.unit_id.in_(units), lost)))

    def _publish_to(self, topic: Topic, payload: bytes, away: set[str]) -> bool:
        return (self._keep if topic.unit in away else self._publish)(topic, payload)

    def reported(self, unit_id: str, report: ScheduleReport) -> None:
        """Keep what a unit says of its snapshot, and send ours again if it has another."""
        if self.keep_report(unit_id, report):
            self.publish_schedule(unit_id)

    def keep_report(self, unit_id: str, report: ScheduleReport) -> bool:
        """Keep what a unit says of its snapshot; True if ours is to be sent again, since it has another.

        A snapshot that was rejected is not sent again, since it would be rejected again.
        """
        with self._database.write() as db:
            unit = db.get(Unit, unit_id, with_for_update=True)
            row = db.get(UnitReport, unit_id, with_for_update=True)
            if unit is None or row is None:
                return False
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
        return theirs != ours and report.outcome == "accepted" and self._may_repeat(unit_id)

    def _may_repeat(self, unit_id: str) -> bool:
        sent_at = self._sent_at.get(unit_id)
        return sent_at is None or self._clock() - sent_at >= REPEAT_AFTER


def _by(size: int, names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]
