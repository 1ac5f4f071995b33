"""What the unit brings to disk and takes up again: sessions and facts together, the schedule, the time."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from agent.contract.events import EventKind
from agent.outbox import Outbox
from agent.region_clock import RegionClock
from agent.schedule import Snapshot
from agent.screen import Refusal
from agent.session_events import Record
from agent.session_state import OCCUPYING, OVER, Session, State
from agent.store import Store

log = logging.getLogger(__name__)

Fields = dict[str, str | int | float | bool]
_SESSION: TypeAdapter[Session] = TypeAdapter(Session)
_SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
_EVENT_KIND: TypeAdapter[EventKind] = TypeAdapter(EventKind)
SALTS, SALTS_KEPT = "used_salts", 2
_CODE_OVER: tuple[Refusal, ...] = ("used_code", "old_code")
_QR_OVER: tuple[Refusal, ...] = ("used_qr", "old_qr")


@dataclass(frozen=True, slots=True)
class _Fact:
    kind: EventKind
    at: datetime
    sid: str | None
    fields: Fields


class Memory:
    """The unit's memory. Used on the event loop only.

    A full disk must not stop a call, nor keep a camera open: what cannot be written waits in memory, in
    order, and goes to disk with the next `save`.
    """

    def __init__(self, store: Store, outbox: Outbox, clock: RegionClock) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._facts: list[_Fact] = []
        self._sessions: dict[str, Session] = {}
        self._values: dict[str, bytes] = {}

    def add_fact(self, kind: str, sid: str | None, fields: Fields) -> None:
        """Note a fact for the outbox; raises ValidationError for a kind that the contract does not know."""
        self._facts.append(_Fact(_EVENT_KIND.validate_python(kind), self._clock.now(), sid, fields))

    def keep_session(self, before: Session, after: Session) -> None:
        """Note a session's state, if a restart is to know it. Parties join again, so they are not kept."""
        if {before.state, after.state} & OCCUPYING or after.state in OVER:
            self._sessions[after.plan.sid] = replace(after, parties=(), lobby=())

    def save(self) -> bool:
        """Bring what was noted to disk, all or nothing; True when facts are now there to be sent."""
        if not self._facts and not self._sessions:
            return False
        try:
            with self._store.transaction():
                for sid, session in self._sessions.items():
                    self._store.put_session(sid, _SESSION.dump_json(session))
                if self._sessions:
                    self._put_time()
                for key, value in self._values.items():
                    self._store.put(key, value)
                for fact in self._facts:
                    self._outbox.add(fact.kind, fact.at, fact.sid, fact.fields)
        except sqlite3.Error as error:
            self._outbox.reload()
            _complain(error)
            return False
        has_facts = bool(self._facts)
        self._facts.clear()
        self._sessions.clear()
        self._values.clear()
        return has_facts

    def wipe(self, session: Session, rest: Snapshot, receipts: Iterable[Record]) -> bool:
        """Remove a session, and put `rest` in the schedule's place; False if that must be tried again.

        The receipts are written with it: neither stands without the other.
        """
        sid = session.plan.sid
        self.save()
        if self._facts:
            return False  # what happened before comes before the receipt
        try:
            with self._store.transaction():
                self._drop(session)
                self._store.put("snapshot", _SNAPSHOT.dump_json(rest))
                for receipt in receipts:
                    kind = _EVENT_KIND.validate_python(receipt.kind)
                    self._outbox.add(kind, self._clock.now(), sid, dict(receipt.fields))
            self._store.scrub()
        except sqlite3.Error as error:
            self._outbox.reload()
            _complain(error)
            return False
        self._sessions.pop(sid, None)
        return True

    def sessions(self) -> list[Session]:
        """The kept sessions. One that cannot be read (of another version, say) is closed."""
        sessions = []
        for sid, value in self._store.sessions():
            try:
                sessions.append(_SESSION.validate_json(value))
            except ValidationError:
                log.error("a kept session cannot be read; it is closed")  # noqa: TRY400 - it would repeat it
                self.add_fact("session_failed", sid, {"reason": "unreadable"})
                self._store.finish(sid, self._day())
        return sessions

    def snapshot(self) -> Snapshot:
        """The kept schedule, or an empty one that every other is newer than."""
        kept = self._store.get("snapshot")
        try:
            return _SNAPSHOT.validate_json(kept) if kept else Snapshot()
        except ValidationError:
            log.error("the kept schedule cannot be read; the region sends it again")  # noqa: TRY400
            return Snapshot()

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a schedule; if the disk is full, the one before stays, and the region has this one still."""
        self.keep("snapshot", _SNAPSHOT.dump_json(snapshot))

    def keep(self, key: str, value: bytes) -> None:
        """Keep a value that a later one replaces; on a full disk the one before stays."""
        if key in self._values:
            self._values[key] = value
            return
        try:
            self._store.put(key, value)
        except sqlite3.Error as error:
            _complain(error)

    def keep_with_facts(self, key: str, value: bytes) -> None:
        """Keep it together with the fact that is noted next, so that a kill leaves both or neither."""
        self._values[key] = value

    def recall_time(self) -> timedelta:
        """Teach the clock what it knew before the start, and tell how long the agent was away."""
        kept = self._store.get("clock")
        return self._clock.recall(kept) if kept else timedelta(0)

    def keep_time(self) -> None:
        """Mark that the agent is alive, and what time it is."""
        try:
            self._put_time()
        except sqlite3.Error as error:
            _complain(error)

    def used_salts(self) -> tuple[str, ...]:
        """Salts of codes that were used here lately: after midnight, the schedule may hold another day's alone."""
        return tuple((self._store.get(SALTS) or b"").decode().split())

    def code_is_over(self, digests: Iterable[str]) -> Refusal | None:
        """Whether the session of a code with one of these digests was held already, or passed unused."""
        return self._is_over(digests, _CODE_OVER)

    def qr_is_over(self, digest: str) -> Refusal | None:
        """The same for a QR code's token."""
        return self._is_over((digest,), _QR_OVER)

    def _is_over(self, digests: Iterable[str], refusals: tuple[Refusal, ...]) -> Refusal | None:
        for digest in digests:
            for refusal in refusals:
                if self._store.is_finished(f"{refusal} {digest}"):
                    return refusal
        return None

    def _put_time(self) -> None:
        self._store.put("clock", self._clock.memory())

    def _drop(self, session: Session) -> None:
        """Out of the store. A cancelled session may come again; of another, and its codes, a digest stays."""
        sid, checkin = session.plan.sid, session.plan.checkin
        if session.state == State.CANCELLED:
            self._store.drop_session(sid)
            return
        self._store.finish(sid, self._day())
        if checkin.salt is not None and checkin.salt not in self.used_salts():
            self._store.put(SALTS, " ".join((*self.used_salts(), checkin.salt)[-SALTS_KEPT:]).encode())
        which = 0 if session.state == State.ENDED else 1
        for digest, refusals in ((checkin.code_digest, _CODE_OVER), (checkin.token_digest, _QR_OVER)):
            if digest is not None:
                self._store.mark_done(f"{refusals[which]} {digest}", self._day())

    def _day(self) -> str:
        return self._clock.now().date().isoformat()


def _complain(error: sqlite3.Error) -> None:
    log.error("the store cannot be written (%s); free space on the disk", type(error).__name__)
