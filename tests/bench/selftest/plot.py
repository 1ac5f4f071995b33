"""One picture of the bench: how long before the session each fault was known, and how long the self-test took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.selftest.summary import EARLY_MIN, LONGEST_S, summary, upper_bound

GOOD, POOR = "#1b6e3c", "#b3261e"
ROW_INCH, LEAST_INCH, WIDTH_INCH = 0.27, 4.0, 16.0
LEAST_BARS = 20
"""Room for so many, so that few are not thick."""


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Into this file, whose ending says the format."""
    import matplotlib as mpl  # takes a second

    mpl.use("Agg")
    from matplotlib import pyplot

    outcomes = [each for each in report["faults"] if each["right"]]
    height = max(LEAST_INCH, ROW_INCH * len(outcomes) + 1.8)
    figure, (before, seconds, alarms) = pyplot.subplots(
        1, 3, figsize=(WIDTH_INCH, height), width_ratios=(3, 3, 2), layout="constrained"
    )
    _before(before, outcomes)
    _seconds(seconds, outcomes)
    for axis in (before, seconds):
        axis.set_ylim(len(outcomes) - 0.4, -0.6)  # the first at the top, and nothing left free
    _alarms(alarms, report.get("healthy"))
    figure.legend(*seconds.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(_title(report), fontsize=13, fontweight="bold", x=0.01, ha="left")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def _title(report: Mapping[str, Any]) -> str:
    found = summary(report)
    if "faults" not in found:
        return "Self-test"
    return (
        f"Self-test: {found['found']} of {found['faults']} faults found, "
        f"the right instruction first for {found['right_first']}"
    )


def _before(axis: Any, outcomes: list[Mapping[str, Any]]) -> None:
    rows = range(len(outcomes))
    colours = [GOOD if each["is_right"] else POOR for each in outcomes]
    axis.barh(rows, [each["before_min"] or 0 for each in outcomes], color=colours)
    axis.set_yticks(rows, [each["fault"] for each in outcomes], fontsize=9)
    axis.axvline(EARLY_MIN, color="black", linestyle=":")
    for row, each in enumerate(outcomes):
        if not each["is_right"]:
            said = f"{each['first'] or 'nothing'} in place of {each['right'][0]}"
            inside = bool(each["before_min"])
            axis.text(0.3, row, said, va="center", fontsize=8, color="white" if inside else POOR)
    axis.set_title("Known before the session\n(red: another instruction first, or not found)", fontsize=10)
    axis.set_xlabel(f"minutes (dotted: {EARLY_MIN:.0f} to reach)")


def _seconds(axis: Any, outcomes: list[Mapping[str, Any]]) -> None:
    rows = range(len(outcomes))
    axis.barh(rows, [each["seconds"] for each in outcomes], color="#33557f", label="self-test")
    axis.barh(
        rows, [each["cpu_s"] for each in outcomes], color="#9fb8d8", label="of it the agent's processor"
    )
    axis.set_xlim(
        0, 1.15 * max(LONGEST_S, *(each["seconds"] for each in outcomes)) if outcomes else LONGEST_S
    )
    for row, each in enumerate(outcomes):
        if each["seconds"]:
            axis.text(each["seconds"] + 0.2, row, f"{each['seconds']:.1f}", va="center", fontsize=8)
    axis.set_yticks([])
    axis.axvline(LONGEST_S, color="black", linestyle=":")
    axis.set_title("How long the self-test took", fontsize=10)
    axis.set_xlabel(f"seconds (dotted: {LONGEST_S:.0f} to reach)")


def _alarms(axis: Any, healthy: Mapping[str, Any] | None) -> None:
    if healthy is None:
        axis.set_axis_off()
        return
    counted = Counter(each for run in healthy["alarms"] for each in run["instructions"])
    shown = dict(counted.most_common()) or {"none": 0}
    axis.barh(range(len(shown)), list(shown.values()), color=POOR)
    axis.set_yticks(range(len(shown)), list(shown), fontsize=9)
    axis.set_ylim(max(len(shown), LEAST_BARS) - 0.4, -0.6)
    axis.set_xlim(0, max(5, *shown.values()))
    axis.set_xlabel("runs")
    runs, wrong = healthy["runs"], len(healthy["alarms"])
    most = f"at most {upper_bound(wrong, runs):.2%} with 95 % certainty"
    axis.set_title(f"False alarms: {wrong} of {runs} healthy runs\n({most})", fontsize=10)
