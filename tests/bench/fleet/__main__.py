"""`make bench-fleet`: thousands of played units over mutual TLS against the real broker and the real region."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.bench.fleet.fleet import Fleet
from tests.bench.fleet.phases import Run
from tests.bench.fleet.site import Site, SiteError, allow_descriptors
from tests.bench.fleet.table import medians, print_report, verdicts

SIZES = (250, 500, 1000, 2000)


def main() -> int:
    """Measure, report, and return the exit status: 1 if it could not be measured."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # broker and region are stopped on the way out
    runs: list[dict[str, Any]] = []
    try:
        allow_descriptors(max(options.units))
        for number in range(options.rounds):
            for count in options.units:
                runs.append(_one_run(count, number, options))
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    report = {
        "machine": {"processors": psutil.cpu_count(), "database": options.database or "sqlite"},
        "medians": medians(runs),
        "targets": verdicts(runs),
        "runs": runs,
    }
    print_report(report)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _one_run(count: int, number: int, options: argparse.Namespace) -> dict[str, Any]:
    _say(f"{count} units, round {number + 1} of {options.rounds}")
    with tempfile.TemporaryDirectory(prefix="halsorum-fleet-") as folder:
        url = options.database or f"sqlite:///{folder}/region.db"
        site = Site(Path(folder), count, url, options.profile)
        fleet = None
        try:
            site.start()
            fleet = Fleet(site)
            run = Run(site, fleet, _say)
            run.all_phases(frozenset(options.only))
        finally:
            if fleet is not None:
                fleet.stop()
            site.stop()
            if options.logs is not None:
                options.logs.mkdir(parents=True, exist_ok=True)
                (options.logs / f"region-{count}.log").write_text(site.log_text())
                (options.logs / f"broker-{count}.log").write_bytes(
                    (Path(folder) / "broker" / "mosquitto.log").read_bytes()
                )
    return {"units": count, "round": number, "figures": run.figures, "costs": run.costs, "raw": run.raw}


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-fleet", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--units", type=int, nargs="+", default=list(SIZES), help="sizes, one after the other"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--database", help="an empty PostgreSQL database's URL; only with one size and round")
    parser.add_argument("--only", nargs="*", default=(), help="of the phases after all are connected")
    parser.add_argument("--profile", type=Path, help="cProfile of the region's worker, for one size")
    parser.add_argument("--logs", type=Path, help="a folder for the region's and the broker's logs")
    options = parser.parse_args()
    if options.database and (len(options.units) > 1 or options.rounds > 1):
        parser.error("--database takes one size and one round: each run fills an empty database")
    return options


if __name__ == "__main__":
    sys.exit(main())
