"""From the fleet's values to words: how a unit is, how long ago, and what to do first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for

from agent.contract.instructions import LOST, instruction, text
from web.clinic.fleet.services import Health, UnitLine
from web.clinic.state import clinic, texts
from web.clinic.wording import Tone

TONES: dict[Health, Tone] = {
    "bad": "trouble",
    "attention": "attention",
    "good": "good",
    "unknown": "quiet",
    "revoked": "quiet",
}
"""In the order in which the list is to be read."""
FIRST_STEPS = {
    "no_room": "place.page",
    "config_rejected": "unit_config.page",
    "config_rolled_back": "unit_config.page",
    "expired": "enrol.page",
    "never_heard": "enrol.page",
}
"""Where the first thing to do is done, for what is wrong; elsewhere it is an order, or done at the unit."""
AS_INSTRUCTION = {
    "lost": LOST,
    "silent": LOST,
    "stopped": LOST,
    "hot": "temperature",
    "under_voltage": "voltage",
}
"""Reasons for which the room's screen, the clinic's list and notices have an instruction: it is said here too."""
FOR_IT = {
    "certificate": "certificate_soon",
    "clock": "clock_off",
    "disk": "disk_low",
    "network_address": "region",
    "name_service": "region",
    "turn": "region",
}
"""Where the instruction is to call IT, who read this: what IT then does, as of another reason."""
FIRST_ORDERS = {
    "other": "collect-diagnostics",
    "degraded": "selftest",
    "encoder": "restart",
    "certificate_soon": "renew-certificate",
    "clock_off": "set-clock-source",
    "schedule_behind": "restart",
    "schedule_rejected": "collect-diagnostics",
    "config_behind": "restart",
    "disk_low": "collect-diagnostics",
}
MAX_VALUE_CHARS = 120
FOR_MACHINES = frozenset({"id", "by", "epoch"})
"""Of an entry's fields: who did it stands beside, and in the audit log under a name."""
WORDED = {"name": "fleet.order", "why": "fleet.why", "purpose": "fleet.purpose"}
"""Fields whose values have words of their own; what follows a comma there needs another field."""
INSTRUCTED = frozenset({"faults", "warnings"})
"""Keys of instructions."""
SETTINGS = frozenset({"fields", "set", "given_back"})
"""Lists of settings' names."""
_DIGEST = re.compile(r"[0-9a-f]{32,128}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ago(at: datetime | None) -> str:
    """How long ago, in whole minutes, hours or days."""
    t = texts()
    if at is None:
        return t("fleet.never")
    seconds = (clinic().now() - at).total_seconds()
    if seconds < _MINUTE:
        return t("fleet.ago.now")
    for size, key, until in ((_MINUTE, "minutes", _HOUR), (_HOUR, "hours", 2 * _DAY)):
        if seconds < until:
            return t.of("fleet.ago", key).format(count=int(seconds // size))
    return t.of("fleet.ago", "days").format(count=int(seconds // _DAY))


def at_clock(at: datetime | None) -> str:
    """Date and time on the clinic's clock."""
    return clinic().local(at).strftime("%Y-%m-%d %H:%M") if at else ""


def on_day(at: datetime | None) -> str:
    """The date alone."""
    return clinic().local(at).strftime("%Y-%m-%d") if at else ""


def line_said(line: UnitLine) -> dict[str, Any]:
    """A unit as the list and the head of its page say it."""
    t = texts()
    return {
        "line": line,
        "tone": TONES.get(line.health, "quiet"),
        "health": t.of("fleet.health", line.health),
        "state": t.of("fleet.state", line.state),
        "reasons": [t.of("fleet.reason", reason) for reason in line.reasons],
        "place": ", ".join(part for part in (line.room, line.clinic) if part) or t("fleet.no_room"),
        "heard": ago(line.heard_at),
        "since": ago(line.since) if line.since else "",
        "until": on_day(line.certificate_until),
        "config": t.of("fleet.config", line.config),
    }


def first_step(line: UnitLine, faults: Sequence[str]) -> dict[str, str] | None:
    """The first thing to do about a unit: what in words, and where it is done, if it is done here."""
    t = texts()
    if not line.reasons:
        return None
    is_fault = line.reasons[0] == "degraded" and bool(faults)
    reason = faults[0] if is_fault else AS_INSTRUCTION.get(line.reasons[0], line.reasons[0])
    if (is_fault or line.reasons[0] in AS_INSTRUCTION) and instruction(reason).concerns == "staff":
        words = t("fleet.todo_room").format(do=text(t.language, reason).do)
        reason = "degraded" if is_fault else reason  # and then it is to check itself
    else:
        reason = FOR_IT.get(reason, reason)
        words = t.of("fleet.todo", reason)
        if words == reason:
            words, reason = t("fleet.todo_other"), "other"
    if reason in FIRST_STEPS:
        page = FIRST_STEPS[reason]
        to = url_for(page) if page == "enrol.page" else url_for(page, unit=line.id)
        return {"words": words, "to": to, "button": t.of("fleet.step", reason), "order": ""}
    if order := FIRST_ORDERS.get(reason):
        to = url_for("orders.page", unit=line.id, name=order)
        return {"words": words, "to": to, "button": t.of("fleet.order", order), "order": order}
    return {"words": words, "to": "", "button": "", "order": ""}


def short(value: object) -> str:
    """A value in a line: lists with commas, yes and no in words, nothing endless."""
    if isinstance(value, bool):
        return texts()("fleet.yes") if value else texts()("fleet.no")
    if isinstance(value, Mapping):
        words = ", ".join(f"{name} {short(inner)}" for name, inner in value.items())
    elif isinstance(value, list | tuple):
        words = ", ".join(short(inner) for inner in value)
    else:
        words = "" if value is None else str(value)
    return words if len(words) <= MAX_VALUE_CHARS else words[: MAX_VALUE_CHARS - 1] + "…"


def fields_said(fields: Mapping[str, Any]) -> str:
    """What a line of history or audit carries besides, in one line; without what is empty or for machines."""
    t = texts()
    said = ((name, short(_listed(name, value))) for name, value in fields.items() if name not in FOR_MACHINES)
    return "; ".join(f"{t.of('fleet.field', name)}: {words}" for name, words in said if words)


def _listed(name: str, value: object) -> object:
    t = texts()
    if name in INSTRUCTED:
        keys = value if isinstance(value, list | tuple) else str(value).split(", ")
        return [text(t.language, str(key)).fault for key in keys if key]
    if name in SETTINGS and isinstance(value, list | tuple):
        return [t.of("fleet.set", one) for one in value]
    return _field(name, value)


def _field(name: str, value: object) -> object:
    t = texts()
    if not isinstance(value, str):
        return value
    if name in WORDED:
        return t.of(WORDED[name], value).partition(",")[0]
    if name in ("state", "was"):
        words = t.of("fleet.state", value)
        return t.of("fleet.order_state", value) if words == value else words
    if _DIGEST.fullmatch(value):
        return value[:12] + "…"
    return at_clock(datetime.fromisoformat(value)) if _INSTANT.fullmatch(value) else value
