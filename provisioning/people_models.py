"""Tables of the region's own people and programs: who signs in, who takes whom, who looked at what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provisioning.models import Base, Clinic


class AccountRow(Base):
    """Someone of the staff: with a password of ours, or one assignment of a person at the OpenID provider."""

    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinics.id"))
    """None for IT of no clinic, which the OpenID provider may have."""
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    subject: Mapped[str | None] = mapped_column(String(255), index=True)
    """The person at the OpenID provider: a keyed digest of issuer and `sub`, or `sub` itself; None otherwise."""
    clinic: Mapped[Clinic | None] = relationship(lazy="joined")


class EndedSignIn(Base):
    """A sign-in that was signed out of: a copy of its cookie is worth nothing, also after a restart."""

    __tablename__ = "ended_sign_ins"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


class TakenRow(Base):
    """Which clinician of a clinic takes this patient; one at a time, since the session is the key."""

    __tablename__ = "taken"
    sid: Mapped[str] = mapped_column(ForeignKey("sessions.sid"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime]


class AccessEntry(Base):
    """Who looked at what: appended, never changed. `hash` covers the entry and the one before."""

    __tablename__ = "access_log"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[str] = mapped_column(String(16), index=True)
    identified: Mapped[str] = mapped_column(String(20))
    role: Mapped[str] = mapped_column(String(20))
    clinic: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    sid: Mapped[str | None] = mapped_column(String(40), index=True)
    day: Mapped[str | None] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(10))
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class SignInTries(Base):
    """Wrong tries under one user name, known or not; the name is kept as a digest only."""

    __tablename__ = "sign_in_tries"
    name_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last: Mapped[datetime]
    until: Mapped[datetime | None]


class ApiClient(Base):
    """A booking system that may post Appointments for one clinic's rooms."""

    __tablename__ = "api_clients"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
