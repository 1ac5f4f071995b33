"""What the pages ask about their own people: sign-ins, assignments, the access log, who takes whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from web.clinic.services import Account, Role

AccessKind = Literal["list", "session", "log", "meeting", "summary", "queue", "calls", "course"]
"""The day's list, the queues, one session's page, log, meeting, end and course, or the list of calls."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role at a clinic, by which a person signs in. IT may have no clinic (empty)."""

    role: Role
    clinic: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Who takes a patient. The name is staff's own and stays at the region."""

    account_id: str
    name: str
    at: datetime


class PeopleServices(Protocol):
    """All methods may be called on any thread."""

    def assignments(self, claims: Mapping[str, Any]) -> Sequence[Assignment]:
        """The roles and clinics that an OpenID provider's claims give their person here; none is no access."""

    def sign_in_as(self, claims: Mapping[str, Any], assignment: Assignment) -> Account | None:
        """The person's account for one of their assignments, made where it is new; None if it was closed, or
        if the assignment is not theirs."""

    def ended_sign_ins(self, since: datetime) -> frozenset[str]:
        """Digests of the sign-ins that were signed out of since then; older ones are forgotten."""

    def remember_ended(self, digest: str) -> None:
        """A sign-in was signed out of."""

    def looked(
        self,
        account: Account,
        kind: AccessKind,
        *,
        sid: str | None = None,
        day: str | None = None,
        refused: bool = False,
    ) -> None:
        """Write into the access log; once in some minutes for the same person and thing."""

    def take(self, account: Account, sid: str, *, over: bool = False) -> None:
        """Say that one takes this patient; `over`: from a colleague. Raises Refused if a colleague does."""

    def release(self, account: Account, sid: str) -> None:
        """Let go of a patient whom one has taken; nothing happens if one has not."""

    def taken(self, account: Account, sids: Sequence[str]) -> Mapping[str, Taken]:
        """Who takes whom, of those sessions of the account's clinic."""
