"""What the region's pages may ask of the region. `provisioning` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from agent.contract.quality import PageReport
from web.clinic.course import CallLine, Course
from web.clinic.people import PeopleServices
from web.clinic.seats import Guest, SeatServices

Role = Literal["clinician", "staff", "it"]


class Refused(ValueError):
    """A request that cannot be done: which field, and why in words for the person who asked."""

    def __init__(self, field_name: str, reason: str) -> None:
        super().__init__(f"{field_name}: {reason}")
        self.field_name = field_name
        self.reason = reason


class Clash(Refused):
    """The room is booked already; the reason names the time and the session's ref."""


class TooManyTries(Refused):
    """Sign-in pauses after wrong tries."""

    def __init__(self, until: datetime) -> None:
        super().__init__("password", "too many tries")
        self.until = until


class NotAllowed(PermissionError):
    """Signed in, but this is another clinic's or another role's."""


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who has signed in. The name is staff's own, never a patient's."""

    id: str
    name: str
    role: Role
    clinic: str
    identified: Literal["account", "oidc"] = "account"
    """By a password kept here, or by the region's OpenID provider."""


Person = Account | Guest
"""Who may come to a meeting: staff who have signed in, or someone with a link."""


@dataclass(frozen=True, slots=True)
class Room:
    """A bookable room (FHIR Location), the unit in it now, and whether it is well."""

    id: str
    name: str
    clinic: str
    unit: str | None
    unit_state: str
    """starting, ready, in_session, degraded, stopping, lost, or unknown."""
    faults: tuple[str, ...] = ()
    unit_state_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the day's list shows it. `state` is the unit's last word, or `booked`."""

    sid: str
    ref: str
    start: datetime
    end: datetime
    room: Room
    clinic: str
    role: str
    state: str
    language: str
    methods: tuple[str, ...]
    checked_in_at: datetime | None = None
    checked_in_how: str | None = None
    parties: tuple[str, ...] = ()
    schedule_on_unit: bool = False
    """The unit has confirmed a schedule that holds this session."""
    held_by: str | None = None
    """Its time has come, and the session of that `ref` still holds the room."""
    next_waits: str | None = None
    """It goes on, and the session of that `ref` waits for the room."""


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What is booked: a room and a time."""

    room_id: str
    start: datetime
    end: datetime
    language: str = "sv"
    methods: tuple[str, ...] = ("code", "qr", "staff")
    waiting_room: bool = True


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the booking system sends on to the patient. The code is shown once and kept only as a digest."""

    sid: str
    ref: str
    start: datetime
    end: datetime
    room_name: str
    code: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A room that waits in a queue for a clinician."""

    id: int
    room: Room
    since: datetime


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue of the account's clinic, and who waits in it, first come first."""

    id: str
    name: str
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry of the meeting log."""

    at: datetime
    source: str
    """`unit` or `region`."""
    kind: str
    fields: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    """Of accounts and staff whose ids stand in the fields: the log itself keeps ids alone."""


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A room's call for help, as staff's pages show it: `rings` until somebody answers.

    `late`: it was asked while the room was out of reach, and is only told of.
    """

    unit: str
    id: str
    room_name: str
    asked_at: datetime
    rings: bool
    late: bool = False
    answered_at: datetime | None = None
    answered_by: str = ""
    is_mine: bool = False


class Feed(Protocol):
    """Messages for one open page."""

    def get(self, timeout_s: float) -> Mapping[str, Any] | None:
        """The next message (JSON object with a `type`), or None when nothing came within timeout_s."""

    def close(self) -> None:
        """The page is gone."""


class RegionServices(PeopleServices, Protocol):
    """All methods may be called on any thread; those that take an account raise NotAllowed and Refused."""

    def authenticate(self, username: str, password: str) -> Account | None:
        """The account, or None for a wrong name or password (alike in time). Raises TooManyTries."""

    def account(self, account_id: str) -> Account | None:
        """An account that may still sign in."""

    def rooms(self, account: Account) -> Sequence[Room]:
        """The rooms this account may book or watch."""

    def sessions(self, account: Account, day: datetime) -> Sequence[SessionRow]:
        """That day's sessions, in order of start; cancelled and past ones too."""

    def session(self, account: Account, sid: str) -> SessionRow:
        """One session. Raises Refused if there is none."""

    def book(self, account: Account, request: BookingRequest) -> Invitation:
        """Book; raises Clash or Refused."""

    def move(self, account: Account, sid: str, start: datetime, end: datetime) -> SessionRow:
        """Move within the same room; the code stays."""

    def cancel(self, account: Account, sid: str) -> None:
        """Cancel; raises Refused once it has begun."""

    def check_in(self, account: Account, sid: str) -> None:
        """Staff at their own PC say that the patient sits in the room; raises Refused if the room is lost."""

    def queues(self, account: Account) -> Sequence[QueueRow]:
        """The queues of the account's clinic."""

    def take_from_queue(self, account: Account, queue: str, entry: int | None) -> str:
        """Take a room that waits (None: the first), and book it from now: returns the session's sid.
        Raises Refused, also when a colleague was quicker."""

    def log(self, account: Account, sid: str) -> Sequence[LogLine]:
        """The session's meeting log, oldest first."""

    def help_calls(self, account: Account) -> Sequence[HelpLine]:
        """Who calls for help in the account's rooms, and who goes there."""

    def come(self, account: Account, unit: str, call_id: str) -> None:
        """The account goes there. Raises Refused when the call is over."""

    def watch(self, account: Account) -> Feed:
        """`{"type": "changed"}` each time the day's list may look different; `{"type": "help"}` when the calls for
        help may, which comes on a meeting's feed too."""

    @property
    def seats(self) -> SeatServices:
        """Seats for those who come to a meeting by a link."""

    def meeting(self, person: Person, sid: str) -> SessionRow:
        """The session, for someone who may come to its meeting."""

    def is_admitted(self, person: Person, sid: str) -> bool:
        """Whether they come in without knocking."""

    def open_meeting(self, person: Person, sid: str, instance: str) -> Feed:
        """The party opens the meeting page (instance is new for each page load); `join` goes to the unit when
        the party is inside: at once for the session's own clinic, for others when the chair has let them in.

        The feed carries `{"type":"session", …SessionRow as JSON…}`, `{"type":"offer", "attempt", "sdp",
        "ice_servers", "ice_transport_policy"}`, `{"type":"candidate", …}`, `{"type":"bye", "reason"}` (these
        three with `"share": true` when they are about the connection that carries what the page shows),
        `{"type":"parties", "you", "chair", "parties", "lobby", "sharing", "held", "ice_servers",
        "ice_transport_policy"}` at each change, `{"type":"mesh", "from", "kind", …}` from another page,
        `{"type":"lobby", "state"}` (waiting, admitted, rejected, full, ended, closed) for those outside, and
        `{"type":"replaced"}` when the same person opens the meeting in another window, after which nothing
        more comes. Those outside get no `session`, `parties` or `mesh`.
        A feed that closes without `leave` is a reload or a lost line: the unit is told after a grace.
        """

    def signal(self, person: Person, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        """From the page: what web.clinic.signals lists. Raises Refused."""

    def saw(self, person: Person, sid: str, instance: str, reports: Sequence[PageReport]) -> None:
        """What the page saw of the call in the last intervals. Raises Refused."""

    def calls(self, account: Account) -> Sequence[CallLine]:
        """The latest calls whose quality figures are kept, newest first; IT sees every clinic's."""

    def course(self, account: Account, sid: str) -> Course | None:
        """How a call went; None if nothing is kept of it."""


class BookingApi(Protocol):
    """FHIR R4 for booking systems: bodies in and out as JSON objects; status codes as HTTP's."""

    def authorise(self, bearer_token: str) -> str | None:
        """The client's id, or None."""

    def post_appointment(self, client: str, resource: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Create, move or cancel; 201/200 with the kept Appointment, 4xx with an OperationOutcome."""

    def post_bundle(self, client: str, resource: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """A Bundle of type batch, answered entry by entry."""

    def get_appointment(self, client: str, appointment_id: str) -> tuple[int, Mapping[str, Any]]:
        """What was kept of one Appointment."""
