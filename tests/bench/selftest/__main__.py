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
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.selftest import faults as all_faults
from tests.bench.selftest.leftovers import adopt, end_once
from tests.bench.selftest.outcomes import line, run_faults
from tests.bench.selftest.rig import own_mounts
from tests.bench.selftest.summary import summary
from tests.bench.selftest.table import show
from tests.system.coturn import is_installed
from tests.system.network import why_not


def main() -> int:
    """Run, print, write; 2 where this machine cannot. Broken off, what there is is printed and written."""
    given = _parser().parse_args()
    problem = why_not() or ("" if is_installed() else "coturn is not installed; install Debian's coturn")
    if problem and given.faults != "none":
        sys.stderr.write(f"{problem}\n")
        return 2
    own_mounts()
    adopt()
    end_once()
    began = time.time()
    report: dict[str, Any] = {"load": os.getloadavg()[0], "began": time.strftime("%Y-%m-%d %H:%M")}
    report |= {"faults": [], "is_broken_off": True}
    try:
        _run(given, report)
        report["is_broken_off"] = False
    finally:
        report |= {"took_s": round(time.time() - began), "summary": summary(report)}
        _tell(given, report)
    return 0


def _run(given: argparse.Namespace, report: dict[str, Any]) -> None:
    chosen = [each for each in all_faults.ALL if re.search(given.faults, each.name)]
    with closing(run_faults(chosen)) as outcomes:  # the room is gone before anything is told
        for outcome in outcomes:
            report["faults"].append(asdict(outcome))
            sys.stderr.write(f"{line(outcome)}\n")
    if given.runs:
        from tests.bench.selftest.healthy import run_healthy

        report["healthy"] = run_healthy(given.runs, given.seed)


def _tell(given: argparse.Namespace, report: dict[str, Any]) -> None:
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    show(report)
    if given.plot is not None and not report["is_broken_off"]:
        from tests.bench.selftest.plot import draw

        draw(report, given.plot)


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
