"""What a meeting page may send, checked field by field before the region sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MAX_SDP_CHARS = 64 * 1024
MAX_CANDIDATE_CHARS = 1000
MAX_COUNT = 2**53 - 1
"""What JavaScript counts exactly; a unit numbers its attempts from its clock's milliseconds."""

Check = Callable[[object], bool]


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


SIGNALS: Mapping[str, Mapping[str, Check]] = {
    "answer": {"attempt": _count, "sdp": _text(MAX_SDP_CHARS)},
    "candidate": {
        "attempt": _count,
        "candidate": _text(MAX_CANDIDATE_CHARS),
        "sdp_mid": _or_none(_text(100)),
        "sdp_m_line_index": _or_none(_count),
    },
    "admit": {},
    "leave": {},
    "end": {},
    "resync": {},
}


def checked(message: object) -> dict[str, Any] | None:
    """The message with the fields its type has and no others, or None when it is none of ours."""
    if not isinstance(message, dict):
        return None
    kind = message.get("type")
    fields = SIGNALS.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(check(message.get(name)) for name, check in fields.items()):
        return None
    return {"type": kind} | {name: message.get(name) for name in fields}
