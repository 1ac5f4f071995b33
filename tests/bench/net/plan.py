"""What is run in which order, what is made of it, and what it is judged by."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.figures import Figure, Verdict, figure, judged
from tests.bench.net import runs, settling
from tests.bench.net.arrived import figures
from tests.bench.net.cases import Case
from tests.bench.net.likeness import likeness
from tests.bench.net.runs import Result, Stage

log = logging.getLogger(__name__)

RunOnce = Callable[[Stage, Case, int], Awaitable[Result]]
Results = dict[str, dict[str, list[Result]]]
"""By case, then by sender: one result a round."""

SEED = 2026
SENDERS: Mapping[str, RunOnce] = {
    "unit": runs.unit_to_page,
    "chromium": runs.chromium_to_page,
    "kiosk": runs.chromium_to_kiosk,
}
SETTLED_WITHIN_S = 3.0
USABLE_FPS, USABLE_WIDTH = 10.0, 320
OTHERS_CPU_PCT_MAX, LATE_MS_MAX = 30.0, 5.0
"""Of one core, and of the relay's own lateness (p95). Beyond these a run speaks of the machine, not the line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: cases, senders by name, and how often."""

    cases: Sequence[Case]
    senders: Sequence[str]
    rounds: int


async def run_all(stage: Stage, plan: Plan, tell: Callable[[str], None]) -> Results:
    """Round by round, case by case, sender by sender; a run that fails is noted, and the bench goes on."""
    results: Results = {case.name: {name: [] for name in plan.senders} for case in plan.cases}
    for number in range(plan.rounds):
        for case in plan.cases:
            for name in plan.senders:
                result = await _run(name, stage, case, SEED + 10 * number)
                results[case.name][name].append(result)
                tell(f"round {number + 1} of {plan.rounds}, {case.name}, {name}: {_brief(result)}")
    return results


async def _run(name: str, stage: Stage, case: Case, seed: int) -> Result:
    try:
        received = await SENDERS[name](stage, case, seed)
        return finished(received, case, likeness(stage.site.take_samples(), stage.site.film.lumas))
    except Exception as error:
        log.exception("the run %s of %s failed", case.name, name)
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}


def finished(received: Result, case: Case, ssim: float | None) -> Result:
    """The run with all that follows from it. RuntimeError if the page could not read what it was shown."""
    result = figures(received)
    course = received["line"]["media"]
    result |= {
        "ssim": ssim,
        "sent_kbit_per_s": settling.kbit_per_s(course),
        "used": settling.used_share(course),
    }
    result["queue_ms"] = settling.queue_ms(course)
    result["late_ms_p95"] = course["late_ms_p95"]
    if case.drop is not None:
        result["settled_s"] = settling.settled_after_s(course, *case.drop)
    if result["fps"] > 0:
        result["sender_cpu_ms_per_picture"] = result["sender_cpu_pct"] * 10 / result["fps"]
    return result


def cpu_limited(result: Result) -> float:
    """Share of the run in which the sending Chromium said that its processor limits it."""
    reasons = [each.get("qualityLimitationReason") for each in result.get("polled", ())]
    return reasons.count("cpu") / len(reasons) if reasons else 0.0


def disturbed(result: Result) -> bool:
    """Whether other programs took the processor that this run needed."""
    others, late = result.get("others_cpu_pct", 0.0), result.get("late_ms_p95", 0.0)
    return bool(others > OTHERS_CPU_PCT_MAX or late > LATE_MS_MAX)


def _brief(result: Result) -> str:
    if "error" in result:
        return str(result["error"])
    p95 = result.get("latency_ms_p95", -1)
    mark = ", disturbed" if disturbed(result) else ""
    return f"{result['frozen']:.1%} frozen, {result['fps']:.1f} frames/s, p95 {p95:.0f} ms{mark}"


def verdicts(results: Results) -> list[Verdict]:
    """The targets that the project has set itself, for the senders and cases that were run."""
    found: list[Verdict] = []
    for case, by_sender in results.items():
        for name in ("unit", "kiosk"):
            if name in by_sender and "chromium" in by_sender:
                found += _compared(case, name, by_sender[name], by_sender["chromium"])
        if case == "drop" and "unit" in by_sender:
            found.append(_settled(by_sender["unit"]))
        if case == "300k" and "unit" in by_sender:
            found += _usable(by_sender["unit"])
    return found


def _compared(case: str, name: str, ours: Sequence[Result], theirs: Sequence[Result]) -> list[Verdict]:
    pairs = [
        (run, other)
        for run, other in zip(ours, theirs, strict=True)
        if "error" not in run and "error" not in other
    ]
    quiet = [pair for pair in pairs if not any(disturbed(each) for each in pair)]
    pairs, mark = (quiet, "") if quiet else (pairs, " (disturbed)" if pairs else "")
    # 0 against 0 has no ratio, so the shares are subtracted: at most 0 points more is at most 1.0 times as much.
    points = [(run["frozen"] - other["frozen"]) * 100 for run, other in pairs]
    p95 = "latency_ms_p95"
    dark = sum(p95 not in run and p95 in other for run, other in pairs)
    ratios = [run[p95] / other[p95] for run, other in pairs if p95 in run and p95 in other]
    latency = f"no picture came in {dark} of {len(pairs)} rounds" if dark else figure(ratios)
    return [
        judged(f"{case}: time frozen, {name} - Chromium{mark}", "points", 0.0, figure(points)),
        judged(f"{case}: latency p95, {name} / Chromium{mark}", "x", 1.0, latency),
    ]


def _judged_runs(runs: Sequence[Result]) -> tuple[list[Result], str]:
    done = [run for run in runs if "error" not in run]
    quiet = [run for run in done if not disturbed(run)]
    return (quiet, "") if quiet else (done, " (disturbed)" if done else "")


def _settled(ours: Sequence[Result]) -> Verdict:
    done, mark = _judged_runs(ours)
    name = f"drop: unit at the new bitrate{mark}"
    times = [run["settled_s"] for run in done if run["settled_s"] is not None]
    never = f"it never settled in {len(done) - len(times)} of {len(done)} rounds"
    return judged(name, "s", SETTLED_WITHIN_S, figure(times) if done and len(times) == len(done) else never)


def _usable(ours: Sequence[Result]) -> list[Verdict]:
    done, mark = _judged_runs(ours)
    rate: Figure | None = figure([run["fps"] for run in done])
    width: Figure | None = figure([run["width"] for run in done if "width" in run])
    return [
        judged(f"300k: frames/s of the unit{mark}", "frames/s", USABLE_FPS, rate, at_least=True),
        judged(f"300k: width of the unit's picture{mark}", "pixels", USABLE_WIDTH, width, at_least=True),
    ]
