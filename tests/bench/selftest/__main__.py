"""`python -m tests.bench.selftest [--json FILE] [--faults PATTERN] [--runs N] [--plot FILE]`.

Is what is broken found before the session, is the right thing said, and how often is something said though nothing
is broken?

README.md in this folder tells the method. Figures are printed and gate nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.selftest import faults as all_faults
from tests.bench.selftest.faults import Fault
from tests.bench.selftest.rig import BEFORE, Found, Rig, TooLate, own_mounts
from tests.bench.selftest.table import show
from tests.system.coturn import is_installed
from tests.system.network import why_not


@dataclass(frozen=True)
class Outcome:
    """One fault. first: the instruction that staff were shown, of all that were found. before_min: how long before
    the session it was known; None where it was not found."""

    fault: str
    level: str
    right: tuple[str, ...]
    found: tuple[str, ...]
    first: str
    is_found: bool
    is_right: bool
    before_min: float | None
    seconds: float
    cpu_s: float
    reasons: dict[str, str]
    problem: str = ""


def main() -> int:
    """Run, print, write; 2 where this machine cannot."""
    given = _parser().parse_args()
    problem = why_not() or ("" if is_installed() else "coturn is not installed; install Debian's coturn")
    if problem and given.faults != "none":
        sys.stderr.write(f"{problem}\n")
        return 2
    own_mounts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # all that was started is ended
    chosen = [each for each in all_faults.ALL if re.search(given.faults, each.name)]
    began, report = time.time(), {"load": os.getloadavg()[0], "began": time.strftime("%Y-%m-%d %H:%M")}
    report["faults"] = [asdict(each) for each in run_faults(chosen)] if chosen else []
    if given.runs:
        from tests.bench.selftest.healthy import run_healthy

        report["healthy"] = run_healthy(given.runs, given.seed)
    report["took_s"] = round(time.time() - began)
    if given.json is not None:
        given.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    show(report)
    if given.plot is not None:
        from tests.bench.selftest.plot import draw

        draw(report, given.plot)
    return 0


def run_faults(chosen: list[Fault]) -> list[Outcome]:
    """One after the other, in one running system."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="halsorum-selftest-") as folder:
        films = all_faults.camera_films()
        with Rig(Path(folder), films) as rig:
            rig.wait_until_well()
            rig.let_learn()
            for fault in chosen:
                outcomes.append(_try(rig, fault))
                sys.stderr.write(f"{_line(outcomes[-1])}\n")
    return outcomes


def _try(rig: Rig, fault: Fault) -> Outcome:
    def make() -> None:
        fault.make(rig)

    try:
        try:
            found = rig.before_session(fault.lead_s, make, tested_since=fault.restarts)
        except TooLate:
            fault.mend(rig)
            found = rig.before_session(2 * fault.lead_s, make, tested_since=fault.restarts)
        outcome = judged(fault, found)
    except Exception as error:
        outcome = judged(fault, Found((), 0.0, 0.0), f"{type(error).__name__}: {error}")
    fault.mend(rig)
    return outcome


def judged(fault: Fault, found: Found, problem: str = "") -> Outcome:
    """found.faults are in the order in which staff are to follow them."""
    first = found.faults[0] if found.faults else ""
    is_found = bool(found.faults) and any(each in fault.right for each in found.faults)
    return Outcome(
        fault.name,
        fault.level,
        fault.right,
        found.faults,
        first,
        is_found,
        not problem and (first in fault.right if fault.right else not first),
        (BEFORE.total_seconds() - found.seconds) / 60 if is_found else None,
        round(found.seconds, 2),
        round(found.cpu_s, 2),
        {str(each["instruction"]): str(each["reason"]) for each in found.verdicts if each["instruction"]},
        problem,
    )


def _line(outcome: Outcome) -> str:
    said: dict[str, Any] = {"found": outcome.found, "s": outcome.seconds, "cpu": outcome.cpu_s}
    if outcome.problem or not outcome.is_right:
        said |= {"right": outcome.right, "problem": outcome.problem, "reasons": outcome.reasons}
    return f"{'ok  ' if outcome.is_right else 'MISS'} {outcome.fault}: {said}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.selftest", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--faults", default="", help='only faults whose name matches; "none": none of them')
    parser.add_argument("--runs", type=int, default=1000, help="healthy runs through the judgements (1000)")
    parser.add_argument("--seed", type=int, default=1, help="of the healthy runs (1)")
    parser.add_argument("--plot", type=Path, help="draw the plot into this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
