"""Staff who sign in with a password kept here or through the OpenID provider, and booking systems with a token.

Pages know accounts only as values with an id, role and clinic.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agent.contract.schedule import token_digest
from provisioning.database import Database
from provisioning.identifiers import keyed_digest, new_id, new_token
from provisioning.models import Clinic
from provisioning.people_models import AccountRow, ApiClient, SignInTries
from web.clinic.people import Assignment
from web.clinic.services import Account, Refused, Role, TooManyTries

log = logging.getLogger(__name__)

TRIES = 5
PAUSE = timedelta(minutes=2)
FORGET_TRIES_AFTER = timedelta(days=1)
PASSWORD_MIN_LENGTH = 10
PASSWORD_MAX_LENGTH = 200
ACCOUNT_ID_LENGTH = 12
OIDC_ACCOUNT_ID_LENGTH = 16
NO_PASSWORD = ""
"""Of an account whose person signs in elsewhere: no password fits."""
HASHES_AT_ONCE = 4
"""Each takes 64 MiB by design: without a limit, whoever posts sign-ins would fill the memory."""


class Accounts:
    """Local accounts. Every method may be called on any thread."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], hasher: PasswordHasher | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._hashing = BoundedSemaphore(HASHES_AT_ONCE)
        # Checked for an unknown name, so that it takes as long as a known one.
        self._decoy = self._hasher.hash(new_token())

    def add(self, username: str, name: str, role: str, clinic: str, password: str) -> Account:
        """Make an account, and its clinic where it is new; raises Refused. There is no default password."""
        username = username.strip().lower()
        if not 2 <= len(username) <= 64:
            raise Refused("username", "has 2 to 64 characters")
        if role not in get_args(Role):
            raise Refused("role", f"is one of {', '.join(get_args(Role))}")
        if not PASSWORD_MIN_LENGTH <= len(password) <= PASSWORD_MAX_LENGTH:
            raise Refused("password", f"has at least {PASSWORD_MIN_LENGTH} characters")
        password_hash = self._hasher.hash(password)
        with self._database.write() as db:
            if db.scalar(select(AccountRow).where(AccountRow.username == username)):
                raise Refused("username", "is taken")
            row = AccountRow(
                id=new_id(ACCOUNT_ID_LENGTH),
                username=username,
                name=name.strip()[:120] or username,
                role=role,
                clinic=clinic_named(db, clinic),
                password_hash=password_hash,
            )
            db.add(row)
            db.flush()
            return _account(row)

    def list(self) -> Sequence[tuple[str, Account, bool]]:
        """User name, account and whether it may sign in, of all."""
        with self._database.read() as db:
            rows = db.scalars(select(AccountRow).order_by(AccountRow.username))
            return [(row.username, _account(row), row.active) for row in rows]

    def close(self, username: str) -> None:
        """End an account's access, from its next request on; raises Refused."""
        with self._database.write() as db:
            row = db.scalar(select(AccountRow).where(AccountRow.username == username.strip().lower()))
            if row is None:
                raise Refused("username", "is not known")
            row.active = False

    def get(self, account_id: str) -> Account | None:
        """An account that may still sign in."""
        with self._database.read() as db:
            row = db.get(AccountRow, account_id)
            return _account(row) if row is not None and row.active else None

    def of_person(
        self, issuer: str, subject: str, name: str, assignment: Assignment, *, keep_subject: bool
    ) -> Account | None:
        """The account of a person whom the OpenID provider knows, one for each assignment, made where it is new.

        None if it was closed here. The name follows the provider's.
        """
        secret = self._database.fact("secret")
        kept = subject if keep_subject else subject_digest(secret, issuer, subject)
        whose = keyed_digest(secret, "oidc account", issuer, subject, assignment.role, assignment.clinic)
        account_id = whose[:OIDC_ACCOUNT_ID_LENGTH]
        with self._database.write() as db:
            row = db.get(AccountRow, account_id)
            if row is None:
                row = AccountRow(
                    id=account_id, username=f"oidc:{account_id}", role=assignment.role, active=True
                )
                row.password_hash = NO_PASSWORD
                row.clinic = clinic_named(db, assignment.clinic) if assignment.clinic else None
                db.add(row)
            row.name, row.subject = name[:120], kept
            db.flush()
            return _account(row) if row.active else None

    def ids_of(self, issuer: str, subject: str) -> frozenset[str]:
        """The accounts of one person at the OpenID provider."""
        kept = (subject, subject_digest(self._database.fact("secret"), issuer, subject))
        with self._database.read() as db:
            return frozenset(db.scalars(select(AccountRow.id).where(AccountRow.subject.in_(kept))))

    def authenticate(self, username: str, password: str) -> Account | None:
        """The account, or None; a wrong name and a wrong password are alike, in time and in the pause.

        Raises TooManyTries after five wrong tries under a name, for two minutes, also across a restart.
        """
        username = username.strip().lower()[:200]
        digest = keyed_digest(self._database.fact("secret"), "sign-in", username)
        # The try is counted before the password is looked at: tries at the same moment all count.
        self._count_try(digest)
        with self._database.read() as db:
            row = db.scalar(select(AccountRow).where(AccountRow.username == username))
        kept = row.password_hash if row is not None and row.password_hash != NO_PASSWORD else self._decoy
        fits = self._fits(kept, password[:PASSWORD_MAX_LENGTH])
        if row is None or kept == self._decoy or not row.active or not fits:
            return None
        with self._database.write() as db:
            db.execute(delete(SignInTries).where(SignInTries.name_digest == digest))
        return _account(row)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            with self._hashing:
                return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    def _count_try(self, digest: str) -> None:
        now = self._clock()
        with self._database.write() as db:
            db.execute(delete(SignInTries).where(SignInTries.last < now - FORGET_TRIES_AFTER))
            tries = db.get(SignInTries, digest, with_for_update=True)
            if tries is None:
                tries = SignInTries(name_digest=digest, failures=0, last=now, until=None)
                db.add(tries)
            if tries.until is not None and now < tries.until:
                raise TooManyTries(tries.until)
            if tries.until is not None:
                tries.failures, tries.until = 0, None
            tries.failures, tries.last = tries.failures + 1, now
            if tries.failures >= TRIES:
                tries.until = now + PAUSE
                log.warning("sign-in paused after %d tries", TRIES)


class Clients:
    """Booking systems that may post for one clinic's rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, clinic: str) -> tuple[str, str]:
        """The new client's id and its bearer token, which is kept as a digest only."""
        token = new_token() + new_token()
        with self._database.write() as db:
            owner = clinic_named(db, clinic)
            row = ApiClient(
                id=new_id(ACCOUNT_ID_LENGTH),
                name=name[:120],
                clinic_id=owner.id,
                token_digest=token_digest(token),
                active=True,
            )
            db.add(row)
            return row.id, token

    def authorise(self, bearer_token: str) -> str | None:
        """The client's id, or None."""
        with self._database.read() as db:
            query = select(ApiClient).where(ApiClient.token_digest == token_digest(bearer_token))
            row = db.scalar(query)
            return row.id if row is not None and row.active else None


def clinic_named(db: Session, name: str) -> Clinic:
    """The clinic of that name, made where it is new; raises Refused for an empty name."""
    name = name.strip()
    if not 1 <= len(name) <= 120:
        raise Refused("clinic", "has a name of 1 to 120 characters")
    clinic = db.scalar(select(Clinic).where(Clinic.name == name))
    if clinic is None:
        clinic = Clinic(name=name)
        db.add(clinic)
        db.flush()
    return clinic


def subject_digest(secret: str, issuer: str, subject: str) -> str:
    """What is kept of a person's name at the OpenID provider."""
    return keyed_digest(secret, "oidc subject", issuer, subject)


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        role=cast(Role, row.role),
        clinic=row.clinic.name if row.clinic else "",
        identified="account" if row.subject is None else "oidc",
    )
