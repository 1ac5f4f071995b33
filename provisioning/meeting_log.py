"""The meeting log: what happened in each session, in order, as a chain of hashes that shows any change.

Entries of the region itself and the units' signed events stand in one list. No entry holds a person's data:
staff by account id and role, the patient not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Mapper, Session

from agent.contract.events import Event
from provisioning import hash_chain
from provisioning.models import LogEntry

HEAD = "log_head"


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact to be logged. `unit_event` is set where a unit said so and signed it."""

    kind: str
    at: datetime
    sid: str | None = None
    unit: str | None = None
    fields: Mapping[str, str | int | float | bool] | None = None
    unit_event: Event | None = None


def append(db: Session, entry: Entry) -> LogEntry:
    """Put an entry at the end, in the caller's transaction: it is kept if what it tells of is kept."""
    told = entry.unit_event
    row = LogEntry(
        at=entry.at,
        source="unit" if told else "region",
        unit_id=entry.unit,
        sid=entry.sid,
        kind=entry.kind,
        fields=dict(entry.fields or {}),
        unit_epoch=told.epoch if told else None,
        unit_seq=told.seq if told else None,
        unit_prev=told.prev if told else None,
        unit_hash=told.hash if told else None,
        unit_signature=told.signature if told else None,
    )
    return hash_chain.extend(db, HEAD, row, entry_hash)


def entry_hash(row: LogEntry) -> str:
    """SHA-256 in hex over all of an entry but its own hash."""
    content: list[Any] = [
        row.seq,
        instant_text(row.at),
        row.source,
        row.unit_id,
        row.sid,
        row.kind,
        sorted(row.fields.items()),
        [row.unit_epoch, row.unit_seq, row.unit_prev, row.unit_hash, row.unit_signature],
        row.prev,
    ]
    return hash_chain.sha256_of(content)


def instant_text(at: datetime) -> str:
    """A time as the hashes of the contract take it: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def of_session(db: Session, sid: str) -> Sequence[LogEntry]:
    """A session's entries, oldest first."""
    return db.scalars(select(LogEntry).where(LogEntry.sid == sid).order_by(LogEntry.seq)).all()


def all_entries(db: Session) -> Iterator[LogEntry]:
    """Every entry in order, read in batches."""
    yield from db.scalars(select(LogEntry).order_by(LogEntry.seq).execution_options(yield_per=500))


@event.listens_for(LogEntry, "before_update")
@event.listens_for(LogEntry, "before_delete")
def _refuse_change(_mapper: Mapper[LogEntry], _connection: object, target: LogEntry) -> None:
    raise RuntimeError(f"entry {target.seq} of the meeting log is not to be changed")
