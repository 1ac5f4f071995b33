"""Presence, abilities, configuration and commands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agent.contract.body import Body, HexDigest, Instant, Kind, LongText, ShortText

UnitState = Literal["starting", "ready", "in_session", "degraded", "stopping", "lost"]


class Fault(Body):
    """One thing that is not well: which probe said so, and what to do, as a key of the text catalogue."""

    probe: Kind
    instruction: Kind


class Status(Body):
    """`up/status`: what the unit says of itself, or the broker's Last Will of it (state `lost`)."""

    state: UnitState
    boot: int = Field(ge=0, description="How many times the unit has started; its Last Will says the same.")
    faults: tuple[Fault, ...] = ()


class EncoderReport(Body):
    """One video encoder as the unit found it when it tried it with real pictures."""

    name: ShortText
    ok: bool
    speed: float = Field(0.0, ge=0, description="Times real time, at the camera's size and rate.")
    picture_ms: float = Field(0.0, ge=0, description="Milliseconds for one picture.")
    reason: LongText = Field("", description="Why it is not used.")


class Info(Body):
    """`up/info`: what the unit is."""

    software: ShortText
    board: ShortText
    encoder: ShortText = Field("", description="The encoder a call begins with.")
    encoders: tuple[EncoderReport, ...] = Field((), description="Those tried, in the board's order.")
    camera: LongText = Field("", description="In which form the camera's pictures are taken, and why so.")
    certificate_sha256: HexDigest
    certificate_not_after: Instant
    abilities: tuple[Kind, ...] = ()


PortRangeText = Annotated[str, StringConstraints(pattern=r"^([0-9]{4,5}-[0-9]{4,5})?$")]


class StaffMember(Body):
    """One who may unlock the room's screen. `label` is what they choose themselves by: initials, or a first
    name that they agree to have shown."""

    id: ShortText
    label: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    pin_digest: LongText = Field(description="argon2id in PHC string format", repr=False)


class Named(Body):
    """Another room of the centre, or a clinic's queue: its id and its name for screens."""

    id: ShortText
    name: ShortText


SoundOutput = Literal["loudspeaker", "headphones", "hearing_loop"]


class Config(Body):
    """`dn/config`: the configuration the region wants; what is left out keeps its value on the unit."""

    room_name: ShortText | None = None
    phone: ShortText | None = None
    languages: tuple[str, ...] | None = None
    staff_pin_digest: LongText | None = Field(None, description="argon2id in PHC string format")
    staff: tuple[StaffMember, ...] | None = Field(None, max_length=60)
    rooms: tuple[Named, ...] | None = Field(None, description="The centre's other rooms.", max_length=60)
    queues: tuple[Named, ...] | None = Field(
        None, description="Where a clinician can be asked for now.", max_length=20
    )
    sound_output: SoundOutput | None = Field(None, description="Which a session begins with.")
    volume: int | None = Field(None, ge=1, le=5, description="Which a session begins with.")
    high_contrast: bool | None = Field(None, description="Whether the screen begins so.")
    ice_transport_policy: Literal["all", "relay"] | None = Field(
        None, description="W3C RTCIceTransportPolicy"
    )
    media_ports: PortRangeText | None = Field(
        None, description='UDP ports as in "50000-50099"; empty: any of the operating system\'s choosing'
    )
    dscp: int | None = Field(None, ge=0, le=63, description="Mark of the media's packets; 0: none")


class ConfigReport(Body):
    """`up/config`: the revision that is in force, and what was wrong with a newer one."""

    applied: bool
    errors: tuple[LongText, ...] = ()


class Command(Body):
    """`dn/cmd/{id}`: something to do, once."""

    name: Kind
    arguments: dict[str, str] = Field(default_factory=dict)


class CommandReport(Body):
    """`up/cmd/{id}`: how far a command has come."""

    state: Literal[
        "accepted", "rejected", "running", "succeeded", "failed", "timed_out", "canceled", "expired"
    ]
    reason: LongText = ""
