"""What the touchscreen shows, as one document, and what a touch may ask. Values only; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from agent.contract.quality import Received

Page = Literal["idle", "waiting", "call", "ended", "fault"]
PartyState = Literal["joined", "connecting", "connected", "lost"]
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
]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as idle and staff pages list it: never whom it is for, nor whom they meet."""

    sid: str
    ref: str
    start: datetime
    end: datetime
    state: str
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A remote party in the meeting."""

    peer: str
    role: str
    identified: str
    state: PartyState


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


@dataclass(frozen=True, slots=True)
class Lock:
    """Code or PIN entry pauses after five wrong tries."""

    tries_left: int
    until: datetime | None


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
    languages: tuple[str, ...] = ("sv", "en")
    help_state: Literal["none", "sent", "answered", "unanswered"] = "none"


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
    ]
    sid: str | None = None
    text: str | None = field(default=None, repr=False)
    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a touch: done, or why not; `lock` tells tries left or when to try again."""

    refusal: Refusal | None = None
    lock: Lock | None = None

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class WhepAnswer:
    """RFC 9725: the answer's description and the name under which the resource is closed again."""

    sdp: str
    resource: str


ScreenEvent = tuple[Literal["screen"], Screen] | tuple[Literal["level"], float]


class ScreenEvents(Protocol):
    """One browser's subscription: each item is ("screen", Screen) or ("level", dBFS)."""

    def get(
        self, timeout_s: float
    ) -> tuple[Literal["screen"], Screen] | tuple[Literal["level"], float] | None:
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


class TooManyScreens(RuntimeError):
    """More browsers listen than the room has use for."""


class NoSuchMedia(LookupError):
    """There is no such picture or sound now."""
