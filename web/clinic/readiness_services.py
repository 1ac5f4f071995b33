"""What the page of rooms that are booked and not ready may ask of the region. `provisioning` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from web.clinic.readiness_figures import UnitMonth
from web.clinic.services import Account


@dataclass(frozen=True, slots=True)
class Target:
    """Another room of the same centre that is free and ready."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToldLine:
    """Who was told, as IT has named them; state: waiting, sent or failed."""

    name: str
    channel: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NotReadyRoom:
    """One room. `instruction`: the one thing to do first; `others`: how much else is not well."""

    id: str
    name: str
    clinic: str
    level: Literal["warn", "fail"]
    instruction: str
    others: int
    since: datetime | None
    sid: str
    ref: str
    start: datetime
    remaining: int
    told: tuple[ToldLine, ...] = ()
    targets: tuple[Target, ...] = ()
    can_try: bool = False
    """Whether its unit is there to try again."""
    is_trying: bool = False


class ReadinessServices(Protocol):
    """Every method may be called on any thread, and stays within the account's clinic; IT sees all."""

    def not_ready(self, account: Account) -> Sequence[NotReadyRoom]:
        """Booked today and not ready, worst first."""

    def figures(self, account: Account, month: str) -> Sequence[UnitMonth]:
        """How ready the rooms were in a month such as `2026-11`. Raises ValueError for what is none."""

    def figures_csv(self, account: Account, month: str) -> str:
        """The same as CSV (RFC 4180)."""

    def try_again(self, account: Account, room: str) -> None:
        """Have the room test itself now. Raises Refused or NotAllowed."""

    def move_to(self, account: Account, sid: str, room: str) -> None:
        """Move a session to another room. Raises Refused, Clash or NotAllowed."""
