"""From runs to medians, spread, ratios and verdicts. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

Run = Mapping[str, Any]
RECEIVERS = ("clinician", "kiosk")

FRAME_RATE_DIFFERENCE_MAX = 0.05
"""Senders whose frame rates differ by more than this share are not compared."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Median of several runs, with the least and the greatest."""

    median: float
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside its target. value is None where the runs cannot be compared; reason says why."""

    name: str
    unit: str
    limit: float
    value: Figure | None
    reason: str = ""
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None if that cannot be said."""
        if self.value is None:
            return None
        if self.at_least:
            return self.value.median >= self.limit
        return self.value.median <= self.limit

    @property
    def missed_by(self) -> float:
        """How far on the wrong side of the target, in its own unit; 0 if it is reached."""
        if self.value is None or self.reached:
            return 0.0
        return abs(self.value.median - self.limit)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, by nearest rank. NaN if there is none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def finished(run: dict[str, Any]) -> dict[str, Any]:
    """The run with what follows from it: percentiles of latency and processor time per picture, in ms."""
    latencies = [round(value, 1) for value in run["latencies"]]
    more: dict[str, float] = {}
    if latencies:
        more = {"latency_ms_p50": percentile(latencies, 0.5), "latency_ms_p95": percentile(latencies, 0.95)}
    if run["fps"] > 0:
        more["sender_cpu_ms_per_picture"] = run["sender_cpu_pct"] * 10 / run["fps"]
    return {**run, "latencies": latencies, **more}


def figure(values: Sequence[float]) -> Figure | None:
    """Median and spread; None of nothing."""
    return Figure(median(values), min(values), max(values)) if values else None


def column(runs: Sequence[Run], name: str) -> Figure | None:
    """One measure over the runs that have it."""
    return figure([run[name] for run in runs if run.get(name) is not None])


def compared(
    runs: Sequence[Run], with_runs: Sequence[Run], name: str, *, difference: bool = False
) -> Figure | str:
    """Ratio (or difference) of one measure, round by round, since load changes from round to round.

    Only rounds of equal picture size and nearly equal frame rate count; a sentence if there is none.
    """
    values: list[float] = []
    reason = "no round has both"
    for run, other in zip(runs, with_runs, strict=False):
        if name not in run or name not in other or not other[name]:
            continue
        if (run["width"], run["height"]) != (other["width"], other["height"]):
            reason = "the pictures differ in size"
        elif abs(run["fps"] - other["fps"]) > FRAME_RATE_DIFFERENCE_MAX * other["fps"]:
            reason = f"{run['fps']:.1f} against {other['fps']:.1f} frames/s: too few processors for both"
        else:
            values.append(run[name] - other[name] if difference else run[name] / other[name])
    return figure(values) or reason


def judged(
    name: str, unit: str, limit: float, value: Figure | str | None, *, at_least: bool = False
) -> Verdict:
    """A figure, or why there is none, beside its target."""
    if isinstance(value, Figure):
        return Verdict(name, unit, limit, value, at_least=at_least)
    return Verdict(name, unit, limit, None, value or "not measured", at_least)


def medians(runs: Sequence[Run]) -> dict[str, Any]:
    """Every number of these runs as a Figure; parts of a run (its receivers) by their own names."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(key for run in runs for key in run):
        values = [run[name] for run in runs if name in run]
        if all(isinstance(value, int | float) for value in values):
            found[name] = asdict(Figure(median(values), min(values), max(values)))
        elif name in RECEIVERS:
            found[name] = medians(values)
    return found
