"""A region in memory: what `web.clinic` is built against, for its tests and for looking at its pages."""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.contract.quality import PageReport
from web.clinic.course import CallLine, Course
from web.clinic.people import Assignment, Taken
from web.clinic.seats import Guest, SeatInvitation, SeatLine, SeatLook
from web.clinic.services import (
    Account,
    BookingRequest,
    Clash,
    HelpLine,
    Invitation,
    LogLine,
    NotAllowed,
    Person,
    QueueRow,
    Refused,
    Role,
    Room,
    SessionRow,
    TooManyTries,
)

PASSWORD = "correct horse battery"
CANARY = "<script>alert('canary')</script>"
TOKEN = "t" * 32
SID = "k3v9q2m4x8t1"


class FakeFeed:
    def __init__(self) -> None:
        self.messages: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self.closed = False

    def get(self, timeout_s: float) -> Mapping[str, Any] | None:
        try:
            return self.messages.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        self.closed = True


SEAT_TOKEN = "a" * 32
SEAT_CODE = "271828"


class FakeSeats:
    """SeatServices: each seat has the same link and code."""

    def __init__(self, region: FakeRegion) -> None:
        self.region = region
        self.lines: dict[str, SeatLine] = {}
        self.opens_at: datetime | None = None
        self.in_use = False
        self.wrong_codes = 0
        self.claimed_as: list[str] = []

    def make(self, account: Account, sid: str, role: str, label: str) -> SeatInvitation:
        self.region.session(account, sid)
        if len(label) > 40:
            raise Refused("label", "has at most 40 characters")
        seat_id = f"seat{len(self.lines)}"
        self.lines[seat_id] = SeatLine(seat_id, role, label, "made")
        return SeatInvitation(seat_id, sid, role, SEAT_CODE, SEAT_TOKEN)

    def list(self, account: Account, sid: str) -> Sequence[SeatLine]:
        self.region.session(account, sid)
        return list(self.lines.values())

    def withdraw(self, account: Account, sid: str, seat_id: str) -> None:
        self.region.session(account, sid)
        if self.lines.pop(seat_id, None) is None:
            raise Refused("seat", "is not there any more")

    def look(self, token: str) -> SeatLook:
        if token != SEAT_TOKEN or not self.lines:
            raise Refused("link", "is not known: the meeting is over, or the link was withdrawn")
        seat, row = next(iter(self.lines.values())), next(iter(self.region.rows.values()))
        opens_at = self.opens_at or row.start - timedelta(minutes=15)
        is_open = self.region.now >= opens_at
        return SeatLook(seat.id, row.sid, seat.role, row.start, opens_at, is_open, self.in_use)

    def claim(self, token: str, code: str) -> Guest:
        look = self.look(token)
        if self.wrong_codes >= 5:
            raise TooManyTries(self.region.now + timedelta(minutes=2))
        if not look.is_open:
            raise Refused("link", "opens later")
        if code != SEAT_CODE:
            self.wrong_codes += 1
            raise Refused("code", "is wrong")
        return Guest(look.id, look.sid, look.role, f"place{len(self.claimed_as)}")

    def claim_as(self, account: Account, token: str) -> SeatLook:
        if account.role == "it":
            raise NotAllowed
        look = self.look(token)
        self.claimed_as.append(account.id)
        return look

    def guest(self, seat_id: str, sid: str, place: str) -> Guest | None:
        line = self.lines.get(seat_id)
        return Guest(seat_id, sid, line.role, place) if line else None


class FakeRegion:
    """RegionServices and BookingApi at once."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.accounts = {
            "anna": Account("a1", "Anna Berg", "clinician", "Kusten"),
            "bo": Account("a2", "Bo Ek", "staff", "Kusten"),
            "cia": Account("a3", "Cia Lund", "clinician", "Kusten"),
            "ivar": Account("a4", "Ivar It", "it", "Kusten"),
        }
        self.all_rooms = {
            "r1": Room("r1", "Rum 1", "Kusten", "unit-1", "ready"),
            "r2": Room("r2", "Rum 2", "Kusten", "unit-2", "degraded", ("camera",)),
            "r3": Room("r3", "Rum 3", "Fjället", "unit-3", "lost"),
        }
        self.rows: dict[str, SessionRow] = {}
        self.wrong_tries = 0
        self.signals: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
        self.seen: list[Mapping[str, Any]] = []
        self.watchers: list[FakeFeed] = []
        self.meetings: dict[str, FakeFeed] = {}
        self.lines: list[LogLine] = []
        self.posted: list[Mapping[str, Any]] = []
        self.reports: list[PageReport] = []
        self.courses: dict[str, Course] = {}
        self.seats = FakeSeats(self)
        self.help: list[HelpLine] = []
        self.ended: set[str] = set()
        self.looks: list[tuple[str, str, str | None, str | None, bool]] = []
        self.held: dict[str, Taken] = {}
        self.offered: tuple[Assignment, ...] = ()
        self.closed = False
        self.waiting: dict[str, QueueRow] = {}

    # --- for tests
    def add_account(self, username: str, account_id: str, role: Role, clinic: str) -> None:
        self.accounts[username] = Account(account_id, username.title(), role, clinic)

    def add(self, sid: str = SID, **changes: Any) -> SessionRow:
        row = SessionRow(
            sid=sid,
            ref=changes.pop("ref", "A17"),
            start=changes.pop("start", self.now),
            end=changes.pop("end", self.now + timedelta(minutes=30)),
            room=self.all_rooms[changes.pop("room", "r1")],
            clinic="Kusten",
            role="clinician",
            state=changes.pop("state", "booked"),
            language="sv",
            methods=("code", "staff"),
            schedule_on_unit=True,
        )
        self.rows[sid] = replace(row, **changes)
        return self.rows[sid]

    def change(self, sid: str = SID, **changes: Any) -> None:
        self.rows[sid] = replace(self.rows[sid], **changes)
        for feed in self.watchers:
            feed.messages.put({"type": "changed"})
        if sid in self.meetings:
            self.meetings[sid].messages.put({"type": "session", "sid": sid})

    # --- RegionServices
    def queues(self, account: Account) -> Sequence[QueueRow]:
        return list(self.waiting.values())

    def take_from_queue(self, account: Account, queue: str, entry: int | None) -> str:
        if account.role != "clinician":
            raise NotAllowed
        row = self.waiting[queue]
        taken = next((each for each in row.waiting if entry in {None, each.id}), None)
        if taken is None:
            raise Refused("entry", "was taken by a colleague, or waits no longer")
        left = tuple(each for each in row.waiting if each is not taken)
        self.waiting[queue] = replace(row, waiting=left)
        return self.add(state="waiting", room=taken.room.id).sid

    def authenticate(self, username: str, password: str) -> Account | None:
        if self.wrong_tries >= 5:
            raise TooManyTries(self.now + timedelta(minutes=2))
        if password == PASSWORD and username in self.accounts:
            return self.accounts[username]
        self.wrong_tries += 1
        return None

    def account(self, account_id: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.id == account_id), None)

    def rooms(self, account: Account) -> Sequence[Room]:
        return list(self.all_rooms.values())

    def sessions(self, account: Account, day: datetime) -> Sequence[SessionRow]:
        if account.role == "it":
            raise NotAllowed
        following = day + timedelta(days=1)
        return sorted(
            (row for row in self.rows.values() if day <= row.start < following), key=lambda row: row.start
        )

    def session(self, account: Account, sid: str) -> SessionRow:
        if sid not in self.rows:
            raise Refused("sid", "no such session")
        if self.rows[sid].clinic != account.clinic or account.role == "it":
            raise NotAllowed
        return self.rows[sid]

    def book(self, account: Account, request: BookingRequest) -> Invitation:
        if request.room_id not in self.all_rooms:
            raise Refused("room_id", "choose_one")
        self._refuse_clash(request.room_id, request.start, request.end, "")
        sid = f"s{len(self.rows):011d}"
        row = self.add(
            sid,
            ref=f"A{18 + len(self.rows)}",
            start=request.start,
            end=request.end,
            room=request.room_id,
            methods=request.methods,
            language=request.language,
        )
        token = TOKEN if "qr" in request.methods else ""
        return Invitation(sid, row.ref, row.start, row.end, row.room.name, "314159", token)

    def move(self, account: Account, sid: str, start: datetime, end: datetime) -> SessionRow:
        row = self.session(account, sid)
        self._refuse_clash(row.room.id, start, end, sid)
        self.change(sid, start=start, end=end)
        return self.rows[sid]

    def cancel(self, account: Account, sid: str) -> None:
        if self.session(account, sid).state in ("in_call", "admitted"):
            raise Refused("sid", "It has begun.")
        self.change(sid, state="cancelled")

    def check_in(self, account: Account, sid: str) -> None:
        if self.session(account, sid).room.unit_state == "lost":
            raise Refused("sid", "The room is out of reach.")
        self.change(sid, state="waiting", checked_in_at=self.now, checked_in_how="staff")

    def log(self, account: Account, sid: str) -> Sequence[LogLine]:
        self.session(account, sid)
        return self.lines

    def help_calls(self, account: Account) -> Sequence[HelpLine]:
        return self.help

    def come(self, account: Account, unit: str, call_id: str) -> None:
        if call_id not in [line.id for line in self.help]:
            raise Refused("help", "is over; the room has taken it back")
        self.help = [
            replace(line, rings=False, answered_at=self.now, answered_by=account.name, is_mine=True)
            for line in self.help
        ]

    def call_for_help(self, *lines: HelpLine) -> None:
        self.help = list(lines)
        for feed in [*self.watchers, *self.meetings.values()]:
            feed.messages.put({"type": "help"})

    def watch(self, account: Account) -> FakeFeed:
        self.watchers.append(FakeFeed())
        return self.watchers[-1]

    def meeting(self, person: Person, sid: str) -> SessionRow:
        if isinstance(person, Account) and person.id not in self.seats.claimed_as:
            return self.session(person, sid)
        if isinstance(person, Guest) and person.sid != sid:
            raise NotAllowed
        return self.rows[sid]

    def is_admitted(self, person: Person, sid: str) -> bool:
        return isinstance(person, Account) and person.id not in self.seats.claimed_as

    def open_meeting(self, person: Person, sid: str, instance: str) -> FakeFeed:
        self.meeting(person, sid)
        if sid in self.meetings:
            self.meetings[sid].messages.put({"type": "replaced"})
        self.meetings[sid] = feed = FakeFeed()
        feed.messages.put({"type": "session", "sid": sid})
        self.signals.put((instance, {"type": "join"}))
        return feed

    def signal(self, person: Person, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        row = self.meeting(person, sid)
        if message["type"] == "admit":
            if row.state != "waiting":
                raise Refused("state", "Nobody waits.")
            self.change(sid, state="admitted")
        if message["type"] == "end":
            self.change(sid, state="ended")
        self.seen.append(message)
        self.signals.put((instance, message))

    def saw(self, person: Person, sid: str, instance: str, reports: Sequence[PageReport]) -> None:
        self.meeting(person, sid)
        if instance == "replaced0":
            raise Refused("instance", "was replaced by another window")
        self.reports += reports

    def calls(self, account: Account) -> Sequence[CallLine]:
        return [course.line for course in self.courses.values()]

    def course(self, account: Account, sid: str) -> Course | None:
        self.session(account, sid)
        return self.courses.get(sid)

    # --- PeopleServices
    def assignments(self, claims: Mapping[str, Any]) -> Sequence[Assignment]:
        return self.offered

    def sign_in_as(self, claims: Mapping[str, Any], assignment: Assignment) -> Account | None:
        if self.closed:
            return None
        name = str(claims.get("name", "?"))
        made = Account("o" + str(claims["sub"]), name, assignment.role, assignment.clinic, "oidc")
        self.accounts[made.id] = made
        return made

    def ended_sign_ins(self, since: datetime) -> frozenset[str]:
        return frozenset(self.ended)

    def remember_ended(self, digest: str) -> None:
        self.ended.add(digest)

    def looked(
        self,
        account: Account,
        kind: str,
        *,
        sid: str | None = None,
        day: str | None = None,
        refused: bool = False,
    ) -> None:
        self.looks.append((account.id, kind, sid, day, refused))

    def take(self, account: Account, sid: str, *, over: bool = False) -> None:
        self.session(account, sid)
        if account.role != "clinician":
            raise NotAllowed
        held = self.held.get(sid)
        if held is not None and held.account_id != account.id and not over:
            raise Refused("taken", "a colleague takes this patient already")
        self.held[sid] = Taken(account.id, account.name, self.now)
        self.change(sid)

    def release(self, account: Account, sid: str) -> None:
        self.session(account, sid)
        if sid in self.held and self.held[sid].account_id == account.id:
            del self.held[sid]
            self.change(sid)

    def taken(self, account: Account, sids: Sequence[str]) -> Mapping[str, Taken]:
        return {sid: held for sid, held in self.held.items() if sid in sids}

    # --- BookingApi
    def authorise(self, bearer_token: str) -> str | None:
        return "tidbok" if bearer_token == TOKEN else None

    def post_appointment(self, client: str, resource: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        self.posted.append(resource)
        return 201, {"resourceType": "Appointment", "id": "77", "status": resource.get("status")}

    def post_bundle(self, client: str, resource: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        self.posted.append(resource)
        return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": []}

    def get_appointment(self, client: str, appointment_id: str) -> tuple[int, Mapping[str, Any]]:
        if appointment_id != "77":
            return 404, {"resourceType": "OperationOutcome", "issue": []}
        return 200, {"resourceType": "Appointment", "id": "77"}

    def _refuse_clash(self, room_id: str, start: datetime, end: datetime, but: str) -> None:
        for row in self.rows.values():
            if row.sid != but and row.room.id == room_id and row.start < end and start < row.end:
                raise Clash("start", f"the room is booked {CANARY} ({row.ref}); choose another")
