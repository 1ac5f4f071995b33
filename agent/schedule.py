"""The unit's copy of its schedule. Pure: a message comes in, the snapshot to keep and the report go out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from agent.contract.schedule import Schedule, ScheduledSession, ScheduleReport, check_sessions


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One whole schedule, as it was last accepted."""

    epoch: int = -1
    rev: int = -1
    valid_until: datetime | None = None
    salt: str = ""
    sessions: tuple[ScheduledSession, ...] = ()


def accept(
    current: Snapshot, schedule: Schedule, rev: int | None, payload: bytes
) -> tuple[Snapshot, ScheduleReport | None]:
    """The snapshot to keep, and what to report; None when an older or the same one came again.

    A bad session is left out alone and named in the report. A snapshot without revision is rejected whole.
    """
    digest = hashlib.sha256(payload).hexdigest()
    if rev is None:
        return current, ScheduleReport(
            epoch=schedule.epoch, rev=-1, sha256=digest, outcome="rejected", reason="rev is missing"
        )
    if (schedule.epoch, rev) <= (current.epoch, current.rev):
        return current, None
    sessions, rejected = check_sessions(schedule)
    snapshot = Snapshot(schedule.epoch, rev, schedule.valid_until, schedule.salt, sessions)
    report = ScheduleReport(
        epoch=schedule.epoch, rev=rev, sha256=digest, outcome="accepted", rejected=rejected[:50]
    )
    return snapshot, report
