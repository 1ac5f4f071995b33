"""Checking in by code or QR code, and the pause after wrong tries. The digest aside, pure."""

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
_TOKEN = re.compile(r"(?:https?://[!-\"$-~]{1,200}#)?([0-9a-f]{32})", re.ASCII)


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


def digests_of(
    code: str, sessions: Iterable[ScheduledSession], salt_hex: str, used: Iterable[str] = ()
) -> dict[str, str]:
    """The code's digest under each salt in use, and under those used lately. One slow digest a salt, however many
    sessions.

    Takes some tens of milliseconds each by design: call it off the event loop.
    """
    salts = {salt_hex, *used} | {session.checkin.salt for session in sessions if session.checkin.salt}
    return {salt: code_digest(code, salt) for salt in salts if salt}


def match_code(
    digests: dict[str, str], sessions: Iterable[ScheduledSession], salt_hex: str
) -> ScheduledSession | None:
    """The session that a code with these digests belongs to."""
    for session in sessions:
        wanted = session.checkin.code_digest
        if wanted is None or "code" not in session.checkin.methods:
            continue
        given = digests.get(session.checkin.salt or salt_hex)
        if given is not None and hmac.compare_digest(given, wanted):
            return session
    return None


def token_of(text: str) -> str | None:
    """The token that a QR code holds, alone or after the `#` of the invitation's link; None if it is not ours."""
    found = _TOKEN.fullmatch(text)
    return found[1] if found is not None else None


def match_token(digest: str, sessions: Iterable[ScheduledSession]) -> ScheduledSession | None:
    """The session that a token with this digest (agent.contract.schedule.token_digest) belongs to."""
    for session in sessions:
        wanted = session.checkin.token_digest
        if wanted and "qr" in session.checkin.methods and hmac.compare_digest(digest, wanted):
            return session
    return None
