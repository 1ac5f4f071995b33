"""The STUN and TURN servers that unit and page get, with credentials that live for some hours.

TURN's REST API (draft-uberti-behave-turn-rest-00), which coturn calls `use-auth-secret`: the user name is the
second at which it expires and an id of the moment, the password that name's HMAC-SHA1 under a secret shared with
the server. Nothing in it tells who uses it, and no server need be told of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.contract.signalling import IceServer
from provisioning.settings import SettingsError, TurnSettings

MIN_SECRET_CHARS = 16


class IceConfiguration:
    """Made once from the settings; raises SettingsError when the secret cannot be used."""

    def __init__(self, fixed: Sequence[IceServer] = (), turn: TurnSettings | None = None) -> None:
        self._fixed = tuple(fixed)
        self._turn = turn
        self._secret = _read_secret(turn) if turn is not None else b""

    @property
    def renew_after(self) -> timedelta | None:
        """The age at which credentials in use are to be replaced; None when they do not expire."""
        return timedelta(seconds=self._turn.lifetime_s / 2) if self._turn is not None else None

    def servers(self, now: datetime, at_most_s: int | None = None) -> tuple[IceServer, ...]:
        """All servers; credentials are good from now on for the settings' lifetime, or less (seconds)."""
        if self._turn is None:
            return self._fixed
        lifetime_s = self._turn.lifetime_s
        expires = int(now.timestamp()) + (lifetime_s if at_most_s is None else min(lifetime_s, at_most_s))
        username = f"{expires}:{secrets.token_hex(6)}"
        digest = hmac.new(self._secret, username.encode(), hashlib.sha1).digest()
        credential = base64.b64encode(digest).decode()
        ours = IceServer(urls=self._turn.urls, username=username, credential=credential)
        return (*self._fixed, ours)


def _read_secret(turn: TurnSettings) -> bytes:
    file = turn.secret_file
    try:
        secret = file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"turn.secret_file: {file} cannot be read: {error.strerror}.") from None
    if len(secret) < MIN_SECRET_CHARS:
        raise SettingsError(
            f"turn.secret_file: {file} needs at least {MIN_SECRET_CHARS} characters; "
            f"make one with: openssl rand -hex 32 > {file}"
        )
    return secret.encode()
