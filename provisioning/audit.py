"""Who of IT did what to which unit, group or room: a chain of hashes of its own beside the other logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Mapper, Session

from provisioning import hash_chain
from provisioning.fleet_models import AuditEntry
from provisioning.meeting_log import instant_text

HEAD = "audit_head"
REGION = "region"
"""What the region does by itself."""


def note(
    db: Session, at: datetime, *, by: str, action: str, target: str, fields: Mapping[str, Any] | None = None
) -> None:
    """Write an entry in the caller's transaction. fields: plain values, without keys, PINs or digests of them."""
    row = AuditEntry(at=at, by=by[:64], action=action, target=target[:120], fields=dict(fields or {}))
    hash_chain.extend(db, HEAD, row, entry_hash)


def entry_hash(row: AuditEntry) -> str:
    """SHA-256 in hex over all of an entry but its own hash."""
    what = [row.by, row.action, row.target, sorted(row.fields.items())]
    return hash_chain.sha256_of([row.seq, instant_text(row.at), what, row.prev])


def entries(db: Session) -> Iterator[AuditEntry]:
    """All of them in order, read in batches."""
    yield from db.scalars(select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=500))


def verify(db: Session) -> tuple[int, str]:
    """How many entries fit, and what is wrong with the next one (empty if nothing is)."""
    return hash_chain.first_fault(db, HEAD, entries(db), entry_hash)


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse_change(_mapper: Mapper[AuditEntry], _connection: object, target: AuditEntry) -> None:
    raise RuntimeError(f"entry {target.seq} of the audit log is not to be changed")
