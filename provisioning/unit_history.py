"""What has happened to each unit, for its page: written in the transaction in which it happens.

| kind | fields |
|---|---|
| `added` | |
| `started` | boot |
| `state` | state, was |
| `version` | software, was |
| `certificate` | sha256, not_after |
| `config_wanted` | epoch, rev, by, fields |
| `config_applied`, `config_deferred`, `config_trial` | rev |
| `config_rejected`, `config_rolled_back` | rev, errors |
| `room_in`, `room_out` | room, by |

Other parts of the region add kinds of their own (enrolment, commands).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session

from provisioning.database import Database
from provisioning.fleet_models import CommandRow, ConfigRevision, UnitHistory
from web.clinic.fleet.services import HistoryLine

KEPT = timedelta(days=180)
MOST_KEPT = 5_000
"""Of one unit: one that comes and goes each minute would fill the disk with its own lines."""
LOOK_EVERY = timedelta(hours=1)
MOST_SHOWN = 200


def remember(db: Session, unit: str, at: datetime, kind: str, **fields: Any) -> None:  # noqa: ANN401 - plain values
    """Write a line in the caller's transaction."""
    db.add(UnitHistory(unit_id=unit, at=at, kind=kind, fields=fields))


def of_unit(db: Session, unit: str, limit: int = MOST_SHOWN) -> Sequence[HistoryLine]:
    """A unit's lines, newest first."""
    query = select(UnitHistory).where(UnitHistory.unit_id == unit)
    rows = db.scalars(query.order_by(UnitHistory.id.desc()).limit(limit))
    return [HistoryLine(row.at, row.kind, row.fields) for row in rows]


class Forgetting:
    """Deletes what is older than it is kept: lines, revisions, and commands that are over, with the words that
    they put on screens. Who did what stays in the audit log."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._looked_at: datetime | None = None

    def tick(self) -> None:
        """Once an hour, on the worker thread."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        with self._database.write() as db:
            db.execute(delete(UnitHistory).where(UnitHistory.at < now - KEPT))
            db.execute(delete(ConfigRevision).where(ConfigRevision.at < now - KEPT))
            over = and_(CommandRow.cleared.is_(True), CommandRow.changed_at < now - KEPT)
            db.execute(delete(CommandRow).where(over))
            for unit in _with_too_many(db):
                mine = select(UnitHistory.id).where(UnitHistory.unit_id == unit)
                last = db.scalar(mine.order_by(UnitHistory.id.desc()).offset(MOST_KEPT - 1).limit(1))
                db.execute(delete(UnitHistory).where(UnitHistory.unit_id == unit, UnitHistory.id < last))


def _with_too_many(db: Session) -> Sequence[str]:
    query = select(UnitHistory.unit_id).group_by(UnitHistory.unit_id)
    return db.scalars(query.having(func.count() > MOST_KEPT)).all()
