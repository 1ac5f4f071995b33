"""What can happen to a session, and what is then to be done: the events and effects of agent/session.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from agent.contract.schedule import ScheduledSession
from agent.contract.signalling import Knock
from agent.session_state import Party

# Events: what has happened.


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `sure`: by the region's time, so that what cannot be undone may follow from it."""

    sure: bool = True


@dataclass(frozen=True, slots=True)
class RoomChecked:
    """A self-test has ended, and this is how the room is."""

    ok: bool


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """The patient is here; `how`: code, qr, button, staff, staff_remote. `staff`: an id, of who checked in."""

    how: str
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class PartyJoined:
    """A remote party opened the meeting (again)."""

    party: Party


@dataclass(frozen=True, slots=True)
class Admitted:
    """The chair lets the patient in."""

    peer: str


@dataclass(frozen=True, slots=True)
class PartyConnected:
    """Media flows from that party."""

    peer: str


@dataclass(frozen=True, slots=True)
class PartyLost:
    """No media for a while, or the connection failed."""

    peer: str


@dataclass(frozen=True, slots=True)
class PartyLeft:
    """A party said good-bye, or the region did for it (`lost`); with `end` the chair ended it for all."""

    peer: str
    reason: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The chair lets the patient wait alone for a moment, or takes them in again."""

    peer: str
    on: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """The chair says that this is not the one who has this time."""

    peer: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody has touched the screen: what stood there has been read."""


@dataclass(frozen=True, slots=True)
class ChairMoved:
    """Who leads now: a peer, or "unit" for staff beside the patient."""

    holder: str


@dataclass(frozen=True, slots=True)
class LobbyChanged:
    """All who wait outside now."""

    waiting: tuple[Knock, ...]


@dataclass(frozen=True, slots=True)
class SharingChanged:
    """Screens and documents may be shown to those present, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class PatientLeft:
    """The patient pressed Leave and meant it."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It is no longer in the schedule."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """It is held in another room of the centre instead; `staff`: an id, of who did it."""

    room: str
    staff: str | None = None


@dataclass(frozen=True, slots=True)
class EndedByStaff:
    """Staff at the screen have ended it for all, or let the waiting patient out again."""

    staff: str | None = None


@dataclass(frozen=True, slots=True)
class Replanned:
    """The schedule has new facts for it."""

    plan: ScheduledSession


@dataclass(frozen=True, slots=True)
class Restarted:
    """The agent has started with this session in its store, after being away."""

    away: timedelta


@dataclass(frozen=True, slots=True)
class ResumeConfirmed:
    """The region says that it goes on."""


@dataclass(frozen=True, slots=True)
class ResumeRefused:
    """The region says that it does not."""

    reason: str


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """Camera or microphone could not be opened."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wiped:
    """Nothing of it is left on the unit."""


Event = (
    Tick
    | RoomChecked
    | CheckedIn
    | PartyJoined
    | Admitted
    | PartyConnected
    | PartyLost
    | PartyLeft
    | Held
    | Rejected
    | Touched
    | ChairMoved
    | LobbyChanged
    | SharingChanged
    | PatientLeft
    | Cancelled
    | HandedOver
    | EndedByStaff
    | Replanned
    | Restarted
    | ResumeConfirmed
    | ResumeRefused
    | MediaFailed
    | Wiped
)

# Effects: what is to be done.


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Open camera and microphone."""


@dataclass(frozen=True, slots=True)
class CloseMedia:
    """Close every connection, camera and microphone."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Build a connection with this party."""

    peer: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End the connection with this party."""

    peer: str


@dataclass(frozen=True, slots=True)
class ShowTo:
    """From now on this party gets the room's picture, or does not; its connection stays."""

    peer: str
    sees: bool


@dataclass(frozen=True, slots=True)
class HoldMedia:
    """Let nothing of the room out, nor anything of the others in; or let it flow as before."""

    on: bool


@dataclass(frozen=True, slots=True)
class SayBye:
    """Tell the region that the unit leaves."""

    reason: str


@dataclass(frozen=True, slots=True)
class AskResume:
    """Ask the region whether the session goes on."""


@dataclass(frozen=True, slots=True)
class Record:
    """A fact for the meeting log."""

    kind: str
    fields: tuple[tuple[str, str | int | float | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Wipe:
    """Remove everything of the session from the unit."""


Effect = (
    OpenMedia | CloseMedia | Connect | Disconnect | ShowTo | HoldMedia | SayBye | AskResume | Record | Wipe
)
