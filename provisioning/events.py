"""Takes in the units' events: each once, in order, checked, and acknowledged only when kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from agent.contract.events import GENESIS, Ack, Event, event_hash
from provisioning import meeting_log
from provisioning.database import Database
from provisioning.log_verification import MISSING, keys_of, signature_fits
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession, UnitChain, forget_secrets
from provisioning.rooms import touch
from provisioning.standing import forget_meeting

log = logging.getLogger(__name__)

OFFERS_BEFORE_GAP = 3
"""A unit that was asked twice for what lies between and still offers this event has it no more."""

STATE_AFTER: dict[str, str] = {
    "session_ready": "ready",
    "checked_in": "waiting",
    "admitted": "admitted",
    "call_started": "in_call",
    "call_ended": "ended",
    "session_wiped": "wiped",
    "session_failed": "failed",
    "session_cancelled": "cancelled",
    "no_show": "no_show",
}
"""A session's state as its unit last told it (DESIGN.md section 4)."""

NOT_BEGUN = frozenset({"booked", "ready"})
OVER = frozenset({"call_ended", "session_failed", "no_show"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an event: the acknowledgement to send, the session that looks different now, and whether
    the event was kept just now."""

    ack: Ack
    changed_sid: str | None = None
    is_new: bool = False


class EventIntake:
    """One per region; used by the worker thread only."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._offers: dict[str, tuple[int, int, int]] = {}
        self._refused: set[tuple[str, int, int]] = set()

    def acknowledged(self, unit: str) -> Ack:
        """Up to where a unit's events are kept."""
        with self._database.read() as db:
            chain = db.get(UnitChain, unit)
            return Ack(epoch=chain.epoch, seq=chain.seq) if chain else Ack(epoch=0, seq=0)

    def take(self, unit: str, event: Event) -> Taken:
        """Keep an event if it is new, whole and next in line. The answer acknowledges what is kept by now.

        A repeated one is acknowledged again. One that comes too early is not kept, so that the unit sends
        what lies between; if it cannot, the gap itself is logged. A forged or changed one is never kept.
        """
        with self._database.write() as db:
            chain = db.get(UnitChain, unit, with_for_update=True)
            if chain is None:
                chain = UnitChain(unit_id=unit, epoch=event.epoch, seq=0, hash=GENESIS)
                db.add(chain)
            if (event.epoch, event.seq) <= (chain.epoch, chain.seq):
                return Taken(Ack(epoch=chain.epoch, seq=chain.seq))
            if event.epoch > chain.epoch:
                chain.epoch, chain.seq, chain.hash = event.epoch, 0, GENESIS
            fault = self._fault(db, unit, event)
            if fault:
                self._refuse(db, unit, event, fault)
            elif event.seq == chain.seq + 1 and event.prev != chain.hash:
                self._refuse(db, unit, event, "prev")
            elif event.seq == chain.seq + 1 or self._gap_is_real(unit, event):
                return self._keep(db, unit, event, chain)
            return Taken(Ack(epoch=chain.epoch, seq=chain.seq))

    def _fault(self, db: Session, unit: str, event: Event) -> str:
        digest = event_hash(
            epoch=event.epoch,
            seq=event.seq,
            prev=event.prev,
            at=meeting_log.instant_text(event.at),
            kind=event.kind,
            sid=event.sid,
            fields=dict(event.fields),
        )
        if digest != event.hash:
            return "hash"
        return "" if signature_fits(keys_of(db, unit), digest, event.signature) else "signature"

    def _refuse(self, db: Session, unit: str, event: Event, field: str) -> None:
        log.warning("event %d of unit %s refused: %s does not fit", event.seq, unit, field)
        key = (unit, event.epoch, event.seq)
        if key not in self._refused:
            self._refused.add(key)
            fields: dict[str, str | int] = {"epoch": event.epoch, "seq": event.seq, "field": field}
            meeting_log.append(db, Entry("event_refused", self._clock(), unit=unit, fields=fields))

    def _gap_is_real(self, unit: str, event: Event) -> bool:
        epoch, seq, count = self._offers.get(unit, (0, 0, 0))
        count = count + 1 if (epoch, seq) == (event.epoch, event.seq) else 1
        self._offers[unit] = (event.epoch, event.seq, count)
        return count >= OFFERS_BEFORE_GAP

    def _keep(self, db: Session, unit: str, event: Event, chain: UnitChain) -> Taken:
        if event.seq > chain.seq + 1:
            fields = {"epoch": event.epoch, "first": chain.seq + 1, "last": event.seq - 1}
            meeting_log.append(db, Entry(MISSING, self._clock(), unit=unit, fields=fields))
        self._offers.pop(unit, None)
        meeting_log.append(
            db,
            Entry(event.kind, event.at, sid=event.sid, unit=unit, fields=event.fields, unit_event=event),
        )
        chain.seq, chain.hash = event.seq, event.hash
        changed = _apply_to_session(db, unit, event)
        return Taken(Ack(epoch=chain.epoch, seq=chain.seq), changed, is_new=True)


def _apply_to_session(db: Session, unit: str, event: Event) -> str | None:
    session = db.get(BookedSession, event.sid) if event.sid else None
    if session is None or session.room.unit_id != unit:
        return None
    if event.kind == "session_wiped" and session.state in NOT_BEGUN:
        return None  # of the time before it was handed over to another room, and back
    session.state = STATE_AFTER.get(event.kind, session.state)
    if event.kind == "checked_in":
        session.checked_in_at = event.at
        session.checked_in_how = str(event.fields.get("how", ""))[:20] or None
    if event.kind == "peer_left" and event.fields.get("role") == "patient":
        # The patient left the waiting room, or the unit was away too long: they may check in again.
        session.state, session.checked_in_at, session.checked_in_how = "ready", None, None
    if event.kind in OVER:
        session.ended_at = session.ended_at or event.at
    if event.kind in OVER | {"session_wiped", "session_cancelled"}:
        forget_meeting(db, session.sid)
    if event.kind == "session_wiped":
        # The retained schedule names it still: the broker is to keep nothing of it either.
        forget_secrets(session)
        touch(db, unit, "schedule")
    return session.sid
