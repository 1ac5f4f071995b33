"""The meeting log in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from web.clinic.services import LogLine
from web.clinic.texts import Texts

WORDED_FIELDS = ("method", "role", "identified", "reason", "how")
"""Fields whose values have words of their own; the others are shown as they are."""
_BEGAN = ("call_started", "admitted")
_ENDED = ("call_ended", "session_failed")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is read."""

    at: str
    source: str
    words: str
    details: str


def log_lines(lines: Sequence[LogLine], t: Texts, local: Callable[[datetime], datetime]) -> list[Line]:
    """Each line's time on the clinic's clock, who said it, and what happened."""
    return [
        Line(
            at=local(line.at).strftime("%H:%M:%S"),
            source=t.of("log.source", line.source),
            words=t.of("log.kind", line.kind),
            details=", ".join(_detail(name, value, t) for name, value in line.fields.items()),
        )
        for line in lines
    ]


def _detail(name: str, value: object, t: Texts) -> str:
    if name in WORDED_FIELDS:
        return t.of(f"log.{name}", value)
    return f"{name.replace('_', ' ')}: {value}"


def began_and_ended(lines: Sequence[LogLine]) -> tuple[datetime | None, datetime | None]:
    """When the call went on, by the log: from its first start to its last end."""
    began = next((line.at for kind in _BEGAN for line in lines if line.kind == kind), None)
    ended = next((line.at for line in reversed(lines) if line.kind in _ENDED), None)
    return began, ended
