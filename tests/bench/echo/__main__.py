"""`python -m tests.bench.echo [--rooms NAMES] [--rounds N] [--json FILE]`: how much of the loudspeaker's sound
comes back out of the canceller, in the shipped audio graph with rooms made by code.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.echo.figures import Script
from tests.bench.echo.rooms import ROOMS, Room
from tests.bench.echo.stage import REAL_TIME, DisturbedError, Scene, cpu_without, run
from tests.bench.figures import medians
from tests.system.audio_graph import MISSING

ROUNDS = 3
TRIES = 4
COLUMNS = {
    "echo_dbfs": "echo, off, dBFS",
    "left_dbfs": "echo, on, dBFS",
    "erle_db": "ERLE, dB",
    "over_speech_db": "against speech, dB",
    "first_second_db": "first second, dB",
    "converged_s": "converged, s",
    "near_gain_db": "speech alone, dB",
    "near_kept_db": "speech when both, dB",
    "noise_change_db": "noise, dB",
    "cpu_pct": "CPU, % of a core",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, write the JSON; 1 if no run was undisturbed."""
    given = _parse(arguments)
    if MISSING:
        print(f"{', '.join(MISSING)} is not installed: make packages-test", file=sys.stderr)
        return 1
    if not REAL_TIME:
        print(
            "without root the players have no real-time priority; a busy machine disturbs the runs",
            file=sys.stderr,
        )
    scene = Scene(Script())
    results: dict[str, dict[str, Any]] = {}
    for room in (room for room in ROOMS if not given.rooms or room.name in given.rooms):
        runs = [each for _ in range(given.rounds) if (each := _once(room, scene)) is not None]
        results[room.name] = {"medians": medians(runs), "runs": runs}
    without = cpu_without(ROOMS[0], scene)
    _show(results)
    print(f"PipeWire without the canceller: {without:.1f} % of a core")
    if given.json:
        given.json.write_text(json.dumps({"rooms": results, "cpu_without_pct": without}, indent=2))
    return 0 if any(each["runs"] for each in results.values()) else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.echo", description=__doc__)
    names = [room.name for room in ROOMS]
    parser.add_argument("--rooms", nargs="*", choices=names, default=[], help="default: all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"with the canceller on; default {ROUNDS}")
    parser.add_argument("--json", type=Path, help="also write medians and all runs to this file")
    return parser.parse_args(arguments)


def _once(room: Room, scene: Scene) -> dict[str, float] | None:
    for _ in range(TRIES):
        try:
            found, cpu = run(room, scene)
        except DisturbedError:
            print(f"{room.name}: the machine was too busy to keep real time; again", file=sys.stderr)
        else:
            print(
                f"{room.name}: {found.erle_db:.0f} dB", file=sys.stderr
            )  # so that a run cut short leaves something
            return {**asdict(found), "cpu_pct": cpu}
    return None


def _show(results: dict[str, dict[str, Any]]) -> None:
    table = Table(title="Echo canceller: medians")
    table.add_column("room")
    for title in COLUMNS.values():
        table.add_column(title, justify="right")
    for name, each in results.items():
        found = each["medians"]
        cells = (f"{found[key]['median']:.1f}" if key in found else "" for key in COLUMNS)
        table.add_row(name, *cells)
    Console(width=180).print(table)


if __name__ == "__main__":
    sys.exit(main())
