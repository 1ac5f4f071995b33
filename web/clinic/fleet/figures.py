"""A unit's own figures in words and units of measure (agent.contract.telemetry)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.clinic.fleet.saying import short
from web.clinic.state import texts

SHARE, SECONDS = "%", "s"
UNITS: dict[str, tuple[str, int]] = {
    "uptime_s": (SECONDS, 0),
    "machine_uptime_s": (SECONDS, 0),
    "processor": (SHARE, 0),
    "agent_processor": (SHARE, 0),
    "memory_used_mib": ("MiB", 0),
    "memory_total_mib": ("MiB", 0),
    "agent_memory_mib": ("MiB", 0),
    "disk_free_mib": ("MiB", 0),
    "disk_total_mib": ("MiB", 0),
    "temperature_c": ("°C", 1),
    "broker_rtt_ms": ("ms", 0),
    "clock_offset_s": ("s", 3),
}
"""With how many decimals."""
LONG_S = {"uptime_s", "machine_uptime_s"}
HIDDEN = frozenset({"at"})


def figures_said(telemetry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each figure's name and its value with its unit; what the unit cannot tell is left out."""
    t = texts()
    return [
        (t.of("fleet.figure", name), _value(name, value))
        for name, value in telemetry.items()
        if value is not None and name not in HIDDEN
    ]


def _value(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return short(value)
    if name in LONG_S:
        hours, minutes = divmod(int(value) // 60, 60)
        days, hours = divmod(hours, 24)
        return texts()("fleet.lasted", days=days, hours=hours, minutes=minutes)
    unit, decimals = UNITS.get(name, ("", 0))
    number = value * 100 if unit == SHARE else value
    words = f"{number:.{decimals}f}"
    if texts().language == "sv":
        words = words.replace(".", ",")
    return f"{words} {unit}".strip()
