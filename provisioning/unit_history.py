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

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from provisioning.fleet_models import ConfigRevision, UnitHistory
from web.clinic.fleet.services import HistoryLine

KEPT = timedelta(days=180)
MOST_SHOWN = 200


def remember(db: Session, unit: str, at: datetime, kind: str, **fields: Any) -> None:  # noqa: ANN401 - plain values
    """Write a line in the caller's transaction."""
    db.add(UnitHistory(unit_id=unit, at=at, kind=kind, fields=fields))


def of_unit(db: Session, unit: str, limit: int = MOST_SHOWN) -> Sequence[HistoryLine]:
    """A unit's lines, newest first."""
    query = select(UnitHistory).where(UnitHistory.unit_id == unit)
    rows = db.scalars(query.order_by(UnitHistory.id.desc()).limit(limit))
    return [HistoryLine(row.at, row.kind, row.fields) for row in rows]


def forget_old(db: Session, now: datetime) -> None:
    """What is older than it is kept, and the revisions of that time; who did what stays in the audit log."""
    db.execute(delete(UnitHistory).where(UnitHistory.at < now - KEPT))
    db.execute(delete(ConfigRevision).where(ConfigRevision.at < now - KEPT))
