"""`python -m tests.bench.net [--cases NAMES] [--senders NAMES] [--rounds N] [--json FILE]`: the unit on bad lines,
beside Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from tests.bench.__main__ import conditions, target
from tests.bench.browsers import launch
from tests.bench.figures import medians
from tests.bench.net.cases import CASES, MORE_CASES, chosen
from tests.bench.net.plan import (
    LATE_MS_MAX,
    OTHERS_CPU_PCT_MAX,
    SENDERS,
    Plan,
    Results,
    cpu_limited,
    disturbed,
    run_all,
    verdicts,
)
from tests.bench.net.plot import plot_case
from tests.bench.net.runs import Stage
from tests.bench.net.site import Site
from tests.bench.net.table import print_report
from tests.bench.processor import browser_pid, own_pids

ROUNDS = 3
WARM_UP_S = 7.0
CPU_LIMITED_SHARE = 0.1


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line. Names are given with commas or blanks between them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.net", description=__doc__)
    known = ", ".join(case.name for case in (*CASES, *MORE_CASES))
    parser.add_argument("--cases", type=_names, default=[], help=f"of {known}; default: all but reorder")
    parser.add_argument("--senders", type=_names, default=list(SENDERS), help=f"of {', '.join(SENDERS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    parser.add_argument("--json", type=Path, help="also write medians and all runs to this file")
    parser.add_argument("--out", type=Path, default=Path("out/bench-net"), help="folder of the plots")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.senders if name not in SENDERS]:
        parser.error(f"there is no sender {unknown[0]!r}")
    try:
        given.cases = chosen(given.cases)
    except ValueError as error:
        parser.error(str(error))
    return given


def _names(text: str) -> list[str]:
    return [name for name in re.split(r"[,\s]+", text) if name]


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all, print the tables, draw the plots, and return the report."""
    load, began = os.getloadavg()[0], time.monotonic()
    plan = Plan(arguments.cases, arguments.senders, arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="bench-net-") as folder:
        site = Site(Path(folder))
        try:
            async with async_playwright() as playwright:
                before = own_pids()
                sender = await launch(playwright, Path(folder))
                sender_pid = browser_pid(before)
                receiver = await launch(playwright)
                stage = Stage(sender, sender_pid, receiver, site, WARM_UP_S)
                results = await run_all(stage, plan, _tell)
                version = sender.version
        finally:
            site.close()
    report = _report(results, load, version, time.monotonic() - began)
    titles = {case.name: case.title for case in plan.cases}
    print_report(report, results, titles, verdicts(results))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for case, by_sender in results.items():
        plot_case(f"{case}: {titles[case]}", by_sender, arguments.out / f"{case}.png")
    print(f"\nThe course of each case is drawn in {arguments.out}/")
    return report


def _report(results: Results, load: float, version: str, took_s: float) -> dict[str, Any]:
    flat = {f"{case}, {name}": runs for case, found in results.items() for name, runs in found.items()}
    return {
        "conditions": [*conditions(load, flat), *_disturbed(flat), *_held_back(flat)],
        "chromium": version,
        "warm_up_s": WARM_UP_S,
        "took_s": round(took_s),
        "targets": [target(each) for each in verdicts(results)],
        "medians": {name: medians(runs) for name, runs in flat.items()},
        "runs": results,
    }


def _disturbed(flat: dict[str, list[dict[str, Any]]]) -> list[str]:
    runs = [run for runs in flat.values() for run in runs]
    count = sum(disturbed(run) for run in runs)
    if not count:
        return []
    return [
        f"{count} of {len(runs)} runs were disturbed: others took over {OTHERS_CPU_PCT_MAX:.0f} % of one core, or "
        f"the relay let 5 % of the datagrams out over {LATE_MS_MAX:.0f} ms late. Targets are judged by the rounds "
        "that were not, where there are any, and are marked where there are none."
    ]


def _held_back(flat: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Chromium makes its picture smaller also for want of processor, which says nothing about a line."""
    return [
        f"A run of {name}: Chromium held its own picture back for want of processor, {share:.0%} of the time."
        for name, runs in flat.items()
        for run in runs
        if (share := cpu_limited(run)) > CPU_LIMITED_SHARE
    ]


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    arguments = parse()
    report = asyncio.run(bench(arguments))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
