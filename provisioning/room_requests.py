"""What staff in a room ask for: more time, another room, a clinician from a queue. Each intent is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract import Topic, encode
from agent.contract.events import Intent, Notice
from provisioning import meeting_log
from provisioning.booking_rules import LONGEST
from provisioning.database import Database
from provisioning.dropins import DropIns
from provisioning.free_rooms import SHORTEST, in_the_way, is_ready
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession, Room
from provisioning.queues import Queues
from provisioning.rooms import touch
from provisioning.schedules import Publish
from provisioning.views import OVER, is_on_unit

log = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
HANDED_OVER_FROM = frozenset({"booked", "ready", "waiting"})


class RoomRequests:
    """Used by the region's worker thread only."""

    def __init__(
        self,
        database: Database,
        drop_ins: DropIns,
        queues: Queues,
        publish: Publish,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._drop_ins = drop_ins
        self._queues = queues
        self._publish = publish
        self._clock = clock
        self._moving_in: dict[str, str] = {}

    def take(self, unit: str, kind: str, intent: Intent) -> bool:
        """Do what is asked and answer; True if the pages may look different. Other kinds are others' to do."""
        match kind:
            case "extend":
                answer = self._extend(unit, intent)
            case "hand_over":
                answer = self._hand_over(unit, intent)
            case "dropin":
                answer = self._drop_in(unit, intent)
            case "dropin_cancel":
                return self._queues.leave(unit)
            case "overrun":
                self._send(unit, "overrun", Notice(sid=intent.sid))
                return True
            case _:
                return False
        if intent.id is not None:
            self._send(unit, "intent", answer.model_copy(update={"id": intent.id, "sid": intent.sid}))
        return answer.ok

    def room_is_taken(self, unit: str) -> None:
        """A patient has checked in there: the room waits in no queue."""
        self._queues.leave(unit)

    def expect(self, unit: str) -> None:
        """A session was moved to this unit's room from elsewhere (provisioning.moving)."""
        query = (
            select(BookedSession)
            .join(Room, Room.id == BookedSession.room_id)
            .where(Room.unit_id == unit, BookedSession.booked_room_id.is_not(None))
            .where(BookedSession.cancelled.is_(False), BookedSession.state.in_(HANDED_OVER_FROM))
            .where(BookedSession.end > self._clock())
            .order_by(BookedSession.start)
        )
        with self._database.read() as db:
            waited_for = [row.sid for row in db.scalars(query) if not is_on_unit(db, row)]
        if waited_for:
            self._moving_in[unit] = waited_for[0]

    def has_moved_in(self, unit: str) -> bool:
        """Whether this unit has confirmed a schedule with a session that was handed over to it; told once."""
        sid = self._moving_in.get(unit)
        if sid is None:
            return False
        with self._database.read() as db:
            row = db.get(BookedSession, sid)
            is_there = row is not None and is_on_unit(db, row)
        if is_there:
            del self._moving_in[unit]
        return is_there

    def _send(self, unit: str, kind: str, notice: Notice) -> None:
        self._publish(Topic(unit, "dn/notice", (kind,)), encode(notice, now=self._clock()))

    def _drop_in(self, unit: str, intent: Intent) -> Notice:
        if intent.queue is None:
            return _answer(self._drop_ins.ask(unit))
        return _answer(self._queues.ask(unit, intent.queue, intent.by))

    def _extend(self, unit: str, intent: Intent) -> Notice:
        now = self._clock()
        with self._database.write() as db:
            session = _session_in(db, unit, intent)
            if session is None or intent.minutes is None or session.state in OVER:
                return _answer("not_now")
            if intent.id is not None and session.last_request == intent.id:
                return Notice()  # it came twice
            begin = max(session.end, now)
            end = begin + intent.minutes * MINUTE
            following = _following(db, session)
            if following is not None and end > following.start:
                possible = max(0, (following.start - begin) // MINUTE)
                return Notice(ok=False, reason="next_in_way", minutes=possible or None)
            if end - session.start > LONGEST:
                return _answer("not_now")
            session.end, session.version, session.last_request = end, session.version + 1, intent.id
            fields: dict[str, str | int] = {"staff": intent.by or "", "minutes": intent.minutes}
            _log(db, "end_moved", session, now, fields)
            touch(db, unit, "schedule")
        return Notice()

    def _hand_over(self, unit: str, intent: Intent) -> Notice:
        """The code stays: it is digested under a salt that goes with the session."""
        now = self._clock()
        with self._database.write() as db:
            session = _session_in(db, unit, intent)
            if session is None:
                moved = db.get(BookedSession, intent.sid) if intent.sid else None
                again = moved is not None and intent.id is not None and moved.last_request == intent.id
                return Notice() if again else _answer("not_now")
            if session.state not in HANDED_OVER_FROM:
                return _answer("not_now")
            target = db.scalar(
                select(Room).where(Room.id == intent.room).with_for_update(of=Room, key_share=True)
            )
            if target is None or target.clinic_id != session.room.clinic_id or target.id == session.room_id:
                return _answer("no_such_room")
            if not is_ready(db, target, now):
                return _answer("room_unwell")
            end = max(session.end, now + SHORTEST)
            if in_the_way(db, target, session.start, end, now) is not None:
                return _answer("room_not_free")
            fields = {"staff": intent.by or "", "from": session.room_id, "room": target.id}
            session.booked_room_id = session.booked_room_id or session.room_id
            session.room, session.end = target, end
            session.state, session.checked_in_at, session.checked_in_how = "booked", None, None
            session.version, session.last_request = session.version + 1, intent.id
            _log(db, "room_changed", session, now, fields)
            for each in (unit, target.unit_id or ""):
                touch(db, each, "schedule")
            self._moving_in[target.unit_id or ""] = session.sid
        return Notice()


def _answer(reason: str) -> Notice:
    return Notice(ok=False, reason=reason) if reason else Notice()


def _session_in(db: Session, unit: str, intent: Intent) -> BookedSession | None:
    """The session that a unit speaks of, if it is in that unit's room."""
    query = select(BookedSession).where(BookedSession.sid == (intent.sid or ""))
    session = db.scalar(query.with_for_update(of=BookedSession))
    if session is None or session.cancelled or session.room.unit_id != unit:
        return None
    return session


def _following(db: Session, session: BookedSession) -> BookedSession | None:
    query = select(BookedSession).where(
        BookedSession.room_id == session.room_id,
        BookedSession.cancelled.is_(False),
        BookedSession.start > session.start,
        BookedSession.state.not_in(OVER),
    )
    return db.scalar(query.order_by(BookedSession.start).limit(1))


def _log(
    db: Session, kind: str, session: BookedSession, now: datetime, fields: Mapping[str, str | int]
) -> None:
    told = {name: value for name, value in fields.items() if value}
    meeting_log.append(db, Entry(kind, now, sid=session.sid, unit=session.room.unit_id, fields=told))
