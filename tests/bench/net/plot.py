"""Each case's course as a picture: bitrate and line, queue, latency, freezes and height, for all its senders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from tests.bench.net.runs import Result
from tests.bench.net.table import TITLES

COLOURS = {"unit": "tab:blue", "chromium": "tab:orange", "kiosk": "tab:green"}
SMOOTHED_BINS = 5
SHOWN_OF_LINE = 1.5  # a sender that knows no limit would leave no room for the others


def plot_case(title: str, by_sender: Mapping[str, Sequence[Result]], target: Path) -> None:
    """Write one PNG with the last round that did not fail, of each sender."""
    figure, (rates, queue, latency, height) = plt.subplots(
        4, 1, sharex=True, figsize=(11, 11), height_ratios=(3, 1.5, 3, 1.5)
    )
    line_kbit_per_s = 0.0
    for name, runs in by_sender.items():
        done = [run for run in runs if "error" not in run]
        if done:
            line_kbit_per_s = _draw(name, done[-1], rates, queue, latency, height)
    figure.suptitle(title)
    rates.set_ylabel("kbit/s sent\n(thin: believed)")
    queue.set_ylabel("queue, ms")
    latency.set_ylabel("latency, ms\n(bars: frozen)")
    height.set_ylabel("picture height")
    height.set_xlabel("s")
    for axes in (rates, queue, latency, height):
        axes.grid(alpha=0.3)
        axes.set_ylim(bottom=0)
    if line_kbit_per_s:
        rates.set_ylim(0, line_kbit_per_s * SHOWN_OF_LINE)
    rates.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(target, dpi=90)
    plt.close(figure)


def _draw(name: str, run: Result, rates: Axes, queue: Axes, latency: Axes, height: Axes) -> float:
    """Draw one run; returns the line's greatest rate in kbit/s, 0 if it has no limit."""
    colour, line = COLOURS[name], run["line"]["media"]
    times = [index * line["bin_s"] for index in range(len(line["sent_kbit_per_s"]))]
    rates.plot(times, _smoothed(line["sent_kbit_per_s"]), color=colour, label=TITLES[name])
    believed = [(each["at_s"], each["estimate"] / 1000) for each in run["polled"] if each.get("estimate")]
    if believed:
        rates.plot(*_columns(believed), color=colour, linewidth=0.7, linestyle="--")
    limits = [rate for rate in line["line_kbit_per_s"] if rate is not None]
    if limits:
        rates.plot(times, line["line_kbit_per_s"], color="black", linewidth=1.2)
    queue.plot(times, line["queue_ms"], color=colour, linewidth=0.9)
    seen = [each for each in run["course"]["latency"] if each[1] is not None]
    if seen:
        latency.plot(*_columns(seen), color=colour, marker=".", markersize=2, linewidth=0.6)
    place = list(COLOURS).index(name)
    for since, until in run["course"]["freezes"]:
        bottom = 0.97 - 0.03 * place
        latency.axvspan(since, until, ymin=bottom - 0.025, ymax=bottom, color=colour)
    if run["course"]["height"]:
        height.step(*_columns(run["course"]["height"]), color=colour, where="post")
    return max(limits, default=0.0)


def _columns(rows: Sequence[Sequence[Any]]) -> tuple[list[Any], list[Any]]:
    return [row[0] for row in rows], [row[1] for row in rows]


def _smoothed(values: Sequence[float]) -> list[float]:
    return [mean(values[max(0, index - SMOOTHED_BINS + 1) : index + 1]) for index in range(len(values))]
