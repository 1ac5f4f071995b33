"""What the runs come to: what is to be reached, and what was. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

EARLY_MIN, LONGEST_S, CORES, FALSE_ALARMS = 10.0, 20.0, 1.0, 0.01
"""To reach: known so long before, a whole test, of the processor, share of healthy runs."""
CERTAINTY = 0.95

Row = Mapping[str, Any]


def summary(report: Row) -> dict[str, Any]:
    """The figures, for programs: of the rows that are there."""
    found: dict[str, Any] = {}
    if report.get("faults"):
        found |= _of_faults(report["faults"])
    if "healthy" in report:
        alarms, runs = len(report["healthy"]["alarms"]), report["healthy"]["runs"]
        found["false_alarms"] = {"runs": runs, "with_alarm": alarms, "at_most": upper_bound(alarms, runs)}
    return found


def _of_faults(outcomes: Sequence[Row]) -> dict[str, Any]:
    broken = [each for each in outcomes if each["right"]]
    whole = [each for each in outcomes if not each["right"]]
    before = [each["before_min"] for each in broken if each["is_found"]]
    tested = [each for each in outcomes if each["seconds"]]
    found: dict[str, Any] = {
        "faults": len(broken),
        "found": len(before),
        "found_early": sum(each >= EARLY_MIN for each in before),
        "right_first": sum(each["is_right"] for each in broken),
        "nothing_broken": {"tests": len(whole), "with_alarm": sum(not each["is_right"] for each in whole)},
        "without_result": [each["fault"] for each in outcomes if not each["seconds"]],
    }
    if before:
        found["before_min"] = {"median": statistics.median(before), "least": min(before)}
    if tested:
        found["test_s"] = _most(tested, lambda each: each["seconds"])
        found["cpu_s"] = _most(tested, lambda each: each["cpu_s"])
        found["cores"] = _most(tested, lambda each: each["cpu_s"] / each["seconds"])
    return found


def _most(outcomes: Sequence[Row], figure: Any) -> dict[str, Any]:
    most = max(outcomes, key=figure)
    middle = statistics.median(figure(each) for each in outcomes)
    return {"median": round(middle, 3), "most": round(figure(most), 3), "of": most["fault"]}


def upper_bound(seen: int, runs: int) -> float:
    """Of the share that is seen in the long run, with CERTAINTY (Clopper and Pearson 1934, one-sided); as if no
    run had to do with another."""
    if seen >= runs:
        return 1.0
    low, high = seen / runs, 1.0
    for _ in range(50):
        share = (low + high) / 2
        if _at_most(seen, runs, share) > 1 - CERTAINTY:
            low = share
        else:
            high = share
    return high


def _at_most(seen: int, runs: int, share: float) -> float:
    """The binomial distribution, up to `seen`; by logarithms, since its factors are too large and too small."""
    if share >= 1:
        return 0.0
    yes, no = math.log(share), math.log1p(-share)
    return sum(
        math.exp(
            math.lgamma(runs + 1)
            - math.lgamma(count + 1)
            - math.lgamma(runs - count + 1)
            + count * yes
            + (runs - count) * no
        )
        for count in range(seen + 1)
    )


def lines(found: Row) -> list[str]:
    """The same in sentences, the last thing that is printed."""
    return [*_fault_lines(found), *_healthy_lines(found)]


def _fault_lines(found: Row) -> list[str]:
    said = []
    if "faults" in found:
        said.append(f"Found: {found['found']} of {found['faults']}")
    if "before_min" in found:
        before = found["before_min"]
        said.append(
            f"Before the session: least {before['least']:.1f} min, median {before['median']:.1f}; "
            f"{found['found_early']} known {EARLY_MIN:.0f} min or more before"
        )
    if "faults" in found:
        said.append(f"Right instruction first: {found['right_first']} of {found['faults']}")
    if "test_s" in found:
        test, cpu, cores = found["test_s"], found["cpu_s"], found["cores"]
        said += [
            f"Longest self-test: {test['most']:.1f} s ({test['of']}), median {test['median']:.1f}; "
            f"to reach: {LONGEST_S:.0f}",
            f"Most processor: {cpu['most']:.1f} s ({cpu['of']}), median {cpu['median']:.1f}",
            f"Most of a core: {cores['most']:.2f} ({cores['of']}), median {cores['median']:.2f}; "
            f"to reach: under {CORES:.0f}",
        ]
    if found.get("without_result"):
        said.append(f"Without a result: {', '.join(found['without_result'])}")
    return said


def _healthy_lines(found: Row) -> list[str]:
    said = []
    if found.get("nothing_broken", {}).get("tests"):
        whole = found["nothing_broken"]
        said.append(f"Alarms in this room with nothing broken: {whole['with_alarm']} of {whole['tests']}")
    if "false_alarms" in found:
        alarms = found["false_alarms"]
        said.append(
            f"False alarms: {alarms['with_alarm']} of {alarms['runs']} "
            f"({alarms['with_alarm'] / alarms['runs']:.2%}), with {CERTAINTY:.0%} certainty at most "
            f"{alarms['at_most']:.2%}; to reach: {FALSE_ALARMS:.0%}"
        )
    return said
