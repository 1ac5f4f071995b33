"""What is run in which order, what is made of it, and what it is judged by."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from tests.bench import runs
from tests.bench.figures import Verdict, compared, figure, finished, judged
from tests.bench.runs import Stage

log = logging.getLogger(__name__)

Results = dict[str, list[dict[str, Any]]]
RunOnce = Callable[[Stage], Awaitable[dict[str, Any]]]
PARTIES = (1, 2, 3)
CLEAN_FRAME_RATE_MIN = 27.0  # of 30: what loses frames without loss says nothing about loss

SENDERS: Mapping[str, RunOnce] = {
    "unit": runs.unit_to_page,
    "aiortc": runs.stock_to_page,
    "chromium": runs.chromium_to_page,
    "chromium_canvas": partial(runs.chromium_to_page, way="canvas"),
    "kiosk": runs.chromium_to_kiosk,
}
PARTY_COUNTS: Mapping[str, RunOnce] = {
    f"parties_{count}": partial(runs.unit_to_parties, count=count) for count in PARTIES
}
LINES: Mapping[str, RunOnce] = {
    "line_clean": partial(runs.call_over_line, lossy=False),
    "line_lossy": partial(runs.call_over_line, lossy=True),
}
GROUPS = (SENDERS, PARTY_COUNTS, LINES)


async def run_all(stage: Stage, rounds: int, tell: Callable[[str], None]) -> Results:
    """All groups, each A B C A B C …; a run that fails is noted, and the bench goes on."""
    results: Results = {name: [] for group in GROUPS for name in group}
    for group in GROUPS:
        for number in range(rounds):
            for name, run in group.items():
                tell(f"round {number + 1} of {rounds}: {name}")
                results[name].append(await _run(name, run, stage))
    return results


async def _run(name: str, run: RunOnce, stage: Stage) -> dict[str, Any]:
    try:
        return _finished(await run(stage))
    except Exception as error:
        log.exception("the run %s failed", name)
        return {"error": f"{type(error).__name__}: {error}"}


def _finished(result: dict[str, Any]) -> dict[str, Any]:
    if "latencies" in result:
        return finished(result)
    return {name: finished(part) if isinstance(part, dict) else part for name, part in result.items()}


def verdicts(results: Results) -> list[Verdict]:
    """The targets that the project has set itself."""
    unit, chromium, canvas = results["unit"], results["chromium"], results["chromium_canvas"]
    cpu, p50 = "sender_cpu_pct", "latency_ms_p50"
    detour = compared(results["kiosk"], chromium, p50, difference=True)
    parties = compared(results["parties_3"], results["parties_1"], cpu)
    return [
        judged("CPU, unit / stock aiortc", "x", 0.45, compared(unit, results["aiortc"], cpu)),
        judged("CPU, unit / Chromium (canvas)", "x", 0.6, compared(unit, canvas, cpu)),
        judged("CPU, unit / Chromium (WebCodecs)", "x", 0.6, compared(unit, chromium, cpu)),
        judged("latency p50, unit / Chromium (canvas)", "x", 0.9, compared(unit, canvas, p50)),
        judged("latency p50, unit / Chromium (WebCodecs)", "x", 0.9, compared(unit, chromium, p50)),
        judged("latency p50, via the unit to the kiosk - direct", "ms", 15.0, detour),
        judged("CPU, 3 parties / 1", "x", 1.3, parties),
        *(_lossy(results, place) for place in ("clinician", "kiosk")),
    ]


def _lossy(results: Results, place: str) -> Verdict:
    clean, lossy = ([run.get(place, {}) for run in results[name]] for name in LINES)
    pairs = [(a["fps"], b["fps"]) for a, b in zip(lossy, clean, strict=False) if "fps" in a and "fps" in b]
    ratios = [shaken / smooth for shaken, smooth in pairs if smooth >= CLEAN_FRAME_RATE_MIN]
    slow = "the clean line itself carried too few frames/s: too few processors for a call both ways"
    return judged(f"frames at the {place}, 2 % loss / clean", "x", 0.9, figure(ratios) or slow, at_least=True)
