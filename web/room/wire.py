"""The screen's values as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from agent.contract.body import PeerId
from agent.contract.quality import MAX_PARTIES, Received
from agent.screen import Lock, Outcome, Screen, Touch

TOUCH_KINDS: frozenset[str] = frozenset(get_args(get_type_hints(Touch)["kind"]))
_SHOWN: TypeAdapter[dict[PeerId, Received]] = TypeAdapter(
    Annotated[dict[PeerId, Received], Field(max_length=MAX_PARTIES)]
)
_STALLED: TypeAdapter[list[PeerId]] = TypeAdapter(Annotated[list[PeerId], Field(max_length=MAX_PARTIES)])
MAX_TEXT_CHARACTERS = 64
"""A code, a PIN, a language or a session's id: none is longer."""


class BadTouch(ValueError):
    """The page sent something that is no touch; says which field, never its value."""


def screen_json(screen: Screen) -> str:
    """The whole document, times as RFC 3339."""
    return json.dumps(asdict(screen), default=_moment, ensure_ascii=False, separators=(",", ":"))


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """`{"ok", "refusal", "lock", "pending", "minutes"}`."""
    return {
        "ok": outcome.ok,
        "refusal": outcome.refusal,
        "lock": _lock(outcome.lock),
        "pending": outcome.pending,
        "minutes": outcome.minutes,
    }


def touch_from(body: object) -> Touch:
    """A Touch from decoded JSON; raises BadTouch."""
    if not isinstance(body, Mapping):
        raise BadTouch("a touch is a JSON object")
    unknown = set(body) - {"kind", "sid", "text", "on", "by"}
    if unknown:
        raise BadTouch("a touch has the fields kind, sid, text, on and by, and no others")
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in TOUCH_KINDS:
        raise BadTouch("kind: not a touch this screen knows")
    for name in ("sid", "text", "by"):
        value = body.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > MAX_TEXT_CHARACTERS):
            raise BadTouch(f"{name}: must be text of at most {MAX_TEXT_CHARACTERS} characters")
    if body.get("on") is not None and not isinstance(body["on"], bool):
        raise BadTouch("on: must be true or false")
    return Touch(**{str(name): value for name, value in body.items()})


def shown_from(body: bytes) -> dict[str, Received]:
    """What the page saw of each party, from `{"<peer>": {…}}`; raises BadTouch, which repeats nothing."""
    try:
        return _SHOWN.validate_json(body, strict=True)
    except ValidationError:
        raise BadTouch(
            "figures are an object with at most 8 parties, as agent/contract/quality.py has them"
        ) from None


def stalled_from(body: bytes) -> frozenset[str]:
    """Whose picture stands still, from `["<peer>", …]`; raises BadTouch, which repeats nothing."""
    try:
        return frozenset(_STALLED.validate_json(body, strict=True))
    except ValidationError:
        raise BadTouch("standing still are a list of at most 8 parties") from None


def _lock(lock: Lock | None) -> dict[str, Any] | None:
    if lock is None:
        return None
    return {"tries_left": lock.tries_left, "until": lock.until.isoformat() if lock.until else None}


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the screen's document")
