"""One picture of the bench: how long before the session each fault was known, and how long the self-test took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.selftest.table import EARLY_MIN, LONGEST_S

GOOD, POOR = "#1b6e3c", "#b3261e"


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Into this file, whose ending says the format."""
    import matplotlib as mpl  # takes a second

    mpl.use("Agg")
    from matplotlib import pyplot

    outcomes = [each for each in report["faults"] if each["right"]]
    figure, (before, seconds, alarms) = pyplot.subplots(
        1, 3, figsize=(15, max(4.0, 0.28 * len(outcomes) + 1.5)), width_ratios=(2, 2, 1)
    )
    names = [each["fault"] for each in outcomes]
    colours = [GOOD if each["is_right"] else POOR for each in outcomes]
    before.barh(names, [each["before_min"] or 0 for each in outcomes], color=colours)
    before.axvline(EARLY_MIN, color="black", linestyle=":")
    before.set(title="Known before the session (red: another instruction)", xlabel="minutes")
    seconds.barh(names, [each["seconds"] for each in outcomes], color="#33557f", label="self-test")
    seconds.barh(names, [each["cpu_s"] for each in outcomes], color="#9fb8d8", label="processor")
    seconds.axvline(LONGEST_S, color="black", linestyle=":")
    seconds.set(title="The self-test", xlabel="seconds", yticks=[])
    seconds.legend(loc="lower right")
    for axis in (before, seconds):
        axis.invert_yaxis()
    healthy = report.get("healthy")
    if healthy is not None:
        counted = Counter(each for run in healthy["alarms"] for each in run["instructions"])
        shown = dict(counted.most_common()) or {"none": 0}
        alarms.bar(list(shown), list(shown.values()), color=POOR)
        alarms.tick_params(axis="x", rotation=75)
        share = len(healthy["alarms"]) / healthy["runs"]
        alarms.set(title=f"False alarms in {healthy['runs']} runs: {share:.1%}")
    else:
        alarms.set_axis_off()
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
