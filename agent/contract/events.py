"""Facts and wishes from the unit: `up/event/{kind}`, `up/intent/{kind}`, and the region's `dn/ack`.

Events form a chain: each carries the hash of the one before it, and its own hash is signed with the unit's
key, so that a gap or a change shows. `epoch` grows when the unit had to begin a new chain.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field, FiniteFloat
from pydantic_core import to_json

from agent.contract.body import Body, HexDigest, Instant, Kind, SessionId, ShortText
from agent.contract.signalling import IceServer

EventKind = Literal[
    "unit_started",
    "session_ready",
    "session_degraded",
    "checkin_failed",
    "checkin_locked",
    "checked_in",
    "peer_joined",
    "admitted",
    "peer_connected",
    "call_started",
    "peer_lost",
    "call_warning",
    "peer_left",
    "call_ended",
    "session_failed",
    "session_cancelled",
    "no_show",
    "session_wiped",
    "staff_unlocked",
    "staff_refused",
    "help_asked",
    "help_answered",
    "help_unanswered",
    "help_over",
    "patient_rejected",
    "hold_began",
    "hold_ended",
    "chair_changed",
    "sharing_changed",
    "share_began",
    "share_ended",
    "still_taken",
    "still_refused",
    "extended",
    "handed_over",
    "overrun",
    "feedback",
    "selftest",
    "schedule_rejected",
    "link_restored",
]
GENESIS = "0" * 64
"""What stands as `prev` in the first event of an epoch."""


class Event(Body):
    """One fact. `fields` hold roles, methods, reasons and figures, never a person's data."""

    epoch: int = Field(ge=0)
    seq: int = Field(ge=1)
    prev: HexDigest
    at: Instant = Field(description="The region's time as the unit last learnt it.")
    kind: EventKind
    sid: SessionId | None = None
    fields: dict[str, ShortText | int | FiniteFloat | bool] = Field(default_factory=dict)
    hash: HexDigest
    signature: ShortText = Field(description="ECDSA P-256 over the hash's 32 bytes, DER, base64.")


def event_hash(
    *,
    epoch: int,
    seq: int,
    prev: str,
    at: str,
    kind: str,
    sid: str | None,
    fields: dict[str, str | int | float | bool],
) -> str:
    """SHA-256 in hex over the JSON array of an event's content, its fields sorted by name."""
    content = [epoch, seq, prev, at, kind, sid, sorted(fields.items())]
    return hashlib.sha256(to_json(content)).hexdigest()


class Ack(Body):
    """`dn/ack`: all events up to seq of this epoch are kept. Its envelope's `ts` teaches the time."""

    epoch: int = Field(ge=0)
    seq: int = Field(ge=0)


class Intent(Body):
    """`up/intent/{kind}`: what the unit asks for. The region answers one that has an id with a Notice.

    Kinds: `help`, `help_over`, `dropin` (in `queue`, or at once for the room), `dropin_cancel`, `extend` (by
    `minutes`), `hand_over` (to `room`), `overrun`, `ice_servers` (for a self-test, when no session is on; a region
    that does not know it says nothing).
    """

    id: ShortText | None = None
    sid: SessionId | None = None
    minutes: int | None = Field(None, ge=1, le=240)
    room: ShortText | None = None
    queue: ShortText | None = None
    by: ShortText | None = Field(None, description="The member of staff who asks: an id, never a name.")
    note: Kind | None = None


class Notice(Body):
    """`dn/notice/{kind}`: what the region has to say to the room.

    Kinds: `intent` (answers the intent `id`; refused with a `reason` when not `ok`), `help_answered`, `queue` (the
    room's place in the queue for a clinician, 1 is next; none: it waits in none), `overrun` (the session before in
    this room goes on; staff know), `ice_servers` (answers that intent). `minutes`: what can be had where more was
    asked for.
    """

    id: ShortText | None = None
    ok: bool = True
    reason: Kind | None = None
    sid: SessionId | None = None
    place: int | None = Field(None, ge=1)
    queue: ShortText | None = None
    minutes: int | None = Field(None, ge=1, le=240)
    ice_servers: tuple[IceServer, ...] | None = Field(
        None,
        max_length=16,
        repr=False,
        description="STUN and TURN servers with credentials for a self-test; kept in memory, never logged. "
        "Empty: the region has none.",
    )
