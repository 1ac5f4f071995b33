"""What a meeting page may send, checked field by field before the region sees it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_SDP_CHARS = 64 * 1024
MAX_CANDIDATE_CHARS = 1000
MAX_COUNT = 2**53 - 1
"""What JavaScript counts exactly; a unit numbers its attempts from its clock's milliseconds."""

MAX_ORGANISATIONS = 16
MESH_KINDS = frozenset({"offer", "answer", "candidate", "bye"})
"""What two pages say to each other about the connection between them (W3C WebRTC)."""

Check = Callable[[object], bool]


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _peer(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9]{4,40}", value) is not None


def _shares(value: object) -> bool:
    """Marks what concerns the connection that carries what the page shows."""
    return value is None or isinstance(value, bool)


def _texts(most: int, most_chars: int) -> Check:
    each = _text(most_chars)
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(each, value))


SIGNALS: Mapping[str, Mapping[str, Check]] = {
    "answer": {"attempt": _count, "sdp": _text(MAX_SDP_CHARS), "share": _shares},
    "candidate": {
        "attempt": _count,
        "candidate": _text(MAX_CANDIDATE_CHARS),
        "sdp_mid": _or_none(_text(100)),
        "sdp_m_line_index": _or_none(_count),
        "share": _shares,
    },
    "admit": {},
    "reject": {},
    "hold": {"on": _flag},
    "leave": {},
    "end": {},
    "resync": {"share": _shares},
    "admit_party": {"peer": _peer},
    "reject_party": {"peer": _peer},
    "remove_party": {"peer": _peer},
    "chair": {"holder": _peer},
    "sees": {"peer": _peer, "on": _flag},
    "sharing": {"on": _flag, "organisations": _texts(MAX_ORGANISATIONS, 120)},
    "share": {"on": _flag},
    "mesh": {
        "to": _peer,
        "kind": lambda value: value in MESH_KINDS,
        "attempt": _count,
        "sdp": _or_none(_text(MAX_SDP_CHARS)),
        "candidate": _or_none(_text(MAX_CANDIDATE_CHARS)),
        "sdp_mid": _or_none(_text(100)),
        "sdp_m_line_index": _or_none(_count),
    },
    "still_saved": {},
}


def checked(message: object) -> dict[str, Any] | None:
    """The message with the fields its type has and no others, or None when it is none of ours."""
    if not isinstance(message, dict):
        return None
    kind = message.get("type")
    fields = SIGNALS.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(check(message.get(name)) for name, check in fields.items()):
        return None
    known = {name: message.get(name) for name in fields if name != "share" or message.get(name)}
    return {"type": kind} | known
