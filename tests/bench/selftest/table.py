"""What the bench prints."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

EARLY_MIN, LONGEST_S, FALSE_ALARMS = 10.0, 20.0, 0.01
WIDTH = 140


def show(report: Mapping[str, Any]) -> None:
    """Tables and sums, to standard output."""
    console = Console(width=WIDTH, highlight=False)
    console.print(f"Load of this machine before: {report['load']:.1f}")
    if report["faults"]:
        console.print(faults_table(report["faults"]))
        for line in sums(report["faults"]):
            console.print(line, markup=False)
    if "healthy" in report:
        console.print(healthy_table(report["healthy"]))


def faults_table(outcomes: Sequence[Mapping[str, Any]]) -> Table:
    """One row a fault."""
    columns = ("fault", "made at", "instruction", "right", "min before", "test s", "cpu s")
    table = Table(
        *columns, title="Faults, one self-test 20 minutes before a session", title_justify="left", box=None
    )
    for each in outcomes:
        before = "-" if each["before_min"] is None else f"{each['before_min']:.1f}"
        others = f" (+{len(each['found']) - 1})" if len(each["found"]) > 1 else ""
        said = each["problem"] or f"{each['first'] or 'none'}{others}"
        right = "yes" if each["is_right"] else f"no: {' or '.join(each['right']) or 'none'}"
        row = (
            each["fault"],
            each["level"],
            said,
            right,
            before,
            f"{each['seconds']:.1f}",
            f"{each['cpu_s']:.1f}",
        )
        table.add_row(*row)
    return table


def sums(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is to be reached, and what was."""
    broken = [each for each in outcomes if each["right"]]
    found = [each for each in broken if each["is_found"]]
    early = [each for each in found if each["before_min"] >= EARLY_MIN]
    right = [each for each in broken if each["is_right"]]
    tested = [each for each in outcomes if not each["problem"]]
    lines = [
        f"Found: {len(found)} of {len(broken)}; {EARLY_MIN:.0f} min or more before the session: {len(early)}; "
        f"the right instruction first: {len(right)}"
    ]
    if tested:
        seconds, cpu = ([each[name] for each in tested] for name in ("seconds", "cpu_s"))
        longest = max(tested, key=lambda each: each["seconds"])
        core = max(each["cpu_s"] / each["seconds"] for each in tested if each["seconds"])
        lines.append(
            f"A whole self-test, s: median {statistics.median(seconds):.1f}, most {longest['seconds']:.1f} "
            f"({longest['fault']}; to reach: {LONGEST_S:.0f}); processor s: median {statistics.median(cpu):.1f}, "
            f"most {max(cpu):.1f}, of a core at most {core:.2f}"
        )
    return lines


def healthy_table(healthy: Mapping[str, Any]) -> Table:
    """False alarms by instruction."""
    counted = Counter(each for run in healthy["alarms"] for each in run["instructions"])
    share = len(healthy["alarms"]) / healthy["runs"]
    title = (
        f"Healthy runs: {healthy['runs']} through {healthy['through']}; false alarms in {len(healthy['alarms'])} "
        f"({share:.2%}; to reach: at most {FALSE_ALARMS:.0%})"
    )
    table = Table("instruction", "runs with it", title=title, title_justify="left", box=None)
    for name, count in counted.most_common():
        table.add_row(name, str(count))
    return table
