"""What the touchscreen shows, as one document, and what a touch may ask. Values only; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from agent.contract.instructions import Level
from agent.contract.quality import Received
from agent.contract.unit_config import SoundOutput
from agent.screen_meeting import Announcement, Beside, CameraChoice, Caption, Question

Page = Literal["idle", "waiting", "call", "ended", "fault", "halted", "enrol"]
PartyState = Literal["joined", "connecting", "connected", "lost"]
HelpState = Literal["none", "sent", "answered", "unanswered"]
CallLine = Literal["fine", "reconnecting", "lost"]
Refusal = Literal[
    "wrong_code",
    "locked",
    "used_code",
    "old_code",
    "too_early",
    "not_now",
    "wrong_pin",
    "pin_locked",
    "no_pin_set",
    "staff_locked",
    "room_taken",
    "no_region",
    "bad_request",
    "wrong_qr",
    "foreign_qr",
    "used_qr",
    "old_qr",
    "no_camera",
    "no_such_room",
    "room_not_free",
    "room_unwell",
    "next_in_way",
    "no_queue",
]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as idle and staff pages list it: never whom it is for, nor whom they meet.

    `taken`: its time has come, and the one before it still holds the room."""

    sid: str
    ref: str
    start: datetime
    end: datetime
    state: str
    methods: tuple[str, ...]
    taken: bool = False


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A remote party in the meeting, or with `share_of` what that party shows.

    Name, title and organisation are as the party gives them, over the call itself; they live in memory.
    """

    peer: str
    role: str
    identified: str
    state: PartyState
    name: str = field(default="", repr=False)
    title: str = field(default="", repr=False)
    organisation: str = field(default="", repr=False)
    chair: bool = False
    sees: bool = True
    share_of: str | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """The session in the room now. `meets` is a role and `clinic` a clinic, shown only from check-in on."""

    sid: str
    ref: str
    start: datetime
    state: str
    meets: str
    clinic: str
    language: str
    late: bool
    microphone: bool
    camera: bool
    line: CallLine
    parties: tuple[PartyLine, ...]
    ended_reason: str | None = None
    end: datetime | None = None
    on_hold: bool = False
    """The chair has put the patient on hold: nobody sees or hears the room, nor the room them."""
    was_rejected: bool = False
    """The chair said that this is not the one who has this time."""
    chair_here: bool = False
    """Staff beside the patient lead the meeting."""
    lobby: tuple[PartyLine, ...] = ()
    beside: tuple[Beside, ...] = ()
    captions: tuple[Caption, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    question: Question | None = None
    camera_choice: CameraChoice = "main"
    has_hand_camera: bool = False
    zoomed: bool = False
    sharing: bool = False
    alone: bool = False
    """No clinician is connected, nor has been for a while, and nobody is seen at the screen."""
    ends_soon: bool = False
    warning: str = ""
    """What goes wrong with sound or picture and the patient can mend, or should know of (agent/call_watch.py)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose by its name: a member of staff, another room, a queue."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ScanView:
    """The page that reads a QR code, while it is open; `refusal` is of the last code that was held up."""

    refusal: Refusal | None = None
    seen: int = 0
    """How many codes have been read: a page tells a new refusal from an old one by it."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The room waits for a clinician in a queue; `place` 1 is next, None until the region has said."""

    id: str
    name: str
    place: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """What one probe of the last self-test found: frames/s of the camera, dBFS of the microphone, and so on."""

    probe: str
    ok: bool
    figure: float
    unit: str


@dataclass(frozen=True, slots=True)
class QrPath:
    """A QR code as one path of SVG: `size` modules wide and high, each one unit, without its quiet zone."""

    size: int
    path: str


@dataclass(frozen=True, slots=True)
class EnrolView:
    """How the unit gets a certificate: what IT compares, and where it stands (agent/enrolment.py)."""

    serial: str
    words: tuple[str, ...]
    qr: QrPath
    state: str
    problem: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """Code or PIN entry pauses after five wrong tries."""

    tries_left: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class AskedPage:
    """The panel's start button asks for a page; `id` grows. With `again` a second press checks in to the one time
    that there is."""

    id: int
    page: Literal["checkin", "staff"]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Todo:
    """How grave the first of the faults is, and the drawing that shows what to do about it."""

    level: Level
    picture: str


@dataclass(frozen=True, slots=True)
class Screen:
    """The whole state of the touchscreen; `media_generation` grows when WHEP must connect anew."""

    page: Page
    now: datetime
    room_name: str
    phone: str
    ready: bool
    faults: tuple[str, ...]
    region_up: bool
    next_session: SessionLine | None
    can_check_in: tuple[SessionLine, ...]
    code_lock: Lock
    pin_lock: Lock
    staff_unlocked_until: datetime | None
    staff_sessions: tuple[SessionLine, ...]
    session: SessionView | None
    media_generation: int
    languages: tuple[str, ...] = ("sv", "en", "fi", "ar")
    help_state: HelpState = "none"
    scan: ScanView | None = None
    outputs: tuple[SoundOutput, ...] = ("loudspeaker",)
    """Which ways of hearing this room has."""
    output: SoundOutput = "loudspeaker"
    volume: int = 4
    """Which a session begins with, 1 to 5."""
    high_contrast: bool = False
    """Whether the screen begins so."""
    speech: tuple[str, ...] = ()
    """Languages in which the unit can speak its texts aloud."""
    staff: tuple[Choice, ...] = ()
    """Who may unlock the screen; empty where the room has one PIN for all."""
    staff_member: Choice | None = None
    rooms: tuple[Choice, ...] = ()
    queues: tuple[Choice, ...] = ()
    queue: QueueView | None = None
    staff_answer: Refusal | Literal["", "done", "asked"] = ""
    """What became of the last thing that staff asked of the region."""
    staff_offer: int | None = None
    """Minutes that the region can give, where it could not give as many as were asked for."""
    overrun: SessionLine | None = None
    """The session whose time has come, or comes within minutes, while another holds the room."""
    overrun_known: bool = False
    """The region has said that staff know of it."""
    todo: Todo | None = None
    """What staff are to do first, of `faults`."""
    testing: bool = False
    tested_at: datetime | None = None
    figures: tuple[Figure, ...] = ()
    """Of the last self-test; shown to staff."""
    message: str = ""
    locating: bool = False
    halted: Literal["", "wiping", "wiped"] = ""
    """From IT: a line on the idle page; a mark to find the unit by; the unit is taken out of service, or was."""
    present: bool | None = None
    """Whether somebody moves in the room now; None without a sensor. Kept nowhere."""
    asked_page: AskedPage | None = None
    enrol: EnrolView | None = None
    """While the unit has no certificate to work under; in a unit that works otherwise, shown to staff."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What the screen asks for. `kind` decides which of the others matter."""

    kind: Literal[
        "checkin_code",
        "checkin_button",
        "microphone",
        "camera",
        "leave",
        "help",
        "staff_unlock",
        "staff_lock",
        "staff_checkin",
        "staff_start",
        "still_here",
        "done",
        "language",
        "scan",
        "output",
        "camera_choice",
        "consent",
        "feedback",
        "help_over",
        "staff_extend",
        "staff_hand_over",
        "staff_end",
        "staff_dropin",
        "staff_dropin_cancel",
        "staff_test",
        "staff_camera_right",
        "staff_sound_right",
        "party_admit",
        "party_reject",
        "chair_back",
        "beside_add",
        "beside_remove",
        "locate_found",
        "enrol_again",
    ]
    sid: str | None = None
    text: str | None = field(default=None, repr=False)
    """By kind: a code, a PIN, a language, an output, a camera, a question's id, minutes, a room's or queue's
    id, a peer, a role; of `feedback` three marks 1 to 3 or 0 for none: picture, sound, ease, as `3,2,0`."""
    on: bool | None = None
    by: str | None = None
    """The member of staff who unlocks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a touch: done, or why not; `lock` tells tries left or when to try again.

    It says all that the page needs to answer the finger: the screen's document comes another way, sooner or later.
    """

    refusal: Refusal | None = None
    lock: Lock | None = None
    pending: bool = False
    """Asked of the region, whose answer is still to come: `Screen.staff_answer` will tell it."""
    minutes: int | None = None
    """That the region can give, where it could not give as many as were asked for."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class WhepAnswer:
    """RFC 9725: the answer's description and the name under which the resource is closed again."""

    sdp: str
    resource: str


ScreenEvent = tuple[Literal["screen"], Screen] | tuple[Literal["level", "px_per_mm"], float]


class ScreenEvents(Protocol):
    """One browser's subscription: ("screen", Screen), ("level", dBFS) or, laid out anew, ("px_per_mm", px)."""

    def get(self, timeout_s: float) -> ScreenEvent | None:
        """The next event, or None when nothing came within timeout_s (write a comment line then)."""

    def close(self) -> None:
        """End the subscription."""


class RoomController(Protocol):
    """What the web app may ask of the agent; every method may be called on any thread."""

    def screen(self) -> Screen:
        """The state now."""

    def subscribe(self) -> ScreenEvents:
        """Events from now on, the present screen first. Raises TooManyScreens beyond the allowed count."""

    def touch(self, touch: Touch) -> Outcome:
        """Do what was touched; blocks for at most a second or two."""

    def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        """Connect the browser to `self` or `peer/<id>`; raises NoSuchMedia if that is not on now."""

    def whep_close(self, resource: str) -> None:
        """Close such a connection; one that is gone already is fine."""

    def shown(self, peer: str, figures: Received) -> None:
        """How the browser showed a party in the last seconds; does not wait."""

    def stands_still(self, peers: frozenset[str]) -> None:
        """All parties whose picture stands still in the browser; does not wait."""


class TooManyScreens(RuntimeError):
    """More browsers listen than the room has use for."""


class NoSuchMedia(LookupError):
    """There is no such picture or sound now."""
