"""Who has signed in, kept in a signed cookie so that a restarted region knows its people again."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Protocol

Cookie = MutableMapping[str, Any]
KEPT = ("language",)
"""What a browser keeps when someone signs in or out."""
MOST_ID_TOKENS = 5000


class EndedSignIns(Protocol):
    """Where it is kept who has signed out; `provisioning` has it in the database."""

    def ended_sign_ins(self, since: datetime) -> frozenset[str]:
        """Digests of the sign-ins that were signed out of since then."""

    def remember_ended(self, digest: str) -> None:
        """A sign-in was signed out of."""


class SignIns:
    """Begins, checks and ends sign-ins. Times are seconds since 1970, as the cookie carries them."""

    def __init__(
        self,
        idle_timeout_s: int,
        lifetime_s: int,
        clock: Callable[[], float] = time.time,
        kept: EndedSignIns | None = None,
    ) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._kept = kept
        since = datetime.fromtimestamp(clock() - lifetime_s, UTC)
        self._ended = dict.fromkeys(kept.ended_sign_ins(since) if kept else (), clock())
        self._lock = Lock()

    def begin(self, cookie: Cookie, account_id: str, *, others: bool = False) -> None:
        """A fresh cookie with a fresh CSRF token, so that nothing planted before the sign-in lives on.

        `others`: an OpenID provider vouched for the person, and is to be told when they sign out.
        """
        _empty(cookie, (*KEPT, "return_to"))
        now = int(self._clock())
        cookie.update(account=account_id, sign_in=secrets.token_urlsafe(16), since=now, seen=now)
        if others:
            cookie["oidc"] = True

    def end(self, cookie: Cookie) -> None:
        """Sign out: a copy of the cookie is worth nothing afterwards, also after a restart."""
        if sign_in := cookie.get("sign_in"):
            if self._kept is not None:
                self._kept.remember_ended(_digest(sign_in))
            with self._lock:
                horizon = self._clock() - self._lifetime_s
                self._ended = {key: at for key, at in self._ended.items() if at > horizon}
                self._ended[_digest(sign_in)] = self._clock()
        _empty(cookie, KEPT)

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
            return _digest(sign_in) in self._ended

    def touch(self, cookie: Cookie) -> None:
        """Someone is there."""
        cookie["seen"] = int(self._clock())


class IdTokens:
    """What the provider wants to see again at sign-out; in memory alone, since it names its person."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def keep(self, sign_in: str, token: str) -> None:
        """Keep one; the oldest gives way."""
        with self._lock:
            self._tokens[sign_in] = token
            while len(self._tokens) > MOST_ID_TOKENS:
                self._tokens.popitem(last=False)

    def take(self, sign_in: str) -> str | None:
        """The token, once; None after a restart."""
        with self._lock:
            return self._tokens.pop(sign_in, None)


def _empty(cookie: Cookie, but: tuple[str, ...]) -> None:
    kept = {name: cookie[name] for name in but if name in cookie}
    cookie.clear()
    cookie.update(kept)


def _digest(sign_in: str) -> str:
    """Of 128 random bits: a plain hash cannot be turned round."""
    return hashlib.sha256(sign_in.encode()).hexdigest()
