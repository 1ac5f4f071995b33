"""What each unit last said of itself, and what of it is worth remembering."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import BaseModel
from sqlalchemy.orm import Session

from agent.contract.status import Info, Status
from agent.contract.unit_config import ConfigReport
from provisioning import audit, meeting_log, unit_faults
from provisioning.config_standing import Revision, standing
from provisioning.configurations import count
from provisioning.database import Database
from provisioning.fleet_models import Revocation
from provisioning.meeting_log import Entry
from provisioning.models import OutboxRow, Unit, UnitReport
from provisioning.unit_history import remember

log = logging.getLogger(__name__)

REVOKED = "revoked"
REPEAT_AFTER = timedelta(seconds=5)
"""A unit that reports another configuration is sent ours again, but not for every report."""


class Fleet:
    """Used by the region's worker thread only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._repeated_at: dict[str, datetime] = {}

    def status(self, unit: str, status: Status) -> bool:
        """Keep a unit's state; True if it has started, or was lost and is back.

        A Last Will of an earlier start that comes late is dropped. A unit that speaks itself is believed also
        when it counts its starts anew, having lost its store; one that is revoked is not.
        """
        now = self._clock()
        with self._database.write() as db:
            row = _report(db, unit)
            if row is None or (status.state == "lost" and status.boot < row.boot):
                return False
            is_revoked = db.get(Revocation, unit) is not None
            if status.state == REVOKED and not is_revoked:
                return False  # our own word from before IT took it back; no unit says this of itself
            state = REVOKED if is_revoked else status.state
            before, booted = row.state, status.boot != row.boot
            is_new = state != before or booted
            if status.faults or row.faults or is_new:  # most reports have nothing to do with faults
                unit_faults.reported(db, unit, state, status.faults, now, is_new=is_new)
            row.faults = [fault.model_dump(mode="json") for fault in status.faults]
            if status.state not in {"lost", REVOKED}:
                row.heard_at = now
            if is_new:
                row.state, row.since, row.boot = state, now, status.boot
                log.info("unit %s is %s, was %s", unit, state, before)
                if booted and state not in {"lost", REVOKED}:
                    remember(db, unit, now, "started", boot=status.boot)
                if state != before:
                    faults = [fault.instruction for fault in status.faults]
                    remember(db, unit, now, "state", state=state, was=before, faults=faults)
            lost, was_lost = state == "lost", before in {"lost", "unknown"}
            if lost != was_lost:
                kind = "unit_lost" if lost else "unit_back"
                meeting_log.append(db, Entry(kind, now, unit=unit, fields={"boot": status.boot}))
            return not lost and state != REVOKED and (booted or was_lost)

    def info(self, unit: str, info: Info) -> None:
        """Keep what a unit is."""
        with self._database.write() as db:
            row = _report(db, unit)
            if row is None:
                return
            now, was, told = self._clock(), row.info, _plain(info)
            row.heard_at = now
            if was.get("software") != info.software:
                remember(db, unit, now, "version", software=info.software, was=was.get("software", ""))
            if was.get("certificate_sha256") != info.certificate_sha256:
                of_it = {name: told[f"certificate_{name}"] for name in ("sha256", "not_after")}
                remember(db, unit, now, "certificate", **of_it)
            if was != told:
                row.info = told

    def config(self, unit: str, rev: int | None, report: ConfigReport) -> None:
        """Keep which configuration is in force, and what became of a newer one.

        A unit that has a later one than we is overruled by a new epoch: we were restored from a backup. One that
        has an older one, and has not said that it refuses or delays ours, is sent ours again.
        """
        now = self._clock()
        with self._database.write() as db:
            row, kept = _report(db, unit), db.get(Unit, unit, with_for_update=True)
            if row is None or kept is None:
                return
            before = (row.config_epoch, row.config_rev, row.config_state, row.config_wanted_rev)
            row.heard_at = now
            row.config_rev, row.config_errors, row.config_epoch = rev or 0, list(report.errors), report.epoch
            row.config_state = report.state or (
                "rejected" if report.errors and not report.applied else "applied"
            )
            row.config_wanted_rev = report.wanted_rev or 0
            ours, theirs = (kept.config_epoch, kept.config_rev), (report.epoch, rev or 0)
            if before != (row.config_epoch, row.config_rev, row.config_state, row.config_wanted_rev):
                told = {"rev": report.wanted_rev or rev or 0, "errors": list(report.errors)[:5]}
                remember(db, unit, now, f"config_{row.config_state}", **told)
            if theirs > ours:
                log.warning("unit %s has a later configuration than we; a new epoch begins", unit)
                kept.config_epoch = report.epoch + 1
                kept.config_rev = max(1, kept.config_rev)
                count(db, [(kept, ())], now, audit.REGION)
            elif _still_waits(ours, theirs, row) and self._may_repeat(unit, now):
                db.add(OutboxRow(unit_id=unit, what="config"))
        if report.errors:
            log.warning("unit %s has %d errors in its configuration", unit, len(report.errors))

    def _may_repeat(self, unit: str, now: datetime) -> bool:
        before = self._repeated_at.get(unit)
        if before is not None and now - before < REPEAT_AFTER:
            return False
        self._repeated_at[unit] = now
        return True


def _still_waits(ours: Revision, theirs: Revision, row: UnitReport) -> bool:
    return theirs < ours and standing(ours, theirs, row.config_state, row.config_wanted_rev) == "waiting"


def _report(db: Session, unit: str) -> UnitReport | None:
    row = db.get(UnitReport, unit, with_for_update=True)
    if row is None:
        log.warning("unit %s is not known here; add it with `halsorum unit add`", unit)
    return row


def _plain(model: BaseModel) -> dict[str, object]:
    return model.model_dump(mode="json")
