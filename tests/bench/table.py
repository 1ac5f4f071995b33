"""What the bench prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, Verdict, column
from tests.bench.plan import PARTIES, Results

TITLES = {
    "unit": "unit → Chromium",
    "aiortc": "stock aiortc → Chromium",
    "chromium": "Chromium, WebCodecs → Chromium",
    "chromium_canvas": "Chromium, canvas → Chromium",
    "kiosk": "Chromium, WebCodecs → unit → kiosk",
}
WIDTH = 140


def print_report(report: Mapping[str, Any], results: Results, verdicts: Sequence[Verdict]) -> None:
    """All tables, to standard output. Each figure is the median of its runs (least to greatest)."""
    console = Console(width=WIDTH, highlight=False)
    console.print()
    for line in report["conditions"]:
        console.print(line)
    for table in (_senders(results), _parties(results), _lines(results), verdict_table(verdicts)):
        console.print()
        console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for number, name in enumerate(columns):
        justify: Literal["left", "right"] = "left" if number == 0 or name == "outcome" else "right"
        table.add_column(name, justify=justify, no_wrap=name != "outcome")
    return table


def _senders(results: Results) -> Table:
    table = _table(
        "Senders", "sender → receiver", "picture", "frames/s", "kbit/s", "latency p50 ms", "p95 ms",
        "sender CPU %", "CPU ms/picture",
    )  # fmt: skip
    for name, title in TITLES.items():
        runs = [run for run in results[name] if "error" not in run]
        table.add_row(
            title,
            _same(f"{run['width']}x{run['height']} {run['codec']}" for run in runs),
            _text(column(runs, "fps")),
            _text(column(runs, "kbit_per_s"), 0),
            _text(column(runs, "latency_ms_p50")),
            _text(column(runs, "latency_ms_p95")),
            _text(column(runs, "sender_cpu_pct")),
            _text(column(runs, "sender_cpu_ms_per_picture")),
        )
    return table


def _parties(results: Results) -> Table:
    table = _table(
        "Remote parties that only receive", "parties", "frames/s (least)", "captured", "encoded",
        "unit CPU %", "CPU ms/picture",
    )  # fmt: skip
    for count in PARTIES:
        runs = results[f"parties_{count}"]
        names = (
            "fps_least",
            "frames_captured",
            "frames_encoded",
            "sender_cpu_pct",
            "sender_cpu_ms_per_picture",
        )
        table.add_row(str(count), *(_text(column(runs, name)) for name in names))
    return table


def _lines(results: Results) -> Table:
    table = _table(
        "A call both ways, each leg over a relay", "line → receiver", "size", "frames/s", "frames",
        "freezes", "packets missing", "repeated", "latency p50 ms",
    )  # fmt: skip
    for line, title in (("line_clean", "clean"), ("line_lossy", "2 % loss")):
        for place in ("clinician", "kiosk"):
            runs = [run[place] for run in results[line] if place in run]
            names = ("fps", "frames_decoded", "freezes", "packets_lost", "repaired", "latency_ms_p50")
            size = _same(f"{run['width']}x{run['height']}" for run in runs)
            table.add_row(f"{title} → {place}", size, *(_text(column(runs, name)) for name in names))
    return table


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Each target with what was measured and whether it is reached."""
    table = _table("Targets", "figure", "measured", "target", "outcome")
    for verdict in verdicts:
        sign = "≥" if verdict.at_least else "≤"
        unit = "" if verdict.unit == "x" else f" {verdict.unit}"
        digits = 2 if verdict.unit == "x" else 1
        if verdict.value is None:
            outcome = f"not comparable: {verdict.reason}"
        elif verdict.reached:
            outcome = "reached"
        else:
            outcome = f"missed by {verdict.missed_by:.{digits}f}{unit}"
        table.add_row(
            verdict.name, _text(verdict.value, digits) + unit, f"{sign} {verdict.limit:g}{unit}", outcome
        )
    return table


def _text(value: Figure | None, digits: int = 1) -> str:
    if value is None:
        return "-"
    middle, least, greatest = (f"{each:.{digits}f}" for each in (value.median, value.least, value.greatest))
    return middle if least == greatest else f"{middle} ({least}-{greatest})"


def _same(values: Any) -> str:
    found = list(dict.fromkeys(values))
    return " ".join(found) if found else "-"
