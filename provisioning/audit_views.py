"""The audit log for readers: newest first, with names of people in place of their accounts' ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.fleet_models import AuditEntry
from web.clinic.fleet.services import AuditLine

MOST_SHOWN = 200


def lines(
    db: Session,
    names: Mapping[str, str],
    *,
    target: str | None = None,
    by: str | None = None,
    limit: int = MOST_SHOWN,
) -> Sequence[AuditLine]:
    """Of one target, or by one person (an account's id, or the name that lines show); None: all."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit)
    if target is not None:
        query = query.where(AuditEntry.target == target)
    if by is not None:
        ids = [account for account, name in names.items() if name == by]
        query = query.where(AuditEntry.by.in_([by, *ids]))
    return [
        AuditLine(row.at, name_of(row.by, names), row.action, row.target, row.fields)
        for row in db.scalars(query)
    ]


def name_of(by: str, names: Mapping[str, str]) -> str:
    """A person's name; `cli:` and `region` stay as they are."""
    return names.get(by, by)
