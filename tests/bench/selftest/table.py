"""What the bench prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.selftest.summary import lines, summary

WIDTH = 120


def show(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Tables and sums, to standard output."""
    console = console or Console(width=WIDTH, highlight=False)
    console.print(f"Load of this machine before: {report['load']:.1f}")
    if report["faults"]:
        console.print(faults_table(report["faults"]))
    if "healthy" in report:
        healthy = report["healthy"]
        console.print(f"Healthy runs: {healthy['runs']} through {healthy['through']}")
        if healthy["alarms"]:
            console.print(healthy_table(healthy))
    for line in lines(report.get("summary") or summary(report)):
        console.print(line, markup=False)
    if report.get("is_broken_off"):
        console.print("Broken off: this is not the whole.")


def faults_table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    """One row a fault."""
    table = Table(title="Faults, one self-test 20 minutes before a session", title_justify="left", box=None)
    for column in ("fault", "made at"):
        table.add_column(column, no_wrap=True)
    for column in ("instruction", "right"):
        table.add_column(column)
    for column in ("min before", "test s", "cpu s"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in outcomes:
        before = "-" if each["before_min"] is None else f"{each['before_min']:.1f}"
        figures = (before, f"{each['seconds']:.1f}", f"{each['cpu_s']:.1f}")
        table.add_row(
            each["fault"], each["level"], _said(each), "yes" if each["is_right"] else "NO", *figures
        )
    return table


def _said(outcome: Mapping[str, Any]) -> str:
    """The first instruction, how many others, which was the right one, and what failed of the fault itself."""
    others = f" (+{len(outcome['found']) - 1})" if len(outcome["found"]) > 1 else ""
    said = f"{outcome['first'] or 'none'}{others}"
    if not outcome["is_right"]:
        said += f", not {' or '.join(outcome['right']) or 'none'}"
    return f"{said}; {outcome['problem']}" if outcome["problem"] else said


def healthy_table(healthy: Mapping[str, Any]) -> Table:
    """False alarms by instruction."""
    counted = Counter(each for run in healthy["alarms"] for each in run["instructions"])
    table = Table("instruction", "runs with it", box=None)
    for name, count in counted.most_common():
        table.add_row(name, str(count))
    return table
