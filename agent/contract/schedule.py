"""The schedule: one whole snapshot of a unit's coming seven days."""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Self

from argon2.low_level import Type, hash_secret_raw
from pydantic import Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import to_json

from agent.contract.body import (
    Body,
    HexDigest,
    Instant,
    LongText,
    SessionId,
    ShortText,
    field_path,
    reason_of,
)

CheckInMethod = Literal["code", "qr", "button", "staff"]
SessionKind = Literal["booked", "dropin", "conference"]
PartyRole = Literal["clinician", "interpreter", "relative", "specialist", "municipality", "proxy", "staff"]

CODE_DIGITS = 6
CODE_DIGEST_MEMORY_KIB = 19_456
CODE_DIGEST_PASSES = 2
CODE_DIGEST_BYTES = 32
"""argon2id, one lane: OWASP's smallest recommended setting, about 20 ms on a small board. A six-digit code is
no secret against whoever holds the digest, only against whoever stands at the screen."""


def code_digest(code: str, salt: str) -> str:
    """The slow digest of a one-time code in hex: argon2id (RFC 9106) under a salt that is given in hex."""
    return hash_secret_raw(
        code.encode(),
        bytes.fromhex(salt),
        time_cost=CODE_DIGEST_PASSES,
        memory_cost=CODE_DIGEST_MEMORY_KIB,
        parallelism=1,
        hash_len=CODE_DIGEST_BYTES,
        type=Type.ID,
    ).hex()


def token_digest(token: str) -> str:
    """SHA-256 in hex of a QR token's text as it stands in the QR code."""
    return hashlib.sha256(token.encode()).hexdigest()


_SID: TypeAdapter[str] = TypeAdapter(SessionId)


class Party(Body):
    """Whom the patient meets; shown only after check-in. A role and a clinic, never a person."""

    role: PartyRole = "clinician"
    clinic: ShortText


class CheckIn(Body):
    """How one may check in: see code_digest() and token_digest() for the two digests.

    `salt` is the code's where it is not the snapshot's: a snapshot holds several days, each with its own
    salt, and a session that was moved to another day keeps its code and so its salt.
    """

    methods: tuple[CheckInMethod, ...] = ("code", "staff")
    salt: HexDigest | None = None
    code_digest: HexDigest | None = None
    token_digest: HexDigest | None = None


class Features(Body):
    """What the clinic chose for this session."""

    waiting_room: bool = True


class ScheduledSession(Body):
    """One booked session of a room. Nothing here tells who the patient is."""

    sid: SessionId
    ref: ShortText = Field(description="Short, for screens: A17.")
    start: Instant
    end: Instant
    kind: SessionKind = "booked"
    party: Party = Field(alias="with")
    language: str = Field(default="sv", pattern=r"^[a-z]{2,3}$")
    checkin: CheckIn = CheckIn()
    features: Features = Features()

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must come after start")
        return self


class Schedule(Body):
    """`dn/schedule` as sent: the sessions are checked one by one, since a bad one is rejected alone."""

    epoch: int = Field(ge=0, description="Grows when the region was restored from a backup.")
    valid_until: Instant
    salt: HexDigest = Field(description="Of the code digests where a session gives no other.")
    sessions: tuple[Any, ...]


class RejectedSession(Body):
    """A session that was left out of an otherwise good snapshot, and why."""

    sid: ShortText
    field: ShortText
    reason: LongText


class ScheduleReport(Body):
    """`up/schedule`: what the unit made of a snapshot."""

    epoch: int
    rev: int
    sha256: HexDigest
    outcome: Literal["accepted", "rejected"]
    reason: LongText = ""
    rejected: tuple[RejectedSession, ...] = ()


def check_sessions(schedule: Schedule) -> tuple[tuple[ScheduledSession, ...], tuple[RejectedSession, ...]]:
    """The good sessions in order of start, and the bad ones with field and reason.

    Two sessions that overlap in one room are both good messages but cannot both be held: the one that
    starts later is rejected. A repeated sid is rejected too.
    """
    good: list[ScheduledSession] = []
    bad: list[RejectedSession] = []
    for item in schedule.sessions:
        try:
            good.append(ScheduledSession.model_validate_json(to_json(item)))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = field_path(first["loc"]) or "session"
            bad.append(RejectedSession(sid=_sid_of(item), field=field, reason=reason_of(first["type"])))
    good.sort(key=lambda session: (session.start, session.sid))
    return _without_clashes(good, bad)


def _sid_of(item: object) -> str:
    """The sid, if that at least is right: anything else in its place is not ours to repeat."""
    sid = item.get("sid") if isinstance(item, dict) else None
    try:
        return _SID.validate_python(sid)
    except ValidationError:
        return "?"


def _without_clashes(
    sessions: list[ScheduledSession], bad: list[RejectedSession]
) -> tuple[tuple[ScheduledSession, ...], tuple[RejectedSession, ...]]:
    kept: list[ScheduledSession] = []
    for session in sessions:
        if any(session.sid == other.sid for other in kept):
            bad.append(RejectedSession(sid=session.sid, field="sid", reason="stands twice in the snapshot"))
        elif kept and session.start < kept[-1].end:
            # The other one is not named: a report outlives it at the broker.
            reason = "overlaps a session that starts before it in the same room"
            bad.append(RejectedSession(sid=session.sid, field="start", reason=reason))
        else:
            kept.append(session)
    return tuple(kept), tuple(bad)
