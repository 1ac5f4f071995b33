"""The tables of meetings that go on: seats for those who come by a link, and how a meeting stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.models import Base


class Seat(Base):
    """A place in one meeting for someone who comes by a link and a code: deleted when the meeting is over."""

    __tablename__ = "seats"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(40), default="")
    """What the clinic calls it, such as an interpreter's number; never in the log."""
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    salt: Mapped[str] = mapped_column(String(32))
    code_digest: Mapped[str] = mapped_column(String(64))
    failures: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    closed: Mapped[bool] = mapped_column(default=False)
    """Withdrawn, or its holder was shown out."""
    accounts: Mapped[list[str]] = mapped_column(default=list)
    """Professionals of other clinics who hold its link."""


class MeetingStanding(Base):
    """What a meeting must still know after a restart of the region (provisioning.standing)."""

    __tablename__ = "meeting_standings"
    sid: Mapped[str] = mapped_column(String(40), primary_key=True)
    standing: Mapped[dict[str, Any]]
