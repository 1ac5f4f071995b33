"""What a session is: the values that agent/session.py moves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.contract.schedule import ScheduledSession
from agent.contract.signalling import IceServer, Knock
from agent.screen import PartyState


class State(StrEnum):
    """Where a session is."""

    BOOKED = "booked"
    READY = "ready"
    WAITING = "waiting"
    ADMITTED = "admitted"
    IN_CALL = "in_call"
    ENDED = "ended"
    WIPED = "wiped"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    FAILED = "failed"


OCCUPYING = frozenset({State.WAITING, State.ADMITTED, State.IN_CALL})
"""The patient is in the room: camera and microphone may be open, and no other session can begin."""
OVER = frozenset({State.ENDED, State.WIPED, State.CANCELLED, State.NO_SHOW, State.FAILED})


def page_of(instance: str) -> str:
    """The page load behind an instance: `page-2` is `page` asking for another offer."""
    return instance.rpartition("-")[0] or instance


@dataclass(frozen=True, slots=True)
class Party:
    """A remote party; `instance` is new for each load of its page.

    `state` is joined, connecting, connected or lost. One that does not see gets no picture. With `share_of` it is
    no person but a connection that carries what that party shows: it never leads, and nobody is there by it.
    """

    peer: str
    role: str
    identified: str
    chair: bool
    instance: str
    state: PartyState = "joined"
    ice_servers: tuple[IceServer, ...] = ()
    sees: bool = True
    share_of: str | None = None

    @property
    def is_person(self) -> bool:
        """Whether somebody sits at the other end."""
        return self.share_of is None

    @property
    def leads(self) -> bool:
        """Whether the meeting is theirs, so that it is over when the last of them leaves."""
        return self.is_person and (self.chair or self.role == "clinician")


@dataclass(frozen=True, slots=True)
class Session:
    """A booked session and all that has happened to it."""

    plan: ScheduledSession
    state: State = State.BOOKED
    degraded: bool = False
    confirmed: bool = True
    """False after a restart of the agent, until the region has said that the session goes on."""
    parties: tuple[Party, ...] = ()
    checked_in_at: datetime | None = None
    checked_in_how: str | None = None
    began_at: datetime | None = None
    alone_since: datetime | None = None
    """Since when nobody's media has reached us in the call."""
    touched_at: datetime | None = None
    """When the patient last touched the screen, or was asked and somebody came back, while nobody else was in
    the call."""
    asked_at: datetime | None = None
    """Since when the screen asks whether anybody is still here."""
    resumed_at: datetime | None = None
    end_reason: str | None = None
    on_hold: bool = False
    """By the chair: the room neither sees nor hears the others, nor they the room."""
    was_rejected: bool = False
    """The chair said that this was not the patient; shown until the screen is touched."""
    chair_here: bool = False
    """Staff beside the patient lead the meeting."""
    lobby: tuple[Knock, ...] = ()
    """Who waits outside until the chair lets them in."""
    sharing: bool = False
    """Screens and documents may be shown to those present."""

    def party(self, peer: str) -> Party | None:
        """The party of that name."""
        return next((party for party in self.parties if party.peer == peer), None)

    @property
    def chair_present(self) -> bool:
        """Whether someone is here who may lead the meeting."""
        return any(party.chair and party.is_person and party.state != "lost" for party in self.parties)

    @property
    def someone_connected(self) -> bool:
        """Whether anybody's media reaches us."""
        return any(party.is_person and party.state == "connected" for party in self.parties)
