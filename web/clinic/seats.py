"""Seats in one meeting for those who come by a link, and what the pages may ask of the region about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from web.clinic.services import Account

SeatRole = Literal["interpreter", "relative", "specialist", "municipality", "proxy"]
SeatState = Literal["made", "claimed", "waiting", "inside"]


@dataclass(frozen=True, slots=True)
class Guest:
    """Someone who has come by a link and its code: good for that one meeting and for nothing else."""

    id: str
    """The seat's."""
    sid: str
    role: SeatRole
    place: str
    """This browser's; another browser with the same link has another."""


@dataclass(frozen=True, slots=True)
class SeatLine:
    """A seat, for those who have made it."""

    id: str
    role: SeatRole
    label: str
    state: SeatState


@dataclass(frozen=True, slots=True)
class SeatInvitation:
    """What is sent on to whoever is invited: shown once, kept as digests only."""

    id: str
    sid: str
    role: SeatRole
    code: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeatLook:
    """What a link opens, for someone who holds it."""

    id: str
    sid: str
    role: SeatRole
    start: datetime
    opens_at: datetime
    is_open: bool
    """Whether one may come in now; before that the page says when."""
    in_use: bool
    """Someone has come in by this link and is there now."""


class SeatServices(Protocol):
    """All methods may be called on any thread and raise Refused; those that take an account raise NotAllowed."""

    def make(self, account: Account, sid: str, role: str, label: str) -> SeatInvitation:
        """A seat with a link and a code of its own. The label is no patient's name; it is wiped at the end."""

    def list(self, account: Account, sid: str) -> Sequence[SeatLine]:
        """The session's seats in the order they were made."""

    def withdraw(self, account: Account, sid: str, seat_id: str) -> None:
        """The link is good for nothing from here on; whoever came by it is shown out."""

    def look(self, token: str) -> SeatLook:
        """What the link is for. Raises Refused when the meeting is over or the link is none."""

    def claim(self, token: str, code: str) -> Guest:
        """Link and code fit: one may knock. Raises TooManyTries after five wrong codes."""

    def claim_as(self, account: Account, token: str) -> SeatLook:
        """A professional of another clinic, who has signed in and holds the link, may knock."""

    def guest(self, seat_id: str, sid: str, place: str) -> Guest | None:
        """One who has claimed a seat, while the seat is there."""
