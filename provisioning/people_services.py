"""What the pages ask about their own people (web.clinic.people.PeopleServices)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from provisioning.access_log import AccessLog
from provisioning.accounts import Accounts
from provisioning.database import Database
from provisioning.models import Clinic
from provisioning.oidc_mapping import assignments, name_of, subject_of
from provisioning.oidc_settings import OidcSettings
from provisioning.people_models import EndedSignIn
from provisioning.waiting_room import WaitingRoom
from web.clinic.people import AccessKind, Assignment, Taken
from web.clinic.services import Account, Refused


class PeopleServices:
    """The part of Services that knows the region's own people. Every method may be called on any thread."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        *,
        clock: Callable[[], datetime],
        oidc: OidcSettings | None = None,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock
        self._oidc = oidc
        self._access = AccessLog(database, clock)
        self._waiting = WaitingRoom(database, clock)

    def authenticate(self, username: str, password: str) -> Account | None:
        """The account, or None for a wrong name or password (alike in time). Raises TooManyTries."""
        return self._accounts.authenticate(username, password)

    def account(self, account_id: str) -> Account | None:
        """An account that may still sign in."""
        return self._accounts.get(account_id)

    def assignments(self, claims: Mapping[str, Any]) -> Sequence[Assignment]:
        """The roles and clinics that the claims give here."""
        if self._oidc is None or subject_of(claims, self._oidc) is None:
            return ()
        with self._database.read() as db:
            known = frozenset(db.scalars(select(Clinic.name)))
        return assignments(claims, self._oidc, known)

    def sign_in_as(self, claims: Mapping[str, Any], assignment: Assignment) -> Account | None:
        """The account for one of the person's assignments; None if it was closed or is not theirs."""
        if self._oidc is None or assignment not in self.assignments(claims):
            return None
        subject, name = subject_of(claims, self._oidc) or "", name_of(claims, self._oidc)
        return self._accounts.of_person(
            self._oidc.issuer, subject, name, assignment, keep_subject=self._oidc.keep_subject
        )

    def ended_sign_ins(self, since: datetime) -> frozenset[str]:
        """Digests of the sign-ins that were signed out of since then; older ones are forgotten."""
        with self._database.write() as db:
            db.execute(delete(EndedSignIn).where(EndedSignIn.at < since))
            return frozenset(db.scalars(select(EndedSignIn.digest)))

    def remember_ended(self, digest: str) -> None:
        """A sign-in was signed out of."""
        with self._database.write() as db:
            db.merge(EndedSignIn(digest=digest, at=self._clock()))

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
        self._access.looked(account, kind, sid, day, "refused" if refused else "shown")

    def taken(self, account: Account, sids: Sequence[str]) -> Mapping[str, Taken]:
        """Who takes whom."""
        return self._waiting.taken(sids) if account.role != "it" else {}

    def _take_by_opening(self, account: Account, sid: str) -> None:
        """Whoever opens a meeting that nobody has taken takes it."""
        if account.role == "clinician":
            try:
                self._waiting.take(account, sid, by_opening=True)
            except Refused:
                return
