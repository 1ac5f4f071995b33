"""The access log (PDL, 4 kap. 3 §): who looked at which clinic's sessions, when, and how they were identified.

It is a chain of hashes of its own beside the meeting log, and holds nothing of the patient.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import event, select
from sqlalchemy.orm import Mapper, Session

from provisioning import hash_chain
from provisioning.database import Database
from provisioning.meeting_log import instant_text
from provisioning.people_models import AccessEntry, AccountRow
from web.clinic.people import AccessKind
from web.clinic.services import Account

HEAD = "access_head"
ONE_ENTRY_EVERY = timedelta(minutes=5)
"""A page that refreshes itself is one look, not a hundred."""
MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """Which entries to read; None asks for all."""

    sid: str | None = None
    account_ids: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


class AccessLog:
    """Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._latest: OrderedDict[tuple[object, ...], datetime] = OrderedDict()
        self._lock = Lock()

    def looked(
        self, account: Account, kind: AccessKind, sid: str | None, day: str | None, outcome: str
    ) -> None:
        """Write an entry, unless the same person saw the same thing some minutes ago."""
        now, key = self._clock(), (account.id, kind, sid, day, outcome)
        with self._lock:
            before = self._latest.get(key)
        if before is not None and now - before < ONE_ENTRY_EVERY:
            return
        row = AccessEntry(
            at=now,
            account_id=account.id,
            identified=account.identified,
            role=account.role,
            clinic=account.clinic,
            kind=kind,
            sid=sid,
            day=day,
            outcome=outcome,
        )
        with self._database.write() as db:
            hash_chain.extend(db, HEAD, row, entry_hash)
        with self._lock:
            # Only now: what could not be written is tried again at the next look.
            self._latest[key] = now
            self._latest.move_to_end(key)
            while len(self._latest) > MOST_REMEMBERED:
                self._latest.popitem(last=False)


def entry_hash(row: AccessEntry) -> str:
    """SHA-256 in hex over all of an entry but its own hash."""
    who = [row.account_id, row.identified, row.role, row.clinic]
    what = [row.kind, row.sid, row.day, row.outcome]
    return hash_chain.sha256_of([row.seq, instant_text(row.at), who, what, row.prev])


def entries(db: Session, question: Question | None = None) -> Iterator[AccessEntry]:
    """What was asked for in order, read in batches."""
    asked, query = question or Question(), select(AccessEntry).order_by(AccessEntry.seq)
    if asked.sid is not None:
        query = query.where(AccessEntry.sid == asked.sid)
    if asked.account_ids is not None:
        query = query.where(AccessEntry.account_id.in_(asked.account_ids))
    if asked.since is not None:
        query = query.where(AccessEntry.at >= asked.since)
    if asked.until is not None:
        query = query.where(AccessEntry.at < asked.until)
    yield from db.scalars(query.execution_options(yield_per=500))


def names(db: Session) -> dict[str, str]:
    """Who stands behind an account id."""
    return {row.id: row.name for row in db.scalars(select(AccountRow))}


def verify(db: Session) -> tuple[int, str]:
    """How many entries fit, and what is wrong with the next one (empty if nothing is)."""
    return hash_chain.first_fault(db, HEAD, entries(db), entry_hash)


@event.listens_for(AccessEntry, "before_update")
@event.listens_for(AccessEntry, "before_delete")
def _refuse_change(_mapper: Mapper[AccessEntry], _connection: object, target: AccessEntry) -> None:
    raise RuntimeError(f"entry {target.seq} of the access log is not to be changed")
