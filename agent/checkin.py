"""Checking in by code, and the pause after wrong tries. The digest aside, pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.low_level import Type, hash_secret_raw

from agent.contract.schedule import (
    CODE_DIGEST_BYTES,
    CODE_DIGEST_MEMORY_KIB,
    CODE_DIGEST_PASSES,
    CODE_DIGITS,
    ScheduledSession,
)

TRIES = 5
PAUSE = timedelta(minutes=2)
_CODE = re.compile(rf"\d{{{CODE_DIGITS}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TryLock:
    """Five wrong tries, then two minutes' pause; then five again."""

    wrong: int = 0
    until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Whether entry pauses now."""
        return self.until is not None and now < self.until

    def tries_left(self, now: datetime) -> int:
        """How many wrong tries are left before the pause."""
        if self.is_locked(now):
            return 0
        return TRIES if self.until is not None else TRIES - self.wrong

    def after_wrong(self, now: datetime) -> TryLock:
        """The lock after one more wrong try."""
        wrong = 1 if self.until is not None else self.wrong + 1
        return TryLock(wrong, now + PAUSE if wrong >= TRIES else None)


def is_code(text: str) -> bool:
    """Whether text could be a code at all; what could not does not count as a try."""
    return _CODE.fullmatch(text) is not None


def digest_code(code: str, salt_hex: str) -> str:
    """argon2id of a code, in hex; takes some tens of milliseconds by design: call it off the event loop."""
    return hash_secret_raw(
        code.encode(),
        bytes.fromhex(salt_hex),
        time_cost=CODE_DIGEST_PASSES,
        memory_cost=CODE_DIGEST_MEMORY_KIB,
        parallelism=1,
        hash_len=CODE_DIGEST_BYTES,
        type=Type.ID,
    ).hex()


def match_code(code: str, sessions: Iterable[ScheduledSession], salt_hex: str) -> ScheduledSession | None:
    """The session that this code belongs to. One slow digest for each salt, however many sessions."""
    digests: dict[str, str] = {}
    for session in sessions:
        wanted = session.checkin.code_digest
        if wanted is None or "code" not in session.checkin.methods:
            continue
        salt = getattr(session.checkin, "salt", None) or salt_hex
        if salt not in digests:
            digests[salt] = digest_code(code, salt)
        if hmac.compare_digest(digests[salt], wanted):
            return session
    return None
