"""How a unit is, and why, the worst reason first. Pure: the table below is all of it.

| reason | health | when |
|---|---|---|
| `revoked` | revoked | IT has revoked it, whatever it says itself |
| `lost` | bad | the broker said its Last Will: the connection is gone |
| `expired` | bad | its certificate is no longer valid |
| `degraded` | bad | its self-test found a fault, which its page names |
| `silent` | bad | it is said to be well, and three of its minutes' figures have not come: its Last Will got lost |
| `stopped` | bad | it was stopped in order, and has not come back in five minutes |
| `never_heard` | unknown | it has never said anything |
| `certificate_soon` | attention | its certificate ends within three weeks: renewal should have been long ago |
| `config_rejected`, `config_rolled_back` | attention | it refused what it shall be, or went back by itself |
| `config_behind` | attention | connected, and for two minutes it has not answered a configuration |
| `schedule_rejected`, `schedule_behind` | attention | it does not hold the schedule that it shall have |
| `clock_off` | attention | its clock is off by more than five seconds |
| `disk_low`, `hot`, `under_voltage` | attention | its last figures say so |
| `no_room` | attention | it stands in no room |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from web.clinic.fleet.services import ConfigStanding, Health

SILENT_AFTER = timedelta(seconds=190)
"""Units send figures every minute (agent.contract.telemetry); three are missing. A connection that breaks is said
by the broker long before, after one and a half keep-alive times (30 s)."""
STOPPED_AFTER = timedelta(minutes=5)
CONFIG_BEHIND_AFTER = timedelta(minutes=2)
CERTIFICATE_SOON = timedelta(days=21)
CLOCK_OFF_S = 5.0
DISK_LOW_MIB, DISK_LOW_SHARE = 500, 0.05
HOT_C = 80.0
"""A Raspberry Pi slows itself down at 80 to 85 °C."""

HEALTH: Mapping[str, Health] = {
    "revoked": "revoked",
    "lost": "bad",
    "expired": "bad",
    "degraded": "bad",
    "silent": "bad",
    "stopped": "bad",
    "never_heard": "unknown",
    "certificate_soon": "attention",
    "config_rejected": "attention",
    "config_rolled_back": "attention",
    "config_behind": "attention",
    "schedule_rejected": "attention",
    "schedule_behind": "attention",
    "clock_off": "attention",
    "disk_low": "attention",
    "hot": "attention",
    "under_voltage": "attention",
    "no_room": "attention",
}
"""The reasons, worst first."""
TO_READ: tuple[Health, ...] = ("bad", "attention", "good", "unknown", "revoked")
"""The order of the list."""
CONNECTED = frozenset({"ready", "in_session", "degraded", "starting"})


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What health is judged by."""

    state: str
    since: datetime | None
    heard_at: datetime | None
    revoked: bool
    certificate_until: datetime | None
    config: ConfigStanding
    config_changed_at: datetime | None
    schedule_current: bool
    schedule_outcome: str
    in_room: bool
    figures: Mapping[str, Any] = field(default_factory=dict)
    clock: Mapping[str, Any] = field(default_factory=dict)


def health(facts: UnitFacts, now: datetime) -> tuple[Health, tuple[str, ...]]:
    """How it is, and why: reasons in the table's order."""
    found = set(_reasons(facts, now))
    reasons = tuple(reason for reason in HEALTH if reason in found)
    return (HEALTH[reasons[0]] if reasons else "good"), reasons


def _reasons(facts: UnitFacts, now: datetime) -> Iterator[str]:
    if facts.revoked:
        yield "revoked"
        return
    if facts.state in {"lost", "degraded"}:
        yield facts.state
    if facts.state == "unknown":
        yield "never_heard"
    if facts.state == "stopping" and facts.since is not None and now - facts.since > STOPPED_AFTER:
        yield "stopped"
    if facts.state in CONNECTED and (facts.heard_at is None or now - facts.heard_at > SILENT_AFTER):
        yield "silent"
    if facts.certificate_until is not None and now >= facts.certificate_until - CERTIFICATE_SOON:
        yield "expired" if now >= facts.certificate_until else "certificate_soon"
    yield from _of_what_it_holds(facts, now)
    yield from _of_figures(facts)
    if not facts.in_room:
        yield "no_room"


def _of_what_it_holds(facts: UnitFacts, now: datetime) -> Iterator[str]:
    if facts.config in {"rejected", "rolled_back"}:
        yield f"config_{facts.config}"
    if facts.state not in CONNECTED:
        return  # it cannot answer, and that is said already
    changed = facts.config_changed_at
    if facts.config == "waiting" and (changed is None or now - changed > CONFIG_BEHIND_AFTER):
        yield "config_behind"
    if facts.schedule_outcome == "rejected":
        yield "schedule_rejected"
    elif not facts.schedule_current:
        yield "schedule_behind"


def _of_figures(facts: UnitFacts) -> Iterator[str]:
    figures = facts.figures
    offset = figures.get("clock_offset_s", facts.clock.get("offset_s"))
    if offset is not None and abs(offset) > CLOCK_OFF_S:
        yield "clock_off"
    free, total = figures.get("disk_free_mib"), figures.get("disk_total_mib")
    if free is not None and (free < DISK_LOW_MIB or (total and free / total < DISK_LOW_SHARE)):
        yield "disk_low"
    if (figures.get("temperature_c") or 0) >= HOT_C or figures.get("throttled"):
        yield "hot"
    if figures.get("under_voltage"):
        yield "under_voltage"
