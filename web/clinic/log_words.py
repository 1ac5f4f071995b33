"""The meeting log in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from web.clinic.services import LogLine
from web.clinic.texts import Texts

_FAMILIES = {
    "how": "how",
    "method": "how",
    "role": "log.role",
    "by": "log.role",
    "to_role": "log.role",
    "sharing": "log.sharing",
    "identified": "log.identified",
    "reason": "log.reason",
    "what": "log.what",
}
"""Fields whose values say it all, and where their words are; the others are shown with their name."""
_UNSAID = frozenset({"id", "who"})
"""A call for help has a number that only machines need; whom a warning in the call was for is for figures."""
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
            details=", ".join(
                _detail(name, value, line.names, t)
                for name, value in line.fields.items()
                if name not in _UNSAID
            ),
        )
        for line in lines
    ]


def _detail(name: str, value: object, names: Mapping[str, str], t: Texts) -> str:
    if str(value) in names:
        # Two may have one name: the id tells them apart.
        who = f"{names[str(value)]} ({value})"
        return f"{t.of('log.field', name)}: {who}" if name == "staff" else who
    if family := _FAMILIES.get(name):
        return t.of(family, value)
    return f"{t.of('log.field', name)}: {value}"


def began_and_ended(lines: Sequence[LogLine]) -> tuple[datetime | None, datetime | None]:
    """When the call went on, by the log: from its first start to its last end."""
    began = next((line.at for kind in _BEGAN for line in lines if line.kind == kind), None)
    ended = next((line.at for line in reversed(lines) if line.kind in _ENDED), None)
    return began, ended


def roles_in_call(lines: Sequence[LogLine]) -> list[str]:
    """Who was connected, by role, in the order they came."""
    connected = (str(line.fields.get("role", "")) for line in lines if line.kind == "peer_connected")
    return [role for role in dict.fromkeys(connected) if role]
