"""Checking in by code, and the pause after wrong tries. The digest aside, pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.contract.schedule import CODE_DIGITS, ScheduledSession, code_digest

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
        # A clock that was put right may be far behind `until`: no pause is to last for years by that.
        return self.until is not None and now < self.until <= now + 2 * PAUSE

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


def match_code(code: str, sessions: Iterable[ScheduledSession], salt_hex: str) -> ScheduledSession | None:
    """The session that this code belongs to. One slow digest for each salt, however many sessions.

    Takes some tens of milliseconds by design: call it off the event loop.
    """
    digests: dict[str, str] = {}
    for session in sessions:
        wanted = session.checkin.code_digest
        if wanted is None or "code" not in session.checkin.methods:
            continue
        salt = session.checkin.salt or salt_hex
        if salt not in digests:
            digests[salt] = code_digest(code, salt)
        if hmac.compare_digest(digests[salt], wanted):
            return session
    return None
