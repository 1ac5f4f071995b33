"""Tables of rooms that are not ready: what units lacked and when, who is told of it, and what they were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provisioning.models import Base, Clinic

IS_OPEN = text("until IS NULL")


class UnitFault(Base):
    """What a unit lacked, from when to when by the region's clock. Of each unit and instruction at most one row is
    open (`until` is null)."""

    __tablename__ = "unit_faults"
    __table_args__ = (
        Index(
            "uq_unit_faults_open",
            "unit_id",
            "instruction",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(63), index=True)
    probe: Mapped[str] = mapped_column(String(40))
    instruction: Mapped[str] = mapped_column(String(40))
    """A key of agent.contract.instructions; `lost` is the region's own word of a unit that it cannot reach."""
    level: Mapped[str] = mapped_column(String(4))
    """`warn` or `fail`, as last said."""
    since: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime | None] = mapped_column(index=True)


class NoticeRecipient(Base):
    """Whom a clinic wants told: a function or a person, as IT has written them down.

    The address is contact data of staff: it is written to no log, and gone when the recipient is removed.
    """

    __tablename__ = "notice_recipients"
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str | None] = mapped_column(String(254))
    webhook: Mapped[str | None] = mapped_column(String(500))
    language: Mapped[str] = mapped_column(String(2), default="sv")
    active: Mapped[bool] = mapped_column(default=True)
    added_at: Mapped[datetime]
    clinic: Mapped[Clinic] = relationship(lazy="joined")


class Notice(Base):
    """One thing told to one recipient over one channel, or to be told.

    kind: `fault` or `well`. state: waiting, sent, failed (given up), dropped (nobody needs to know any more).
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("notice_recipients.id"), index=True)
    """None once the recipient was removed."""
    channel: Mapped[str] = mapped_column(String(8))
    """`email` or `webhook`."""
    kind: Mapped[str] = mapped_column(String(8))
    room_id: Mapped[str] = mapped_column(String(64), index=True)
    unit_id: Mapped[str] = mapped_column(String(63))
    fault_id: Mapped[int] = mapped_column(index=True)
    """Of `well`: the one that was told last."""
    instruction: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(4))
    since: Mapped[datetime]
    next_start: Mapped[datetime | None]
    ref: Mapped[str | None] = mapped_column(String(8))
    """Of the next session, as screens show it."""
    state: Mapped[str] = mapped_column(String(8), default="waiting", index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(120), default="")
    """Why the last try failed: a status or the kind of the error, without addresses."""
    over_at: Mapped[datetime | None]
    """Of `fault`: when the room was well again; what comes after it is told anew."""
    recipient: Mapped[NoticeRecipient | None] = relationship(lazy="joined")
