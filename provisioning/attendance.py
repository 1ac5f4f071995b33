"""Who may come to a meeting, and as what: staff of its clinic, and those who hold a link to it."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract.schedule import PartyRole
from provisioning.meeting_models import Seat
from provisioning.meetings import Attendee
from provisioning.models import BookedSession
from web.clinic.seats import Guest
from web.clinic.services import Account, NotAllowed, Person, Refused


def own_session(db: Session, account: Account, sid: str) -> BookedSession:
    """The session, for an account of its clinic. Raises Refused if there is none, NotAllowed for any other."""
    row = db.get(BookedSession, sid)
    if row is None:
        raise Refused("session", "is not known")
    if account.clinic not in row.clinic_names or account.role == "it":
        raise NotAllowed("this session is another clinic's")
    return row


def attendee_of(db: Session, person: Person, sid: str) -> Attendee:
    """As what this person may come to the meeting. Raises Refused if there is none, NotAllowed if they may not."""
    if isinstance(person, Guest):
        seat = db.get(Seat, person.id)
        if seat is None or seat.closed or not seat.sid == sid == person.sid:
            raise NotAllowed("this link is for another meeting, or for none any more")
        return _with_seat(seat, Attendee(seat.id, cast(PartyRole, seat.role), "link", place=person.place))
    if person.role == "it":
        raise NotAllowed("meetings are for clinicians and staff")
    row = db.get(BookedSession, sid)
    if row is None:
        raise Refused("session", "is not known")
    if person.clinic in row.clinic_names:
        return Attendee(person.id, person.role, person.identified)
    for seat in db.scalars(select(Seat).where(Seat.sid == sid, Seat.closed.is_(False))):
        if person.id in seat.accounts:
            return _with_seat(seat, Attendee(person.id, cast(PartyRole, seat.role), person.identified))
    raise NotAllowed("this session is another clinic's")


def _with_seat(seat: Seat, attendee: Attendee) -> Attendee:
    return Attendee(
        attendee.id,
        attendee.role,
        attendee.identified,
        knocks=True,
        seat=seat.id,
        place=attendee.place,
        label=seat.label,
    )
