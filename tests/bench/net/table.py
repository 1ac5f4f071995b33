"""What the bench prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, Verdict, column, figure
from tests.bench.net.plan import Results
from tests.bench.net.runs import Result
from tests.bench.table import verdict_table

TITLES = {"unit": "unit → Chromium", "chromium": "Chromium → Chromium", "kiosk": "Chromium → unit → kiosk"}
WIDTH = 190
COLUMNS = (
    "frozen %", "frames/s", "picture", "p50 ms", "p95 ms", "SSIM", "concealed %", "lips ms", "sound buffer ms",
    "queue ms", "kbit/s", "used %",
    "settled s", "CPU ms/pict.",
)  # fmt: skip


def print_report(
    report: Mapping[str, Any], results: Results, titles: Mapping[str, str], verdicts: Sequence[Verdict]
) -> None:
    """All tables, to standard output. Each figure is the median of its runs (least to greatest)."""
    console = Console(width=WIDTH, highlight=False)
    console.print()
    for line in report["conditions"]:
        console.print(line)
    for case, by_sender in results.items():
        console.print()
        console.print(_case(f"{case}: {titles[case]}", by_sender))
    console.print()
    console.print(verdict_table(verdicts))


def _case(title: str, by_sender: Mapping[str, Sequence[Result]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    table.add_column("sender → receiver", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for name, runs in by_sender.items():
        table.add_row(TITLES[name], *_cells([run for run in runs if "error" not in run]))
    return table


def _cells(runs: Sequence[Result]) -> list[str]:
    return [
        _text(_percent(runs, "frozen")),
        _text(column(runs, "fps")),
        " ".join(dict.fromkeys(f"{run['width']}x{run['height']}" for run in runs if "width" in run)) or "-",
        _text(column(runs, "latency_ms_p50"), 0),
        _text(column(runs, "latency_ms_p95"), 0),
        _text(column(runs, "ssim"), 3),
        _text(_percent(runs, "concealed")),
        _text(column(runs, "lip_offset_ms"), 0),
        _text(column(runs, "audio_jitter_buffer_ms"), 0),
        _text(column(runs, "queue_ms"), 0),
        _text(column(runs, "sent_kbit_per_s"), 0),
        _text(_percent(runs, "used"), 0),
        _text(column(runs, "settled_s")) if any("settled_s" in run for run in runs) else "",
        _text(column(runs, "sender_cpu_ms_per_picture")),
    ]


def _percent(runs: Sequence[Result], name: str) -> Figure | None:
    return figure([run[name] * 100 for run in runs if run.get(name) is not None])


def _text(value: Figure | None, digits: int = 1) -> str:
    if value is None:
        return "-"
    middle, least, greatest = (f"{each:.{digits}f}" for each in (value.median, value.least, value.greatest))
    return middle if least == greatest else f"{middle} ({least}-{greatest})"
