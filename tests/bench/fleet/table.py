"""What the fleet's bench prints: each figure at each size, how it grows, and what was to be reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 130
ROWS: dict[str, str] = {
    "connect_connected_all_s": "all connected, from nothing",
    "connect_served_all_s": "  … and all with their schedule",
    "connect_acked_all_s": "  … and all heard by the region",
    "connect_shown_s": "  … and shown right at the region",
    "one_change_p50_s": "one booking to its unit, p50",
    "one_change_p95_s": "  p95",
    "one_change_p99_s": "  p99",
    "change_all_p50_s": "a change for each unit, half have it",
    "change_all_all_s": "  all have it",
    "change_all_shown_s": "  and the region knows so",
    "loss_s": "ten silent units shown as lost",
    "restart_connected_all_s": "broker restarted: all connected",
    "restart_served_all_s": "  all on the right schedule",
    "restart_acked_all_s": "  all heard by the region",
    "kill_connected_all_s": "broker killed: all connected",
    "kill_served_all_s": "  all on the right schedule",
    "kill_acked_all_s": "  all heard by the region",
    "region_answers_s": "region killed and started: answers",
    "region_works_s": "  a booking has reached a unit",
}
COSTS: dict[str, tuple[str, str]] = {
    "broker, processor s while all connect": ("connect", "broker_cpu_s"),
    "region, processor s while all connect": ("connect", "region_cpu_s"),
    "broker, processor s in a restart": ("restart", "broker_cpu_s"),
    "region, processor s in a restart": ("restart", "region_cpu_s"),
    "broker, MiB": ("loss", "broker_mib"),
    "region, MiB": ("loss", "region_mib"),
}
AIMS: dict[str, float] = {
    "restart_served_all_s": 30.0,
    "kill_served_all_s": 60.0,
    "one_change_p95_s": 1.0,
    "loss_s": 45.0,
}


def medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Each figure's median by size; None where any run failed to reach it."""
    found: dict[str, dict[str, float | None]] = {}
    for units in sorted({run["units"] for run in runs}):
        of_size = [run for run in runs if run["units"] == units]
        names = {name for run in of_size for name in run["figures"]}
        found[str(units)] = {name: _median([run["figures"].get(name) for run in of_size]) for name in names}
    return found


def verdicts(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The aims, at the largest size measured."""
    by_size = medians(runs)
    largest = max(by_size, key=int)
    return [
        {
            "what": name,
            "units": int(largest),
            "measured": value,
            "aim": aim,
            "reached": value is not None and value <= aim,
        }
        for name, aim in AIMS.items()
        if name in by_size[largest]
        for value in [by_size[largest][name]]
    ]


def print_report(report: Mapping[str, Any]) -> None:
    """To standard output."""
    by_size = report["medians"]
    sizes = sorted(by_size, key=int)
    rounds = 1 + max(run["round"] for run in report["runs"])
    table = Table(
        title=f"Seconds, medians of {rounds} rounds", title_justify="left", box=None, pad_edge=False
    )
    for name in ("units", *sizes, "growth", "aim"):
        table.add_column(name, justify="left" if name == "units" else "right", no_wrap=True)
    for name, title in ROWS.items():
        values = [by_size[size].get(name) for size in sizes]
        if any(name in by_size[size] for size in sizes):
            aim = f"≤ {AIMS[name]:g}" if name in AIMS else ""
            table.add_row(title, *(_text(value) for value in values), growth(sizes, values), aim)
    for title, (phase, what) in COSTS.items():
        values = [_cost(report["runs"], int(size), phase, what) for size in sizes]
        if any(value is not None for value in values):
            table.add_row(title, *(_text(value, 1) for value in values), growth(sizes, values), "")
    console = Console(width=WIDTH, highlight=False)
    console.print(table)
    for verdict in report["targets"]:
        said = "reached" if verdict["reached"] else "MISSED"
        title = ROWS[verdict["what"]].strip()
        at = f"{_text(verdict['measured'])} s with {verdict['units']} units"
        console.print(f"{said}: {title}: {at} (aim {verdict['aim']:g} s)")


def growth(sizes: Sequence[str], values: Sequence[float | None]) -> str:
    """How many times as much at the largest size as at the smallest, and how many times as many units."""
    first, last = values[0], values[-1]
    if len(sizes) < 2 or not first or last is None:
        return ""
    return f"x{last / first:.1f} for x{int(sizes[-1]) / int(sizes[0]):g}"


def _cost(runs: Sequence[Mapping[str, Any]], units: int, phase: str, what: str) -> float | None:
    return _median(
        [run["costs"][phase][what] for run in runs if run["units"] == units and phase in run["costs"]]
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(median(known)) if known and len(known) == len(values) else None


def _text(value: float | None, digits: int = 2) -> str:
    return "not reached" if value is None else f"{value:.{digits}f}"
