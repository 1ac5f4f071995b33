"""`python -m tests.bench [--json FILE] [--quick]`: our unit beside stock aiortc and Chromium."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import async_playwright

from tests.bench.browsers import launch
from tests.bench.figures import Verdict, medians
from tests.bench.plan import Results, run_all, verdicts
from tests.bench.processor import browser_pid, own_pids
from tests.bench.runs import Stage
from tests.bench.site import Site
from tests.bench.table import print_report

FULL_S = (4.0, 9.0)  # to warm up, and to measure
QUICK_S = (2.0, 4.0)
QUIET_CPU_PCT = 15  # of one core; above it, others' use or the hypervisor's is worth a warning


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all figures and raw runs to this file")
    parser.add_argument("--quick", action="store_true", help="one short round, about 2 minutes")
    parser.add_argument("--rounds", type=int, default=None, help="rounds of each group (default 3)")
    parser.add_argument("--port", type=int, default=0, help="of the pages on localhost; 0 takes a free one")
    return parser.parse_args(arguments)


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run all, print the tables and return the report."""
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    warm_up_s, measure_s = QUICK_S if arguments.quick else FULL_S
    load, began = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Site(Path(folder), arguments.port)
        try:
            async with async_playwright() as playwright:
                before = own_pids()
                sender = await launch(playwright, Path(folder))
                sender_pid = browser_pid(before)
                receiver = await launch(playwright)
                stage = Stage(sender, sender_pid, receiver, site, warm_up_s, measure_s)
                results = await run_all(stage, rounds, _tell)
                version = sender.version
        finally:
            site.close()
    judged = verdicts(results)
    report: dict[str, Any] = {
        "conditions": conditions(load, results),
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "load_at_start": load},
        "chromium": version,
        "rounds": rounds,
        "warm_up_s": warm_up_s,
        "measure_s": measure_s,
        "took_s": round(time.monotonic() - began),
        "targets": [target(each) for each in judged],
        "medians": {name: medians(runs) for name, runs in results.items()},
        "runs": results,
    }
    print_report(report, results, judged)
    return report


def conditions(load: float, results: Results) -> list[str]:
    """What the figures were measured on, and whether it was quiet."""
    lines = [f"{os.cpu_count()} cores, {_processor()}; load {load:.1f} at the start."]
    for name, who in (("others_cpu_pct", "Other programs"), ("stolen_cpu_pct", "Other virtual machines")):
        used = [run[name] for runs in results.values() for run in runs if name in run]
        if used and median(used) > QUIET_CPU_PCT:
            lines.append(
                f"{who} took {median(used):.0f} % of one core (median, up to {max(used):.0f} %): "
                "trust the ratios within a round more than the figures, and neither much."
            )
    failed = {name: run["error"] for name, runs in results.items() for run in runs if "error" in run}
    lines += [f"A run of {name} failed: {error}" for name, error in failed.items()]
    return lines


def target(verdict: Verdict) -> dict[str, Any]:
    """A verdict for the report."""
    return {**asdict(verdict), "reached": verdict.reached, "missed_by": verdict.missed_by}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())


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
