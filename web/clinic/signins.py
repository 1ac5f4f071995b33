"""Who has signed in, kept in a signed cookie so that a restarted region knows its people again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, MutableMapping
from threading import Lock
from typing import Any

Cookie = MutableMapping[str, Any]


class SignIns:
    """Begins, checks and ends sign-ins. Times are seconds since 1970, as the cookie carries them."""

    def __init__(self, idle_timeout_s: int, lifetime_s: int, clock: Callable[[], float] = time.time) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._lock = Lock()

    def begin(self, cookie: Cookie, account_id: str) -> None:
        """A fresh cookie with a fresh CSRF token, so that nothing planted before the sign-in lives on."""
        language = cookie.get("language")
        cookie.clear()
        now = int(self._clock())
        cookie.update(account=account_id, sign_in=secrets.token_urlsafe(16), since=now, seen=now)
        if language:
            cookie["language"] = language

    def end(self, cookie: Cookie) -> None:
        """Sign out: a copy of the cookie is worth nothing afterwards."""
        language = cookie.get("language")
        with self._lock:
            horizon = self._clock() - self._lifetime_s
            self._ended = {key: at for key, at in self._ended.items() if at > horizon}
            if sign_in := cookie.get("sign_in"):
                self._ended[sign_in] = self._clock()
        cookie.clear()
        if language:
            cookie["language"] = language

    def account_id(self, cookie: Cookie) -> str | None:
        """Whose sign-in this is, or None when there is none, it has ended, or it was idle too long."""
        sign_in, account_id = cookie.get("sign_in"), cookie.get("account")
        if not isinstance(sign_in, str) or not isinstance(account_id, str):
            return None
        now = self._clock()
        if (
            now - cookie.get("since", 0) > self._lifetime_s
            or now - cookie.get("seen", 0) > self._idle_timeout_s
        ):
            return None
        return None if self.has_ended(sign_in) else account_id

    def has_ended(self, sign_in: str) -> bool:
        """Whether someone signed out of it; open feeds ask."""
        with self._lock:
            return sign_in in self._ended

    def touch(self, cookie: Cookie) -> None:
        """Someone is there."""
        cookie["seen"] = int(self._clock())
