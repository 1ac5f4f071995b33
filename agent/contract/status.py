"""Presence and abilities."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat

from agent.contract.body import Body, HexDigest, Instant, Kind, LongText, ShortText
from agent.contract.instructions import Level

UnitState = Literal["starting", "ready", "in_session", "degraded", "stopping", "lost", "revoked"]
"""`lost` is said by the broker, `revoked` by the region in the unit's place."""


class Fault(Body):
    """One thing that is not well: which probe said so, and what to do, as a key of the text catalogue."""

    probe: Kind
    instruction: Kind
    level: Level = Field("fail", description="`warn`: a visit can be held all the same.")


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


class Clock(Body):
    """The unit's own clock: where it has its time from, and whether the kernel calls it synchronised."""

    source: ShortText = ""
    synchronised: bool = False
    offset_s: FiniteFloat | None = Field(None, description="Less the region's time, as last learnt.")


StorageState = Literal["ok", "repaired", "missing", "garbage", "read_only", "full"]


class Storage(Body):
    """Where the unit keeps its schedule and what it has to tell; in all states but the first two it is `degraded`.

    `missing`, `garbage` and `read_only`: it works from memory, and forgets with a restart. `full`: it works as
    long as its reserve lasts. The command `repair-data` mends what can be mended from afar.
    """

    state: StorageState
    reason: LongText = ""
    free_bytes: int | None = Field(None, ge=0)


class Info(Body):
    """`up/info`: what the unit is."""

    software: ShortText
    board: ShortText
    encoder: ShortText = Field("", description="The encoder a call begins with.")
    encoders: tuple[EncoderReport, ...] = Field((), description="Those tried, in the board's order.")
    camera: LongText = Field("", description="In which form the camera's pictures are taken, and why so.")
    panel: LongText = Field("", description="The panel's parts, and which of them are missing or broken.")
    certificate_sha256: HexDigest
    certificate_not_after: Instant
    abilities: tuple[Kind, ...] = ()
    serial: ShortText = Field("", description="The number on the box, which its bootstrap certificate names.")
    bootstrap_sha256: HexDigest | None = Field(None, description="Of its bootstrap certificate.")
    clock: Clock | None = None
    storage: Storage | None = None
    system: ShortText = Field("", description="Operating system and kernel.")
    browser: ShortText = Field("", description="The touchscreen's browser, as it says itself: 156.0.8078.79.")
    image: ShortText = Field("", description="Version of the whole system, of a unit that takes updates.")
    slot: ShortText = Field("", description="Which of its two slots runs: A or B.")
    addresses: tuple[ShortText, ...] = Field((), max_length=20)
    commands: tuple[ShortText, ...] = Field((), max_length=40, description="Which commands it can do.")
