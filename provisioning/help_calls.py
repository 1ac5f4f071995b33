"""Calls for help from the rooms: who has to hear of them, who answers, and what the room is told of it.

A unit has one call at a time and this table one row for it, so that a restart of the region forgets none; what
was is in the meeting log. An intent rings. An event alone, from an outbox that was away, comes too late for that
and is only shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract import Topic, encode
from agent.contract.events import Event, Intent, Notice
from provisioning import meeting_log
from provisioning.database import Database
from provisioning.meeting_log import Entry
from provisioning.models import Clinic, HelpCall, Room
from provisioning.people_models import AccountRow
from web.clinic.services import Account, HelpLine, NotAllowed, Refused

log = logging.getLogger(__name__)

LATE_AFTER = timedelta(minutes=2)
"""Asked so long ago and heard of only now: whoever asked has been shown the telephone number since."""
ANSWER_SHOWN = timedelta(minutes=10)
"""As on the unit, which says that it is over then; a unit that is gone does not."""
ANSWERERS = frozenset({"clinician", "staff"})

Publish = Callable[[Topic, bytes], bool]


class HelpCalls:
    """`changed` tells the open pages. Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        publish: Publish,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._changed = changed

    def intent(self, unit: str, kind: str, intent: Intent, at: datetime) -> None:
        """`up/intent/help` and `help_over`; a call that is answered already is answered once more."""
        if intent.id is None:
            log.warning("unit %s asks %s without an id", unit, kind)
        elif kind == "help_over":
            self._over(unit, intent.id)
        else:
            self._asked(unit, intent.id, intent.sid, at, rings=True)
            if self._is_answered(unit, intent.id):
                self._tell_unit(unit, intent.id)

    def event(self, unit: str, event: Event) -> None:
        """The same from the unit's outbox, once each and in order."""
        call_id = event.fields.get("id")
        if not isinstance(call_id, str):
            return
        if event.kind == "help_asked":
            late = self._clock() - event.at > LATE_AFTER
            self._asked(unit, call_id, event.sid, event.at, rings=not late)
        elif event.kind == "help_over":
            self._over(unit, call_id)

    def lines(self, account: Account) -> Sequence[HelpLine]:
        """What the account's clinic has to know now, the longest waiting first."""
        if account.role not in ANSWERERS:
            return []
        shown_from = self._clock() - ANSWER_SHOWN
        with self._database.read() as db:
            query = (
                select(HelpCall, Room.name, AccountRow.name)
                .join(Room, Room.id == HelpCall.room_id)
                .join(Clinic, Clinic.id == Room.clinic_id)
                .outerjoin(AccountRow, AccountRow.id == HelpCall.answered_by)
                .where(Clinic.name == account.clinic, HelpCall.over_at.is_(None))
                .order_by(HelpCall.asked_at, HelpCall.unit_id)
            )
            return [
                _line(row, room, name, account)
                for row, room, name in db.execute(query)
                if row.answered_at is None or row.answered_at > shown_from
            ]

    def come(self, account: Account, unit: str, call_id: str) -> None:
        """This account goes there: the room and the others are told. Raises Refused or NotAllowed.

        Of two who say so at once the first one goes, and the other's page shows who.
        """
        with self._database.write() as db:
            row = db.get(HelpCall, unit, with_for_update=True)
            if row is None or row.call_id != call_id or row.over_at is not None:
                raise Refused("help", "is over; the room has taken it back")
            if account.role not in ANSWERERS or _clinic_of(db, row) != account.clinic:
                raise NotAllowed("this room is another clinic's")
            if row.answered_at is not None:
                return
            row.answered_by, row.answered_at = account.id, self._clock()
            if row.late:
                row.over_at = row.answered_at  # nobody waits there any more: it has been seen
            fields = {"by": account.id, "role": account.role, "identified": account.identified, "id": call_id}
            meeting_log.append(db, Entry("help_taken", self._clock(), sid=row.sid, unit=unit, fields=fields))
        self._tell_unit(unit, call_id)
        self._changed()

    def _asked(self, unit: str, call_id: str, sid: str | None, at: datetime, *, rings: bool) -> None:
        now = self._clock()
        at = min(at, now)
        with self._database.write() as db:
            row = db.get(HelpCall, unit, with_for_update=True)
            if row is not None and row.call_id == call_id:
                if row.over_at is not None:
                    return
                row.asked_at, row.late = min(row.asked_at, at), row.late and not rings
            elif row is not None and row.over_at is None and at < row.asked_at:
                return  # of an outbox that tells of what was before
            else:
                room_id = db.scalar(select(Room.id).where(Room.unit_id == unit))
                if room_id is None:
                    log.warning("unit %s asks for help, but stands in no room", unit)
                    return
                if row is not None:
                    db.delete(row)
                    db.flush()
                late = not rings
                new = HelpCall(
                    unit_id=unit, call_id=call_id, room_id=room_id, sid=sid, asked_at=at, late=late
                )
                db.add(new)
        self._changed()

    def _over(self, unit: str, call_id: str) -> None:
        with self._database.write() as db:
            row = db.get(HelpCall, unit, with_for_update=True)
            if row is None or row.call_id != call_id or row.over_at is not None:
                return
            row.over_at = self._clock()
        self._changed()

    def _is_answered(self, unit: str, call_id: str) -> bool:
        with self._database.read() as db:
            row = db.get(HelpCall, unit)
            return row is not None and row.call_id == call_id and row.answered_at is not None

    def _tell_unit(self, unit: str, call_id: str) -> None:
        notice = encode(Notice(id=call_id), now=self._clock())
        if not self._publish(Topic(unit, "dn/notice", ("help_answered",)), notice):
            log.warning("unit %s is not told that help comes; it asks again", unit)


def _clinic_of(db: Session, row: HelpCall) -> str | None:
    room = db.get(Room, row.room_id)
    return room.clinic.name if room is not None else None


def _line(row: HelpCall, room: str, name: str | None, account: Account) -> HelpLine:
    return HelpLine(
        unit=row.unit_id,
        id=row.call_id,
        room_name=room,
        asked_at=row.asked_at,
        rings=row.answered_at is None and not row.late,
        late=row.late,
        answered_at=row.answered_at,
        answered_by=name or "",
        is_mine=row.answered_by == account.id,
    )
