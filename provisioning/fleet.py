"""What each unit last said of itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy.orm import Session

from agent.contract.status import Info, Status
from agent.contract.unit_config import ConfigReport
from provisioning import meeting_log
from provisioning.database import Database
from provisioning.meeting_log import Entry
from provisioning.models import UnitReport

log = logging.getLogger(__name__)


class Fleet:
    """Used by the region's worker thread only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def status(self, unit: str, status: Status) -> bool:
        """Keep a unit's state; True if it has started, or was lost and is back.

        A Last Will of an earlier start that comes late is dropped. A unit that speaks itself is believed also
        when it counts its starts anew, having lost its store.
        """
        with self._database.write() as db:
            row = _report(db, unit)
            if row is None or (status.state == "lost" and status.boot < row.boot):
                return False
            before, booted = row.state, status.boot != row.boot
            row.faults = [fault.model_dump(mode="json") for fault in status.faults]
            if status.state != before or booted:
                row.state, row.since, row.boot = status.state, self._clock(), status.boot
                log.info("unit %s is %s, was %s", unit, status.state, before)
            lost, was_lost = status.state == "lost", before in {"lost", "unknown"}
            if lost != was_lost:
                kind = "unit_lost" if lost else "unit_back"
                meeting_log.append(db, Entry(kind, self._clock(), unit=unit, fields={"boot": status.boot}))
            return not lost and (booted or was_lost)

    def info(self, unit: str, info: Info) -> None:
        """Keep what a unit is."""
        with self._database.write() as db:
            row = _report(db, unit)
            if row is not None:
                row.info = _plain(info)

    def config(self, unit: str, rev: int | None, report: ConfigReport) -> None:
        """Keep which configuration is in force, and what was wrong with a newer one."""
        with self._database.write() as db:
            row = _report(db, unit)
            if row is not None:
                row.config_rev, row.config_errors = rev or 0, list(report.errors)
        if report.errors:
            log.warning("unit %s has %d errors in its configuration", unit, len(report.errors))


def _report(db: Session, unit: str) -> UnitReport | None:
    row = db.get(UnitReport, unit, with_for_update=True)
    if row is None:
        log.warning("unit %s is not known here; add it with `halsorum unit add`", unit)
    return row


def _plain(model: BaseModel) -> dict[str, object]:
    return model.model_dump(mode="json")
