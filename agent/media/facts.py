"""What a call tells its owner, what it needs to know, and what it is like now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.media.media_socket import DSCP_AF41, PortRange
from agent.media.negotiation import MediaKind
from agent.media.source import EncodingName, EncodingTarget


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, as the W3C's RTCIceServer."""

    urls: tuple[str, ...]
    username: str | None = field(default=None, repr=False)
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallSettings:
    """loopback_candidates: also offer this machine's loopback to remote parties (region on one machine).

    addresses: offer only these host addresses, where None means all of the machine's own.
    connect_timeout_s: how long a connection may take from its answer to its first encrypted packet.
    media_lost_s: silence after which MediaLost is told; ICE's own consent would take 30 s (RFC 7675).
    relay_only: media goes through TURN alone (W3C's RTCIceTransportPolicy "relay").
    media_ports: our UDP ports towards remote parties and TURN servers, for the firewall; None: any.
    dscp: mark of what is sent to them (RFC 2474); 0: none. The kiosk's loopback has neither.
    """

    loopback_candidates: bool = False
    addresses: tuple[str, ...] | None = None
    relay_only: bool = False
    media_ports: PortRange | None = None
    dscp: int = DSCP_AF41
    connect_timeout_s: float = 15.0
    media_lost_s: float = 2.5
    start_bit_rate: int = 1_500_000


@dataclass(frozen=True, slots=True)
class LocalOffer:
    peer: str
    attempt: int
    sdp: str


@dataclass(frozen=True, slots=True)
class LocalCandidate:
    """A candidate of ours that the offer of this attempt does not hold, as in W3C's RTCIceCandidateInit."""

    peer: str
    attempt: int
    candidate: str
    sdp_mid: str | None


@dataclass(frozen=True, slots=True)
class Connected:
    """Encryption is up; media can flow."""

    peer: str


@dataclass(frozen=True, slots=True)
class MediaFlowing:
    """The first packet of this kind came from the peer on this connection."""

    peer: str
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class MediaLost:
    """Nothing has come for CallSettings.media_lost_s; connect again with the next attempt."""

    peer: str


@dataclass(frozen=True, slots=True)
class MediaBack:
    peer: str


FailureReason = Literal[
    "bad_answer",
    "timeout",
    "ice_failed",
    "dtls_failed",
    "no_common_codec",
    "no_free_port",
    "no_relay",
    "engine_error",
    "flooding",
]


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """This connection is closed. detail: for the log; nothing that the other side wrote is in it."""

    peer: str
    reason: FailureReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PeerMessage:
    """A JSON object from the peer's data channel, at most 16 KiB."""

    peer: str
    message: dict[str, object]


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The other side closed the connection."""

    peer: str


Fact = (
    LocalOffer
    | LocalCandidate
    | Connected
    | MediaFlowing
    | MediaLost
    | MediaBack
    | ConnectionFailed
    | PeerMessage
    | PeerGone
)


@dataclass(frozen=True, slots=True)
class KioskAnswer:
    """The answer to a WHEP offer; `id` names the resource for kiosk_close."""

    id: str
    sdp: str


@dataclass(frozen=True, slots=True)
class KindStats:
    """One direction and kind. Packets lost are those still missing after repair."""

    packets: int = 0
    octets: int = 0
    packets_lost: int = 0
    packets_repaired: int = 0
    jitter_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PeerStats:
    attempt: int
    connected: bool
    round_trip_s: float | None
    bit_rate: int  # what the line to this peer is believed to carry, bit/s,
    picture_bit_rate: int  # and what of that is left for pictures
    encoding: EncodingName
    queue_ms: float  # for how long the oldest picture has waited to be sent
    bytes_sent: int
    fraction_lost: float  # of what we send, as last reported
    keyframe_requests: int  # from this peer, before joining
    packets_resent: int
    received: Mapping[MediaKind, KindStats]


@dataclass(frozen=True, slots=True)
class CallStats:
    peers: Mapping[str, PeerStats]
    targets: Mapping[EncodingName, EncodingTarget]  # of the encodings in use: asked for, not what came of it
    frames: int  # encoded pictures taken in
    keyframes: int
    kiosk_streams: Sequence[str] = field(default_factory=tuple)
