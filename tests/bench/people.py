"""`make bench-people`: a meeting of two to five parties in real browsers, and what each of them sees.

A whole system runs; the room plays real footage, and every page sends picture and sound to all others. Nothing is
gated.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]
from playwright.sync_api import Page
from rich.console import Console
from rich.table import Table

from tests.demo.footage import write_camera, write_microphone
from tests.demo.probes import OFFICE_TONE_HZ
from tests.system.guests import Guest, invite, let_in
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack, footage
from tests.system.visit import book, wait_until_ready

ROLES = ("interpreter", "relative", "specialist")
CAMERA = (640, 360)
"""What the browsers' cameras give; the room's is 1280x720."""
WINDOW = (960, 600)
ROOM, PAGES, KIOSK = "#remote video", "#tiles .tile video", "figure.party video"
AIM = 15
CONNECTED_WITHIN_S = 90.0
COUNT = """selector => [...document.querySelectorAll(selector)].filter(video => video.videoWidth).map(video => {
  const { totalVideoFrames } = video.getVideoPlaybackQuality();
  return { frames: totalVideoFrames, width: video.videoWidth, height: video.videoHeight };
})"""

Seen = list[dict[str, float]]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench-people", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write every run there")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15.0, help="measured in each (15)")
    parser.add_argument("--parties", type=int, nargs="*", default=[3, 5], help="in all, the room included")
    options = parser.parse_args()
    console = Console(highlight=False, width=110)
    runs = [
        {"parties": parties, **measure(parties, options.seconds, console)}
        for _ in range(options.rounds)
        for parties in options.parties
    ]
    medians = {
        str(parties): middle([run for run in runs if run["parties"] == parties])
        for parties in options.parties
    }
    console.print(drawn(medians))
    if options.json is not None:
        machine = {"cores": os.cpu_count()}
        report = {"machine": machine, "rounds": options.rounds, "medians": medians, "runs": runs}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measure(parties: int, seconds: float, console: Console) -> dict[str, Any]:
    """One meeting of so many, the room included."""
    with tempfile.TemporaryDirectory(prefix="halsorum-people-") as made:
        folder = Path(made)
        film = footage()
        video = write_camera(film, folder / "camera.y4m", *CAMERA)
        sound = write_microphone(film, folder / "microphone.wav", OFFICE_TONE_HZ)
        with (
            Stack(folder / "state", ["--footage", str(film)]) as stack,
            Browsers(folder / "profile", video=video, sound=sound) as browsers,
        ):
            screen, pages = _gather(stack, browsers, ROLES[: parties - 2])
            console.print(f"{parties} parties are connected; {seconds:.0f} s are measured", markup=False)
            return _watch(stack, screen, pages, seconds)


def _gather(stack: Stack, browsers: Browsers, roles: Sequence[str]) -> tuple[Page, list[Page]]:
    wait_until_ready(stack)
    booking = book(stack)
    screen = Screen.open(browsers, stack)
    screen.check_in(booking.code)
    screen.shows("waiting")
    office = Office.open(browsers, stack, window=WINDOW)
    office.open_meeting(booking.sid)
    seats = [invite(office, role) for role in roles]
    office.admit()
    office.page.wait_for_selector("#content[data-line='connected']")
    guests = []
    for seat, role in zip(seats, roles, strict=True):
        guest = Guest.open(browsers, seat, window=WINDOW)
        guest.knock(role)
        let_in(office)
        guest.takes_part()
        guests.append(guest)
    pages = [office.page, *(guest.page for guest in guests)]
    until = time.monotonic() + CONNECTED_WITHIN_S
    for page in pages:
        while len(page.evaluate(COUNT, PAGES)) < len(roles) and time.monotonic() < until:
            page.wait_for_timeout(250)
    return screen.page, pages


def _watch(stack: Stack, screen: Page, pages: Sequence[Page], seconds: float) -> dict[str, Any]:
    agent = psutil.Process(stack.system["pids"]["unit"])
    began, used = time.monotonic(), sum(agent.cpu_times()[:2])
    psutil.cpu_percent()
    watched = [(page, what) for page in pages for what in (ROOM, PAGES)] + [(screen, KIOSK)]
    before = [(time.monotonic(), page.evaluate(COUNT, what)) for page, what in watched]
    while time.monotonic() < began + seconds:
        screen.wait_for_timeout(200)
    after = [(time.monotonic(), page.evaluate(COUNT, what)) for page, what in watched]
    machine, spent = psutil.cpu_percent(), sum(agent.cpu_times()[:2]) - used
    rates: dict[str, list[float]] = {ROOM: [], PAGES: [], KIOSK: []}
    sizes: dict[str, list[float]] = {ROOM: [], PAGES: [], KIOSK: []}
    for (_, what), (at, first), (then, last) in zip(watched, before, after, strict=True):
        rates[what] += [_grown(old, new) / (then - at) for old, new in zip(first, last, strict=False)]
        sizes[what] += [new["height"] for new in last]
    return {
        "room_at_pages": _figures(rates[ROOM], sizes[ROOM]),
        "pages_at_pages": _figures(rates[PAGES], sizes[PAGES]),
        "pages_at_kiosk": _figures(rates[KIOSK], sizes[KIOSK]),
        "agent_cpu_pct": round(spent / (time.monotonic() - began) * 100, 1),
        "agent_rss_mib": round(agent.memory_info().rss / 2**20, 1),
        "machine_cpu_pct": machine,
    }


def _grown(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    """Frames since then; a connection that was built anew meanwhile counts from nought again."""
    return new["frames"] - (old["frames"] if new["frames"] >= old["frames"] else 0)


def _figures(rates: Sequence[float], heights: Sequence[float]) -> dict[str, Any]:
    """Frames/s that were decoded: all, the slowest, the middle one; lines of the picture in the middle."""
    if not rates:
        return {"seen": 0, "slowest": None, "median": None, "lines": None, "all": []}
    rounded = sorted(round(rate, 1) for rate in rates)
    return {
        "seen": len(rounded),
        "slowest": rounded[0],
        "median": round(median(rounded), 1),
        "lines": median(heights),
        "all": rounded,
    }


def middle(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The median run's figures, each for itself."""
    made: dict[str, Any] = {}
    for name in ("room_at_pages", "pages_at_pages", "pages_at_kiosk"):
        made[name] = {
            figure: median(run[name][figure] for run in runs if run[name][figure] is not None)
            for figure in ("seen", "slowest", "median", "lines")
            if any(run[name][figure] is not None for run in runs)
        }
    for name in ("agent_cpu_pct", "agent_rss_mib", "machine_cpu_pct"):
        made[name] = median(run[name] for run in runs)
    return made


def drawn(medians: Mapping[str, Mapping[str, Any]]) -> Table:
    """For people."""
    table = Table(
        title=f"Frames/s decoded: slowest / middle, and lines of the picture (aim: {AIM} in all with 5)"
    )
    for heading in (
        "parties",
        "room's picture at the pages",
        "pages at one another",
        "pages at the touchscreen",
    ):
        table.add_column(heading)
    for heading in ("agent, % of a core", "agent, MiB", "machine, %"):
        table.add_column(heading, justify="right")
    for parties, figures in medians.items():
        cells = [_cell(figures[name]) for name in ("room_at_pages", "pages_at_pages", "pages_at_kiosk")]
        rest = [str(figures[name]) for name in ("agent_cpu_pct", "agent_rss_mib", "machine_cpu_pct")]
        table.add_row(parties, *cells, *rest)
    return table


def _cell(figures: Mapping[str, Any]) -> str:
    if not figures.get("seen"):
        return "-"
    slowest, middling, lines, seen = (figures[name] for name in ("slowest", "median", "lines", "seen"))
    return f"{slowest:g} / {middling:g}, {lines:g} lines, {seen:g} pictures"


if __name__ == "__main__":
    sys.exit(main())
