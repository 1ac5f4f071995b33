"""`make soak`: half an hour in call, then 200 short calls: memory flat and nothing left, or exit code 1."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as BrowserError
from rich.console import Console
from rich.table import Table

from tests.demo.footage import write_camera, write_microphone
from tests.demo.probes import OFFICE_TONE_HZ
from tests.soak.measure import Held, Meter
from tests.soak.plot import write_plot
from tests.soak.verdict import GROWTH_MAX_MIB, SETTLE_S, Part, course
from tests.soak.visits import Visits
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack, StackError, footage
from tests.system.visit import wait_until_ready

CONSOLE = Console(highlight=False)
CAMERA_SIZE = (320, 180)
OFFICE_WINDOW = (640, 480)
"""Both small: what the browsers cost is of no interest here, and two cores are to do."""
WARM_UP_CALLS = 3
"""What is made once and kept (workers, codecs, fonts) is there after these."""
LOOK_EVERY_S = 5.0
LOG_CHARACTERS = 3000
"""Of the agent's log, when it went no further."""
Say = Callable[[str], None]


def main() -> int:
    """Soak, report, and return the exit status."""
    options = _options()
    say = _teller()
    try:
        with tempfile.TemporaryDirectory(prefix="halsorum-soak-") as folder:
            parts, told = soak(Path(folder), options.minutes, options.calls, say)
    except (StackError, AssertionError, BrowserError) as error:
        CONSOLE.print(f"The soak could not be played to its end: {error}", markup=False)
        return 1
    problems = [problem for part in parts for problem in part.problems]
    _print(parts, problems)
    options.out.mkdir(parents=True, exist_ok=True)
    report = {
        "ok": not problems,
        "problems": problems,
        "parts": {part.name: {**part.row(), **asdict(part)} for part in parts},
        "told": told,
    }
    for file in (options.out / "soak.json", options.json):
        if file is not None:
            file.write_text(json.dumps(report, indent=1) + "\n")
    CONSOLE.print(f"Raw samples and course: {options.out}", markup=False)
    write_plot(parts, options.out)
    return 1 if problems else 0


def soak(folder: Path, minutes: float, calls: int, say: Say) -> tuple[list[Part], dict[str, Any]]:
    """Play both parts in a system of its own; also what the agent told of itself before and after."""
    film = footage()
    video = write_camera(film, folder / "camera.y4m", *CAMERA_SIZE)
    sound = write_microphone(film, folder / "microphone.wav", OFFICE_TONE_HZ)
    with (
        Stack(folder / "state", starter="tests.soak.starter") as stack,
        Browsers(folder / "profile", video=video, sound=sound) as browsers,
    ):
        screen = Screen.open(browsers, stack)
        office = Office.open(browsers, stack, window=OFFICE_WINDOW)
        wait_until_ready(stack)
        visits = Visits(stack, screen, office)
        say("broker, region and unit run; the room is ready")
        try:
            return _play(stack, visits, minutes, calls, say)
        except (AssertionError, BrowserError):
            say(visits.where())
            say(stack.log("unit")[-LOG_CHARACTERS:])
            raise


def _play(
    stack: Stack, visits: Visits, minutes: float, calls: int, say: Say
) -> tuple[list[Part], dict[str, Any]]:
    for _ in range(WARM_UP_CALLS):
        visits.short()
    pid = stack.system["pids"]["unit"]
    meter = Meter(pid, stack.state / "unit")
    before, told = meter.held(), {"before": meter.told()}
    say(f"{WARM_UP_CALLS} calls to warm up; now in call for {minutes:g} minutes")
    parts = []
    if minutes:
        parts.append(_in_call(visits, meter, before, minutes))
        told["after in call"] = meter.told()
        say(f"in call: {course(parts[-1].samples)}")
    if calls:
        parts.append(_short_calls(visits, meter, before, calls, say))
        told["after short calls"] = meter.told()
    if stack.system["pids"]["unit"] != pid:
        raise AssertionError("the agent was started anew meanwhile: see its log")
    return parts, told


def _in_call(visits: Visits, meter: Meter, before: Held, minutes: float) -> Part:
    booked = visits.begin()
    meter.begin()
    samples = [meter.sample()]
    still = visits.stay(minutes * 60, LOOK_EVERY_S, lambda: samples.append(meter.sample()))
    visits.end(booked)
    return Part("in call", samples, meter.left_since(before), still, settle_s=min(SETTLE_S, minutes * 60 / 3))


def _short_calls(visits: Visits, meter: Meter, before: Held, calls: int, say: Say) -> Part:
    meter.begin()
    samples, took_s = [], []
    for number in range(1, calls + 1):
        took_s.append(visits.short())
        samples.append(meter.sample())
        if number % 10 == 0:
            say(f"{number} short calls, {samples[-1].rss_mib} MiB")
    return Part("short calls", samples, meter.left_since(before), took_s=took_s, settle_s=None)


def _print(parts: list[Part], problems: list[str]) -> None:
    table = Table(title="The agent's memory (MiB) and what it holds")
    table.add_column("")
    rows = [part.row() for part in parts]
    for part in parts:
        table.add_column(part.name, justify="right")
    for name in rows[0] if rows else ():
        table.add_row(name, *("" if row[name] is None else str(row[name]) for row in rows))
    CONSOLE.print(table)
    for part in parts:
        CONSOLE.print(f"{part.name}: {course(part.samples)}", markup=False)
    for problem in problems:
        CONSOLE.print(problem, markup=False)
    flat = f"flat (less than {GROWTH_MAX_MIB:g} MiB of growth), and nothing is left"
    CONSOLE.print(f"Verdict: {'NOT ' if problems else ''}{flat}", markup=False)


def _teller() -> Say:
    began = time.monotonic()
    return lambda words: CONSOLE.print(f"{time.monotonic() - began:7.1f} s  {words}", markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="in call (30)")
    parser.add_argument("--calls", type=int, default=200, help="short calls (200)")
    parser.add_argument("--out", type=Path, default=Path("out/soak"), help="folder of samples and course")
    parser.add_argument("--json", type=Path, help="write the report there too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
