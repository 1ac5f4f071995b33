"""Quality figures of calls: taken from units and pages, added up, and deleted after some weeks.

Telemetry, not the meeting log: nobody is harmed by a row that is missing, and nobody is named in one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agent.contract.quality import PageReport, QualityReport
from agent.contract.signalling import UNIT_PEER
from provisioning.database import Database
from provisioning.models import BookedSession, QualityCall, QualityRow

log = logging.getLogger(__name__)

MOST_REPORTS = 20_000
"""Of one session: two parties and the unit for nine hours. More cannot be meant."""
USUAL_INTERVAL_S = 5.0
LEAST_SPACING_S = 1.0
AHEAD, BEHIND = timedelta(minutes=5), timedelta(hours=12)
"""How far from the region's clock an interval's end may be; beyond, the unit's clock was wrong."""
FORGET_EVERY = timedelta(hours=1)


class Quality:
    """Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime], *, kept: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._forget_at: datetime | None = None

    def take(self, unit: str, report: QualityReport) -> None:
        """Keep a unit's report of a session in its room; one that is here already changes nothing."""
        now = self._clock()
        if not now - BEHIND < report.at < now + AHEAD:
            log.warning("quality figures of unit %s dropped: at: is not about now", unit)
            return
        figures = report.model_dump(mode="json", exclude={"sid", "at"}, exclude_none=True)
        with self._database.write() as db:
            session = db.get(BookedSession, report.sid)
            if session is None or session.room.unit_id != unit:
                log.warning("quality figures of unit %s dropped: the session is not in its room", unit)
                return
            row = QualityRow(sid=report.sid, source=UNIT_PEER, at=report.at, kept_at=now, figures=figures)
            call = self._row(db, row, report.interval_s)
            if call is None:
                return
            shown = [party.shown.frozen_s or 0.0 for party in report.parties if party.shown]
            call.room_frozen_s += max(shown, default=0.0)
            if not any(party.connected for party in report.parties):
                call.away_s += report.interval_s

    def take_page(self, sid: str, peer: str, role: str, reports: Sequence[PageReport]) -> None:
        """Keep what a party's page saw; the caller has made sure that the party is in this session."""
        now = self._clock()
        with self._database.write() as db:
            for report in reports:
                at = now - timedelta(seconds=report.age_s)
                figures = report.model_dump(mode="json", exclude={"age_s"}, exclude_none=True) | {
                    "role": role
                }
                row = QualityRow(sid=sid, source=peer, at=at, kept_at=now, figures=figures)
                call = self._row(db, row, report.interval_s)
                if call is not None and report.received is not None:
                    call.page_frozen_s += report.received.frozen_s or 0.0

    def tick(self) -> None:
        """Delete what is too old, once an hour."""
        now = self._clock()
        if self._forget_at is not None and now < self._forget_at:
            return
        self._forget_at = now + FORGET_EVERY
        with self._database.write() as db:
            for table in (QualityRow, QualityCall):
                db.execute(delete(table).where(table.kept_at < now - self._kept))

    def _row(self, db: Session, row: QualityRow, interval_s: float) -> QualityCall | None:
        """Keep one report; None if it is here already (QoS 1, and a page's second try), or one too many."""
        call = db.get(QualityCall, row.sid)
        begin = row.at - timedelta(seconds=interval_s)
        if call is None:
            call = QualityCall(sid=row.sid, began=begin, ended=row.at, kept_at=row.kept_at, reports=0)
            call.room_frozen_s = call.page_frozen_s = call.away_s = 0.0
            db.add(call)
        near = timedelta(seconds=max(LEAST_SPACING_S, min(interval_s, USUAL_INTERVAL_S) / 2))
        same = select(QualityRow.at).where(
            QualityRow.sid == row.sid,
            QualityRow.source == row.source,
            QualityRow.at > row.at - near,
            QualityRow.at < row.at + near,
        )
        if call.reports >= MOST_REPORTS or db.scalar(same) is not None:
            return None
        db.add(row)
        call.began, call.ended = min(call.began, begin), max(call.ended, row.at)
        call.kept_at, call.reports = row.kept_at, call.reports + 1
        return call
