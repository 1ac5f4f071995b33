"""Signalling: what travels on `dn/call/{sid}/{peer}` and `up/call/{sid}/{peer}`, expiring in 30 seconds.

The region brings a party (`join`), the chair lets the patient in (`admit`), the unit offers, the party's
browser answers. Those who wait outside are not told to the unit as parties before the chair has let them in. Peer
`unit` stands for the session itself: a remote check-in, or a unit that asks whether it
may resume after a restart.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from agent.contract.body import Body, LongText, PeerId, ShortText
from agent.contract.schedule import PartyRole

SIGNAL_EXPIRY_S = 30
UNIT_PEER = "unit"
"""The peer level of messages that concern the session and not one party."""

Sdp = Annotated[str, StringConstraints(max_length=64 * 1024)]
ByeReason = Literal["left", "ended", "lost", "rejected", "replaced", "failed", "refused", "unit_restarted"]
Identified = Literal["account", "oidc", "link", "unit"]
"""How a party is known: signed in with an account here or by OpenID Connect, by an own link and code, or
beside the patient."""


class IceServer(Body):
    """W3C RTCIceServer."""

    urls: tuple[str, ...]
    username: str = Field("", repr=False)
    credential: str = Field("", repr=False)


class _Signal(Body):
    instance: ShortText = Field(
        description="Of the sender: new for each start of the agent and each page load. "
        "`load-2` is the page `load` asking for the second time for another offer."
    )
    seq: int = Field(ge=0, description="Grows within an instance; a lower or equal one is dropped.")


class Join(_Signal):
    """Down: a party has opened the meeting. Up, from peer `unit`: may this session resume?"""

    type: Literal["join"] = "join"
    role: PartyRole = "clinician"
    identified: Identified = "account"
    chair: bool = False
    sees: bool = Field(True, description="False: an interpreter who hears and is heard, and gets no picture.")
    share_of: PeerId | None = Field(
        None,
        description="A connection of its own that carries only what that party shows: a screen, a document.",
    )
    resume: bool = False
    ice_servers: tuple[IceServer, ...] = ()


class IceServers(_Signal):
    """Down: newer credentials for the servers, before those of the join expire; nothing is rebuilt for them."""

    type: Literal["ice_servers"] = "ice_servers"
    ice_servers: tuple[IceServer, ...] = ()


class Offer(_Signal):
    """A session description of type offer; `attempt` grows each time the connection is rebuilt."""

    type: Literal["offer"] = "offer"
    attempt: int = Field(ge=0)
    sdp: Sdp


class Answer(_Signal):
    """The answer to the offer of the same attempt."""

    type: Literal["answer"] = "answer"
    attempt: int = Field(ge=0)
    sdp: Sdp


class Candidate(_Signal):
    """W3C RTCIceCandidateInit; an empty candidate means that no more come."""

    type: Literal["candidate"] = "candidate"
    attempt: int = Field(ge=0)
    candidate: LongText
    sdp_mid: ShortText | None = None
    sdp_m_line_index: int | None = None


class Admit(_Signal):
    """Down: the chair lets the patient in; to peer `unit`: the session may resume."""

    type: Literal["admit"] = "admit"


class Reject(_Signal):
    """Down: the session may not resume; from the chair: this is not the patient, who is let out again.

    Up: staff in the room, who hold the chair, turn away one that waits outside.
    """

    type: Literal["reject"] = "reject"
    reason: LongText = ""


class Bye(_Signal):
    """A party leaves; with `end` the chair ends the meeting for all."""

    type: Literal["bye"] = "bye"
    reason: ByeReason = "left"
    end: bool = False


class RemoteCheckIn(_Signal):
    """Down, to peer `unit`: staff at their own PC have identified the patient in the room."""

    type: Literal["checkin"] = "checkin"
    by: ShortText = Field("", description="Of whom it was done: an id of staff, never a name.")


class Hold(_Signal):
    """Down, from the chair: the patient waits alone for a moment, unseen and unheard; or no longer."""

    type: Literal["hold"] = "hold"
    on: bool


class Chair(_Signal):
    """Who leads the meeting: a peer, or `unit` for staff beside the patient. Down, to peer `unit`; up from
    there when staff in the room hand it back."""

    type: Literal["chair"] = "chair"
    holder: PeerId


class Knock(Body):
    """One who waits outside until the chair lets them in."""

    peer: PeerId
    role: PartyRole
    identified: Identified


class Lobby(_Signal):
    """Down, to peer `unit`: all who wait outside now. Staff in the room who hold the chair answer with `admit`
    or `reject` on that peer's topic."""

    type: Literal["lobby"] = "lobby"
    waiting: tuple[Knock, ...] = Field((), max_length=16)


class Sharing(_Signal):
    """Down, to peer `unit`: whether screens and documents may be shown to those present, and that the
    patient's consent was noted for these organisations."""

    type: Literal["sharing"] = "sharing"
    on: bool
    organisations: tuple[ShortText, ...] = Field((), max_length=16)


Signal = (
    Join
    | IceServers
    | Offer
    | Answer
    | Candidate
    | Admit
    | Reject
    | Bye
    | RemoteCheckIn
    | Hold
    | Chair
    | Lobby
    | Sharing
)
SIGNAL: TypeAdapter[Signal] = TypeAdapter(Annotated[Signal, Field(discriminator="type")])
