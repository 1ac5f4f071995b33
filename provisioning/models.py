"""The region's tables: places, units, people who work there and who may post, and what is booked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, MetaData, String, TypeDecorator, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """A point in time, kept in UTC and always given back with its offset (SQLite forgets it)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without an offset, since nobody could say what it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its offset from UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC again."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own declaration
        datetime: Instant,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Fact(Base):
    """A single value of the region itself: schema version, secrets, the head of the meeting log."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]


class Clinic(Base):
    """Who owns rooms and employs staff."""

    __tablename__ = "clinics"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)


class Unit(Base):
    """An appliance: what it shall know (schedule and configuration by revision)."""

    __tablename__ = "units"
    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    added_at: Mapped[datetime]
    schedule_epoch: Mapped[int] = mapped_column(default=1)
    schedule_rev: Mapped[int] = mapped_column(default=0)
    schedule_sha256: Mapped[str] = mapped_column(String(64), default="")
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    config_rev: Mapped[int] = mapped_column(default=0)
    config_epoch: Mapped[int] = mapped_column(default=1)
    config_own: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What was set on this unit itself; `config` is the whole: its groups', its room's and its own."""
    serial: Mapped[str | None] = mapped_column(String(63), index=True)


class UnitKey(Base):
    """A public key the unit has had; older events are verified with older keys."""

    __tablename__ = "unit_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    public_key: Mapped[str]
    certificate_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    not_after: Mapped[datetime]
    added_at: Mapped[datetime]


class UnitReport(Base):
    """What a unit last said of itself."""

    __tablename__ = "unit_reports"
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(20), default="unknown")
    since: Mapped[datetime | None]
    boot: Mapped[int] = mapped_column(default=0)
    faults: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    info: Mapped[dict[str, Any]] = mapped_column(default=dict)
    schedule_epoch: Mapped[int] = mapped_column(default=0)
    schedule_rev: Mapped[int] = mapped_column(default=0)
    schedule_outcome: Mapped[str] = mapped_column(String(20), default="")
    rejected_sids: Mapped[list[str]] = mapped_column(default=list)
    config_rev: Mapped[int] = mapped_column(default=0)
    config_errors: Mapped[list[str]] = mapped_column(default=list)
    config_epoch: Mapped[int] = mapped_column(default=0)
    config_state: Mapped[str] = mapped_column(String(12), default="")
    config_wanted_rev: Mapped[int] = mapped_column(default=0)
    heard_at: Mapped[datetime | None]
    """When the unit itself last said anything."""


class Room(Base):
    """A bookable room (FHIR Location), and the unit that stands in it now."""

    __tablename__ = "rooms"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("units.id"), unique=True)
    clinic: Mapped[Clinic] = relationship(lazy="joined")


class RoomUnit(Base):
    """Which unit stood in which room, and when."""

    __tablename__ = "room_units"
    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class StaffMember(Base):
    """One who may unlock the screens of a clinic's rooms, with a PIN of their own."""

    __tablename__ = "staff_members"
    __table_args__ = (UniqueConstraint("clinic_id", "label"),)
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"), index=True)
    label: Mapped[str] = mapped_column(String(20))
    pin_digest: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    """One who was removed stays, so that the log can still say who it was."""
    added_at: Mapped[datetime]
    clinic: Mapped[Clinic] = relationship(lazy="joined")


class Queue(Base):
    """Where staff in a room ask a clinic for a clinician now. `rooms_of`: names of the clinics whose rooms
    may ask; none named: every clinic's."""

    __tablename__ = "queues"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"), index=True)
    rooms_of: Mapped[list[str]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    clinic: Mapped[Clinic] = relationship(lazy="joined")


class QueueEntry(Base):
    """A room that waits in a queue, or waited: state waiting, taken, cancelled or expired."""

    __tablename__ = "queue_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[str] = mapped_column(ForeignKey("queues.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    unit_id: Mapped[str] = mapped_column(String(63))
    since: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default="waiting", index=True)
    asked_by: Mapped[str | None] = mapped_column(String(16))
    """The member of staff who asked."""
    taken_by: Mapped[str | None] = mapped_column(String(16))
    changed_at: Mapped[datetime]
    sid: Mapped[str | None] = mapped_column(String(40))
    told: Mapped[bool] = mapped_column(default=False)
    """The unit was told that it waits no longer."""
    queue: Mapped[Queue] = relationship(lazy="joined")
    room: Mapped[Room] = relationship(lazy="joined")


class DaySalt(Base):
    """The salt under which one room's codes of one day are digested; it follows the room, not the unit."""

    __tablename__ = "day_salts"
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(32))


class BookedSession(Base):
    """A booked session. Nothing here tells who the patient is."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("client_id", "identifier_digest"),)
    sid: Mapped[str] = mapped_column(String(40), primary_key=True)
    ref: Mapped[str] = mapped_column(String(8))
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    start: Mapped[datetime] = mapped_column(index=True)
    end: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20), default="booked")
    party_role: Mapped[str] = mapped_column(String(20), default="clinician")
    language: Mapped[str] = mapped_column(String(3))
    methods: Mapped[list[str]]
    waiting_room: Mapped[bool]
    cancelled: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(20), default="booked")
    checked_in_at: Mapped[datetime | None]
    checked_in_how: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None]
    client_id: Mapped[str | None] = mapped_column(ForeignKey("api_clients.id"))
    identifier_digest: Mapped[str | None] = mapped_column(String(64))
    salt: Mapped[str] = mapped_column(String(32))
    code_digest: Mapped[str] = mapped_column(String(64))
    token_digest: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    published_version: Mapped[int] = mapped_column(default=0)
    """The version that `published_unit` was given with revision `published_rev`."""
    published_unit: Mapped[str | None] = mapped_column(String(63))
    published_rev: Mapped[int] = mapped_column(default=0)
    served_by_id: Mapped[int | None] = mapped_column(ForeignKey("clinics.id"), index=True)
    """The clinic whose clinician took it from a queue, where that is not the room's own."""
    booked_room_id: Mapped[str | None] = mapped_column(String(64))
    """The room it was booked for, where staff have handed it over to another since."""
    last_request: Mapped[str | None] = mapped_column(String(120))
    """The unit's newest intent that changed it: one that comes twice is done once."""
    room: Mapped[Room] = relationship(lazy="joined")
    served_by: Mapped[Clinic | None] = relationship(lazy="joined")

    @property
    def clinic(self) -> Clinic:
        """Whose clinician the patient meets."""
        return self.served_by or self.room.clinic

    @property
    def clinic_ids(self) -> frozenset[int]:
        """The clinics whose people may see it: the room's, and the one that took it from a queue."""
        return frozenset({self.room.clinic_id, self.clinic.id})

    @property
    def clinic_names(self) -> frozenset[str]:
        """And their names."""
        return frozenset({self.room.clinic.name, self.clinic.name})


def forget_secrets(session: BookedSession) -> None:
    """Nobody checks in to it any more: drop the digests of its code and token."""
    session.code_digest = session.token_digest = ""


class OutboxRow(Base):
    """A unit whose schedule or configuration was changed, by whichever process; the worker looks here."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(63))
    what: Mapped[str] = mapped_column(String(20))


class UnitChain(Base):
    """The last event of each unit that is kept here, and so acknowledged."""

    __tablename__ = "unit_chains"
    unit_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    epoch: Mapped[int]
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(128))


class LogEntry(Base):
    """One entry of the meeting log: appended, never changed. `hash` covers the entry and the one before."""

    __tablename__ = "meeting_log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(10))
    unit_id: Mapped[str | None] = mapped_column(String(63), index=True)
    sid: Mapped[str | None] = mapped_column(String(40), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    fields: Mapped[dict[str, Any]]
    unit_epoch: Mapped[int | None]
    unit_seq: Mapped[int | None]
    unit_prev: Mapped[str | None] = mapped_column(String(128))
    unit_hash: Mapped[str | None] = mapped_column(String(128))
    unit_signature: Mapped[str | None] = mapped_column(String(120))
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class QualityRow(Base):
    """What one source (`unit`, or a party's page by its peer id) saw of a call in one interval.

    Telemetry: deleted after some weeks by `kept_at`, which is the region's own clock.
    """

    __tablename__ = "quality"
    sid: Mapped[str] = mapped_column(String(40), primary_key=True)
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(index=True)
    figures: Mapped[dict[str, Any]]


class QualityCall(Base):
    """A call's figures added up, for the list of calls; goes when its last row goes."""

    __tablename__ = "quality_calls"
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid"), primary_key=True)
    began: Mapped[datetime]
    ended: Mapped[datetime]
    kept_at: Mapped[datetime] = mapped_column(index=True)
    reports: Mapped[int] = mapped_column(default=0)
    room_frozen_s: Mapped[float] = mapped_column(default=0.0)
    page_frozen_s: Mapped[float] = mapped_column(default=0.0)
    away_s: Mapped[float] = mapped_column(default=0.0)


class HelpCall(Base):
    """The last call for help of each unit: open, answered by an account, or over.

    `late`: heard of so long after it was asked that it does not ring.
    """

    __tablename__ = "help_calls"
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(120))
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
    sid: Mapped[str | None] = mapped_column(String(40))
    asked_at: Mapped[datetime]
    late: Mapped[bool]
    answered_by: Mapped[str | None] = mapped_column(String(16))
    answered_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]
