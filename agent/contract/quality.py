"""Quality figures of a call, every five seconds: `up/event/quality`. Telemetry, not the meeting log.

They stand outside the events' chain: sent with QoS 1, kept by the unit for some minutes in memory while the
line is away, and deleted by the region after some weeks. No field can hold a person's data: parties are
named by the session's opaque id and their role, everything else is a bounded number or a short name from
software. Rates and shares are those of the interval that ended at `at`. Definitions follow W3C webrtc-stats.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, StringConstraints

from agent.contract.body import Body, Instant, PeerId, SessionId
from agent.contract.schedule import PartyRole

MAX_PARTIES = 8
MAX_ENCODINGS = 3
MAX_INTERVAL_S = 60.0
QUALITY_EXPIRY_S = 900
"""How long the broker keeps a report for a region that is away."""

BitRate = Annotated[int, Field(ge=0, le=100_000_000, description="bit/s")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Milliseconds = Annotated[FiniteFloat, Field(ge=0, le=60_000)]
Seconds = Annotated[FiniteFloat, Field(ge=0, le=MAX_INTERVAL_S)]
FrameRate = Annotated[FiniteFloat, Field(ge=0, le=240, description="frames/s")]
Pixels = Annotated[int, Field(ge=0, le=8192)]
SoftwareName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,31}$")]
EncodingName = Literal["full", "small", "vp8"]
"""The one for all, that for slow lines, and that for who has no H.264."""


class Received(Body):
    """What came from one sender, on the wire and on the screen. Nothing is set that was not measured."""

    bit_rate: BitRate | None = None
    lost: Share | None = Field(None, description="Packets still missing after repair, of those expected.")
    jitter_ms: Milliseconds | None = None
    frame_rate: FrameRate | None = Field(None, description="Decoded frames a second.")
    width: Pixels | None = None
    height: Pixels | None = None
    freezes: Count | None = None
    frozen_s: Seconds | None = None
    concealed: Share | None = Field(None, description="Of the sound's samples, those made up by the browser.")
    buffer_ms: Milliseconds | None = Field(
        None, description="Mean delay in the jitter buffer of the picture."
    )
    nacks: Count | None = None
    keyframe_requests: Count | None = None


class Sent(Body):
    """What went to one receiver, and what is known of the line to it."""

    bit_rate: BitRate | None = None
    estimate: BitRate | None = Field(None, description="What the line is believed to carry.")
    lost: Share | None = Field(None, description="As the receiver last reported.")
    round_trip_ms: Milliseconds | None = None
    frame_rate: FrameRate | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    encoding: EncodingName | None = Field(None, description="Which of the unit's encodings this party gets.")
    encoder: SoftwareName | None = None
    encode_ms: Milliseconds | None = Field(None, description="Mean for a frame.")
    queue_ms: Milliseconds | None = Field(
        None, description="How long the oldest packet has waited to be sent."
    )
    limited: Literal["none", "cpu", "bandwidth", "other"] | None = None
    resent: Count | None = None
    keyframe_requests: Count | None = None


class Encoding(Body):
    """One of the unit's encoders, whoever gets its pictures."""

    name: EncodingName
    encoder: SoftwareName | None = None
    bit_rate: BitRate
    frame_rate: FrameRate
    width: Pixels | None = None
    height: Pixels | None = None
    encode_ms: Milliseconds | None = None


class Machine(Body):
    """The unit's computer. The agent's processor time is told in processors: 1 is one of them, all the time."""

    agent_cpu: Annotated[FiniteFloat, Field(ge=0, le=256)]
    machine_cpu: Share = Field(description="Of all processors together.")
    memory_mib: Annotated[FiniteFloat, Field(ge=0, le=1_000_000)]
    temperature_c: Annotated[FiniteFloat, Field(ge=-60, le=200)] | None = None


class PartyQuality(Body):
    """One remote party: `received` as it reached the unit, `shown` as the touchscreen's browser showed it."""

    peer: PeerId
    role: PartyRole
    connected: bool
    sent: Sent | None = None
    received: Received | None = None
    shown: Received | None = None


class QualityReport(Body):
    """`up/event/quality`: one interval of one call, as unit and touchscreen saw it."""

    sid: SessionId
    at: Instant = Field(description="The interval's end, by the region's time as the unit last learnt it.")
    interval_s: Annotated[FiniteFloat, Field(gt=0, le=MAX_INTERVAL_S)]
    machine: Machine | None = None
    encodings: Annotated[tuple[Encoding, ...], Field(max_length=MAX_ENCODINGS)] = ()
    parties: Annotated[tuple[PartyQuality, ...], Field(max_length=MAX_PARTIES)] = ()


class PageReport(Body):
    """One interval as a party's own page saw it; it comes to the region over HTTP.

    `age_s` is how long ago the interval ended, since a page's clock may be wrong.
    """

    age_s: Annotated[FiniteFloat, Field(ge=0, le=3600)]
    interval_s: Annotated[FiniteFloat, Field(gt=0, le=MAX_INTERVAL_S)]
    connected: bool
    sent: Sent | None = None
    received: Received | None = None
