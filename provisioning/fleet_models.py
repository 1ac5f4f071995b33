"""Tables of the fleet: how units come in, what they are told to do and be, and who of IT decided it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.models import Base


class Bootstrap(Base):
    """A unit's bootstrap identity, by its serial number.

    state: `armed` (may ask), `used` (has enrolled since; the broker gives it nothing until IT arms it again),
    `blocked`.
    """

    __tablename__ = "bootstraps"
    serial: Mapped[str] = mapped_column(String(63), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), default="armed")
    unit_id: Mapped[str | None] = mapped_column(String(63), index=True)
    """The unit that it became."""
    certificate_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the one that we issued, once the unit has rotated it."""
    first_seen_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Enrolment(Base):
    """One signing request under one serial number, and what became of it.

    state: waiting, approved (signed, not yet proven), proven, rejected, expired, conflict.
    """

    __tablename__ = "enrolments"
    id: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(String(63), index=True)
    request_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    key_sha256: Mapped[str] = mapped_column(String(64), index=True)
    """Of the key alone (SubjectPublicKeyInfo): what the unit's screen shows in words."""
    csr: Mapped[str]
    why: Mapped[str] = mapped_column(String(10))
    was: Mapped[str | None] = mapped_column(String(63))
    software: Mapped[str] = mapped_column(String(120), default="")
    board: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str] = mapped_column(String(10), default="waiting", index=True)
    asked_at: Mapped[datetime]
    heard_at: Mapped[datetime]
    """When it last asked; one that has fallen silent is not at the door any more."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(default="")
    unit_id: Mapped[str | None] = mapped_column(String(63), index=True)
    room_id: Mapped[str | None] = mapped_column(String(64))
    certificate: Mapped[str | None]
    certificate_sha256: Mapped[str | None] = mapped_column(String(64))


class IssuedCertificate(Base):
    """A certificate that the region signed for a unit's request; the same request gets the same again."""

    __tablename__ = "issued_certificates"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(63), index=True)
    purpose: Mapped[str] = mapped_column(String(12), default="operational")
    request_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    key_sha256: Mapped[str] = mapped_column(String(64), index=True)
    certificate_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    certificate: Mapped[str]
    not_after: Mapped[datetime]
    issued_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]
    """When the unit first said `up/info` with it."""


class Revocation(Base):
    """A unit that may not come in, from when on, by whom and why; a row goes when IT takes it back."""

    __tablename__ = "revocations"
    unit_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(default="")


class Group(Base):
    """Units that share a part of their configuration: a site, a model, a try-out."""

    __tablename__ = "unit_groups"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    about: Mapped[str] = mapped_column(String(200), default="")
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rank: Mapped[int] = mapped_column(default=0)
    """Of two groups that set the same, the higher holds."""


class GroupMember(Base):
    """A unit in a group."""

    __tablename__ = "unit_group_members"
    group: Mapped[str] = mapped_column(ForeignKey("unit_groups.name"), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True, index=True)


class ConfigRevision(Base):
    """What a unit was told to be, revision by revision; `config`: the fields that changed, without digests."""

    __tablename__ = "config_revisions"
    __table_args__ = (UniqueConstraint("unit_id", "epoch", "rev"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    epoch: Mapped[int]
    rev: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64), default="")
    config: Mapped[dict[str, Any]]


class CommandRow(Base):
    """A command to one unit, and how far it has come (agent.contract.commands)."""

    __tablename__ = "commands"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    timeout_s: Mapped[int] = mapped_column(default=120)
    by: Mapped[str] = mapped_column(String(64), default="")
    rollout_id: Mapped[int | None] = mapped_column(index=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="sent", index=True)
    """`sent` until the unit has said something of it; then as it says."""
    cancel: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changed_at: Mapped[datetime]
    published: Mapped[bool] = mapped_column(default=False)
    """The broker has it as it is here; the worker publishes what it has not."""
    cleared: Mapped[bool] = mapped_column(default=False, index=True)
    """It is over, and both retained topics are empty again."""


class Rollout(Base):
    """A change that goes to many units in stages, and stops by itself when too many fail.

    what: `config` (values for the units' own configuration) or `command`. state: running, paused, stopped (by
    its threshold), done, aborted.
    """

    __tablename__ = "rollouts"
    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]]
    stages: Mapped[list[str]]
    """How many units each stage holds: a number, or a share such as 25%; the last takes the rest."""
    stage: Mapped[int] = mapped_column(default=0)
    failures_allowed: Mapped[str] = mapped_column(String(8), default="5%")
    state: Mapped[str] = mapped_column(String(10), default="running", index=True)
    reason: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    wait_s: Mapped[int] = mapped_column(default=300)
    """How long a stage may take; a unit that has not answered by then counts as failed."""


class RolloutUnit(Base):
    """One unit of a rollout. state: waiting, sent, succeeded, failed, skipped."""

    __tablename__ = "rollout_units"
    rollout_id: Mapped[int] = mapped_column(ForeignKey("rollouts.id"), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    stage: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    reason: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    rev: Mapped[int | None]
    """The configuration revision that is waited for."""
    command_id: Mapped[str | None] = mapped_column(String(64))


class UnitHistory(Base):
    """What has happened to a unit: states, versions, certificates, configuration, rooms. For its page."""

    __tablename__ = "unit_history"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(63), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)


class TelemetryRow(Base):
    """A unit's latest figures (agent.contract.telemetry)."""

    __tablename__ = "unit_telemetry"
    unit_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    at: Mapped[datetime]
    heard_at: Mapped[datetime]
    figures: Mapped[dict[str, Any]]


class DiagnosticsUpload(Base):
    """A place where one unit may put one diagnostics bundle, once."""

    __tablename__ = "diagnostics_uploads"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[str] = mapped_column(String(63), index=True)
    command_id: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    came_at: Mapped[datetime | None]
    bytes: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")


class AuditEntry(Base):
    """Who of IT did what: appended, never changed. `hash` covers the entry and the one before."""

    __tablename__ = "audit_log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str] = mapped_column(String(64), index=True)
    """An account's id, `cli:` and a user of this machine, `region` for what it does by itself."""
    action: Mapped[str] = mapped_column(String(40), index=True)
    target: Mapped[str] = mapped_column(String(120), index=True)
    """A unit's name, `serial:` and a serial number, `group:` and a group, `rollout:` and a number, `room:`…"""
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
