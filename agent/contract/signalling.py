"""Signalling: what travels on `dn/call/{sid}/{peer}` and `up/call/{sid}/{peer}`, expiring in 30 seconds.

The region brings a party (`join`), the chair lets the patient in (`admit`), the unit offers, the party's
browser answers. Peer `unit` stands for the session itself: a remote check-in, or a unit that asks whether it
may resume after a restart.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from agent.contract.body import Body, LongText, ShortText
from agent.contract.schedule import PartyRole

SIGNAL_EXPIRY_S = 30
UNIT_PEER = "unit"
"""The peer level of messages that concern the session and not one party."""

Sdp = Annotated[str, StringConstraints(max_length=64 * 1024)]
ByeReason = Literal["left", "ended", "lost", "rejected", "replaced", "failed", "refused", "unit_restarted"]


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
    identified: Literal["account", "link", "unit"] = "account"
    chair: bool = False
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
    """Down: the session may not resume, or the party may not come in."""

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


Signal = Join | IceServers | Offer | Answer | Candidate | Admit | Reject | Bye | RemoteCheckIn
SIGNAL: TypeAdapter[Signal] = TypeAdapter(Annotated[Signal, Field(discriminator="type")])
