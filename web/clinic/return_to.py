"""Back to where someone came from: `?return_to=…` on a link, only to addresses that the region allows."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from flask import request, session

from web.clinic.state import clinic

_log = logging.getLogger(__name__)

PARAMETER = "return_to"
BOOKING = "booking"
MAX_CHARS = 500
"""It travels in the sign-in cookie, which browsers cut off at 4 KB."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"https": 443, "http": 80}
_PLAIN = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
"""The characters of RFC 3986: no space, no control character, no backslash, which browsers read as a slash."""


def is_beginning(address: str) -> bool:
    """Whether this can stand in the settings: an https address (http on localhost) without query or fragment."""
    parts = _parts(address)
    return parts is not None and "?" not in address and "#" not in address


def allowed(address: str, beginnings: Sequence[str]) -> bool:
    """Whether an address has the origin of one of the beginnings, and its path begins as that one's does."""
    parts = _parts(address)
    if parts is None or len(address) > MAX_CHARS:
        return False
    origin, path = parts
    return any(
        told is not None and origin == told[0] and _is_under(path, told[1])
        for told in map(_parts, beginnings)
    )


def remember(place: str) -> None:
    """Keep where this request asks to be led back to, for `place` (a session's id, or `booking`)."""
    asked = request.args.get(PARAMETER)
    if asked is None:
        return
    if allowed(asked, clinic().settings.return_to):
        session[PARAMETER] = {"place": place, "address": asked}
    else:
        # The address itself may carry what someone put there.
        _log.warning(
            "%s: a return_to was not followed: it begins with no address of the settings", request.endpoint
        )


def back_to(place: str) -> str | None:
    """Where to lead back to from `place`, if someone came from elsewhere; judged anew."""
    kept = session.get(PARAMETER)
    if not isinstance(kept, dict) or kept.get("place") != place:
        return None
    address = str(kept.get("address", ""))
    return address if allowed(address, clinic().settings.return_to) else None


def _is_under(path: str, beginning: str) -> bool:
    return path == beginning or path.startswith(beginning if beginning.endswith("/") else beginning + "/")


def _parts(address: str) -> tuple[tuple[str, str, int], str] | None:
    """Origin and path, or None for what no browser should be sent to."""
    if not _PLAIN.fullmatch(address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        return None
    if not host or "@" in parts.netloc or ".." in unquote(parts.path) or "\\" in unquote(parts.path):
        return None
    return (parts.scheme, host, port or _PORTS[parts.scheme]), parts.path or "/"
