"""What the region's pages may do (web.clinic.services.RegionServices), each within the account's clinic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_jsonable_python
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.contract.quality import PageReport
from provisioning import meeting_log, models, quality_views
from provisioning.accounts import Accounts
from provisioning.attendance import attendee_of, own_session
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.feeds import HELP, PageFeed, WatchFeeds
from provisioning.help_calls import HelpCalls
from provisioning.meeting_log import Entry
from provisioning.meetings import Attendee
from provisioning.models import BookedSession, Clinic
from provisioning.oidc_settings import OidcSettings
from provisioning.people_services import PeopleServices
from provisioning.quality import Quality
from provisioning.queues import Intake
from provisioning.seats import Seats
from provisioning.signalling import Signalling
from provisioning.views import (
    OPENS_BEFORE,
    OVER,
    REACHABLE,
    log_line,
    names_of_people,
    room_value,
    session_value,
)
from web.clinic.course import CallLine, Course
from web.clinic.services import (
    Account,
    BookingRequest,
    HelpLine,
    Invitation,
    LogLine,
    NotAllowed,
    Person,
    QueueRow,
    Refused,
    Room,
    SessionRow,
)

MOST_CALLS = 200


class Services(PeopleServices):
    """Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        bookings: Bookings,
        signalling: Signalling,
        quality: Quality,
        *,
        help_calls: HelpCalls,
        seats: Seats,
        intake: Intake,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        oidc: OidcSettings | None = None,
    ) -> None:
        super().__init__(database, accounts, clock=clock, oidc=oidc)
        self._bookings = bookings
        self._signalling = signalling
        self._quality = quality
        self.seats = seats
        self._intake = intake
        self._zone = zone
        self._watchers = WatchFeeds()
        self._help = help_calls

    def rooms(self, account: Account) -> Sequence[Room]:
        """The rooms this account may book or watch: its clinic's, or all for IT."""
        with self._database.read() as db:
            query = select(models.Room).join(Clinic).order_by(models.Room.name, models.Room.id)
            if account.role != "it":
                query = query.where(Clinic.name == account.clinic)
            return [room_value(db, row) for row in db.scalars(query)]

    def sessions(self, account: Account, day: datetime) -> Sequence[SessionRow]:
        """That day's sessions, in order of start; cancelled and past ones too. Raises NotAllowed for IT."""
        if account.role == "it":
            raise NotAllowed("sessions are for clinicians and staff")
        date = (day.astimezone(self._zone) if day.tzinfo else day).date()
        first, last = (
            datetime.combine(each, time(), self._zone).astimezone(UTC)
            for each in (date, date + timedelta(days=1))
        )
        with self._database.read() as db:
            mine = _clinic_id(db, account)
            query = (
                select(BookedSession)
                .join(models.Room, models.Room.id == BookedSession.room_id)
                .where(or_(models.Room.clinic_id == mine, BookedSession.served_by_id == mine))
                .where(BookedSession.start >= first, BookedSession.start < last)
                .order_by(BookedSession.start, BookedSession.ref)
            )
            values = [self._value(db, row) for row in db.scalars(query)]
        return [self._with_parties(value) for value in values]

    def session(self, account: Account, sid: str) -> SessionRow:
        """One session. Raises Refused if there is none, NotAllowed if it is another clinic's."""
        with self._database.read() as db:
            value = self._value(db, own_session(db, account, sid))
        return self._with_parties(value)

    def book(self, account: Account, request: BookingRequest) -> Invitation:
        """Book; raises Clash or Refused."""
        invitation = self._bookings.book(self.booker(account), request)
        self.changed()
        return invitation

    def move(self, account: Account, sid: str, start: datetime, end: datetime) -> SessionRow:
        """Move within the same room; the code stays."""
        self._bookings.move(self.booker(account), sid, start, end)
        self.changed(sid)
        return self.session(account, sid)

    def cancel(self, account: Account, sid: str) -> None:
        """Cancel; raises Refused once it has begun."""
        self._bookings.cancel(self.booker(account), sid)
        self.changed(sid)

    def take(self, account: Account, sid: str, *, over: bool = False) -> None:
        """Take a patient. Raises Refused if a colleague does, or NotAllowed."""
        self.session(account, sid)
        if self._waiting.take(account, sid, over=over):
            self.changed(sid)

    def release(self, account: Account, sid: str) -> None:
        """Let go of a patient whom one has taken."""
        self.session(account, sid)
        if self._waiting.release(account, sid):
            self.changed(sid)

    def check_in(self, account: Account, sid: str) -> None:
        """Staff at their own PC say that the patient sits in the room; raises Refused if the room is lost."""
        booker = self.booker(account)
        with self._database.write() as db:
            row = own_session(db, account, sid)
            if row.cancelled or row.state in OVER:
                raise Refused("session", "is over or cancelled")
            if row.checked_in_at is not None:
                raise Refused("session", "is checked in already")
            if self._clock() < row.start - OPENS_BEFORE:
                raise Refused("session", "is not yet open; check in from 15 minutes before its start")
            if "staff" not in row.methods:
                raise Refused("methods", "this session has no check-in by staff")
            if room_value(db, row.room).unit_state not in REACHABLE:
                raise Refused("room", "cannot be reached now; check the patient in at its touchscreen")
            fields = {"by": booker.id, "role": booker.role, "identified": booker.identified}
            meeting_log.append(db, Entry("remote_check_in", self._clock(), sid=sid, fields=fields))
        self._signalling.check_in(sid, account.id)

    def queues(self, account: Account) -> Sequence[QueueRow]:
        """The queues of the account's clinic, and which rooms wait in them, first come first."""
        return self._intake.queues(account)

    def take_from_queue(self, account: Account, queue: str, entry: int | None) -> str:
        """Take a room that waits (None: the first), and book it from now. Raises Refused or NotAllowed."""
        try:
            return self._intake.take(account, queue, entry)
        finally:
            self.changed()

    def log(self, account: Account, sid: str) -> Sequence[LogLine]:
        """The session's meeting log, oldest first."""
        with self._database.read() as db:
            own_session(db, account, sid)
            names = names_of_people(db)
            return [log_line(entry, names) for entry in meeting_log.of_session(db, sid)]

    def help_calls(self, account: Account) -> Sequence[HelpLine]:
        """Who calls for help in the clinic's rooms, and who goes there."""
        return self._help.lines(account)

    def come(self, account: Account, unit: str, call_id: str) -> None:
        """The account goes there. Raises Refused or NotAllowed."""
        self._help.come(account, unit, call_id)

    def watch(self, account: Account) -> PageFeed:
        """`{"type": "changed"}` when the day's list may look different, `{"type": "help"}` the calls for help."""
        return self._watchers.open()

    def meeting(self, person: Person, sid: str) -> SessionRow:
        """The session, for someone who may come to its meeting. Raises Refused or NotAllowed."""
        with self._database.read() as db:
            attendee_of(db, person, sid)
            value = self._value(db, db.get_one(BookedSession, sid))
        return self._with_parties(value)

    def is_admitted(self, person: Person, sid: str) -> bool:
        """Whether they come in without knocking. Raises Refused or NotAllowed."""
        return self._signalling.admits(self._attendee(person, sid), sid)

    def open_meeting(self, person: Person, sid: str, instance: str) -> PageFeed:
        """The party opens a page: `join` goes to the unit, or they knock. Raises Refused or NotAllowed."""
        attendee = self._attendee(person, sid)
        feed = self._signalling.open(attendee, sid, instance)
        if isinstance(person, Account) and not attendee.knocks:
            self._take_by_opening(person, sid)
        for each in {sid, *self._signalling.take_entered()}:
            self.changed(each)
        return feed

    def signal(self, person: Person, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        """From the page to the unit or another page. Raises Refused or NotAllowed."""
        self._signalling.signal(self._attendee(person, sid), sid, instance, message)
        if message.get("type") == "end":
            self._remember_end(sid)
        if message.get("type") == "leave" and isinstance(person, Account):
            self._waiting.release(person, sid, before_call=True)
        if message.get("type") in {"end", "leave"}:
            self.changed(sid)
        self.tell_entered()

    def calls(self, account: Account) -> Sequence[CallLine]:
        """The latest calls whose figures are kept: the clinic's, for IT of all clinics."""
        with self._database.read() as db:
            return quality_views.calls(db, None if account.role == "it" else account.clinic, MOST_CALLS)

    def course(self, account: Account, sid: str) -> Course | None:
        """How a call went; None if nothing is kept of it. IT sees every clinic's, and nothing else of it."""
        with self._database.read() as db:
            if account.role != "it":
                own_session(db, account, sid)
            return quality_views.course(db, sid)

    def saw(self, person: Person, sid: str, instance: str, reports: Sequence[PageReport]) -> None:
        """What a party's page saw of the call. Raises Refused or NotAllowed."""
        peer, role = self._signalling.party(self._attendee(person, sid), sid, instance)
        self._quality.take_page(sid, peer, role, reports)

    def changed(self, sid: str | None = None) -> None:
        """Tell the pages that a session (None: any of them) may look different."""
        self._watchers.changed()
        for each in [sid] if sid else self._signalling.open_sids():
            with self._database.read() as db:
                row = db.get(BookedSession, each)
                value = self._value(db, row) if row is not None else None
            if value is not None:
                message = _message(self._with_parties(value))
                self._signalling.tell(each, message)
                if message["state"] in OVER:
                    self._signalling.over(each)

    def help_changed(self) -> None:
        """Tell the pages, also those that are in a meeting, that the calls for help may look different."""
        self._watchers.tell(HELP)
        for sid in self._signalling.open_sids():
            self._signalling.tell(sid, HELP, to_guests=False)

    def tell_entered(self) -> None:
        """Tell those who have come in how their session stands."""
        for sid in self._signalling.take_entered():
            self.changed(sid)

    def end(self) -> None:
        """The region stops: all feeds end."""
        self._watchers.end()
        self._signalling.end()

    def _remember_end(self, sid: str) -> None:
        # A unit that restarts before it hears of the end must not be told that it may go on.
        with self._database.write() as db:
            row = db.get(BookedSession, sid, with_for_update={"of": BookedSession})
            if row is not None and row.state in {"admitted", "in_call"}:
                row.ended_at = row.ended_at or self._clock()

    def _value(self, db: Session, row: BookedSession) -> SessionRow:
        return session_value(db, row, self._clock())

    def _with_parties(self, value: SessionRow) -> SessionRow:
        """Signalling is asked with no connection in hand: who has its lock may be waiting for one, and all
        pages ask at once."""
        return replace(value, parties=self._signalling.parties(value.sid))

    def _attendee(self, person: Person, sid: str) -> Attendee:
        with self._database.read() as db:
            return attendee_of(db, person, sid)

    def booker(self, account: Account) -> Booker:
        """In whose name this account books; raises NotAllowed for IT."""
        if account.role == "it":
            raise NotAllowed("bookings are for clinicians and staff")
        with self._database.read() as db:
            return Booker(account.id, account.role, account.identified, _clinic_id(db, account))


def _clinic_id(db: Session, account: Account) -> int:
    return db.scalar(select(Clinic.id).where(Clinic.name == account.clinic)) or 0


def _message(row: SessionRow) -> dict[str, Any]:
    return {"type": "session", **to_jsonable_python(asdict(row))}
