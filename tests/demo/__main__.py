"""`make demo`: a covered camera is found, told and mended; then a visit of three parties in real browsers.

Reports, with exit code 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as BrowserError
from rich.console import Console

from tests.demo.aftermath import read_log, what_is_left
from tests.demo.covered import room_lens
from tests.demo.footage import write_camera, write_microphone
from tests.demo.picture import shrink
from tests.demo.probes import OFFICE_TONE_HZ, ROOM_TONE_HZ, direction
from tests.demo.report import count, faults, plain, print_report
from tests.demo.visit import Played, play
from tests.system.people import Browsers
from tests.system.stack import Stack, StackError, footage
from tests.system.visit import quality

CONSOLE = Console(highlight=False)
MEASURED_SIZE, SHOWN_SIZE = (640, 360), (1280, 720)
"""Of the clinician's camera. Two browsers and the unit share this machine: at 1280x720 the clinician's own
encoder would take so much of two cores that the figures told of nothing else."""


def main() -> int:
    """Play, report, and return the exit status."""
    options = _options()
    try:
        with _folder(options.keep) as folder:
            report = run(folder, options.seconds, options.picture, scene=options.scene)
    except (StackError, AssertionError, BrowserError) as error:
        report = {"ok": False, "problems": [f"the visit could not be played: {error}"]}
        CONSOLE.print(report["problems"][0], markup=False)
    else:
        print_report(report, CONSOLE)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if report["ok"] else 1


def run(folder: Path, seconds: float, picture: Path | None, *, scene: bool) -> dict[str, Any]:
    """Start a system of its own in the folder, play the visit in it, and search what it left."""
    say = _teller()
    film = footage()
    video = write_camera(film, folder / "camera.y4m", *(MEASURED_SIZE if picture is None else SHOWN_SIZE))
    sound = write_microphone(film, folder / "microphone.wav", OFFICE_TONE_HZ)
    options = ["--tone-hz", str(ROOM_TONE_HZ)]
    lens = None if scene else room_lens(film, folder)  # nothing can be put before a drawn camera
    if lens is not None:
        options += ["--footage", str(lens.film)]
    if picture is None:  # a picture for people is better without a machine's clock in it
        options.append("--burn-clock")
    state, profile = folder / "state", folder / "profile"
    with (
        nullcontext({}) if lens is None else lens.with_mail() as settings,
        Stack(state, options, environment=settings) as stack,
    ):
        ready_s = stack.system["ready_s"]["unit"]
        say("broker, region and unit run")
        with Browsers(profile, video=video, sound=sound) as browsers:
            played = play(stack, browsers, say, seconds, picture, lens)
        log, told = read_log(stack, played.sid), quality(stack, played.sid)
        findings = what_is_left(stack, profile, played.canaries)
        say("searched for what is left")
    report: dict[str, Any] = {
        "covered": None if lens is None else plain(lens.seen),
        "setup_ms": _setup(played),
        "to_clinician": plain(direction(played.sides["clinician"], ROOM_TONE_HZ)),
        "to_kiosk": plain(direction(played.sides["kiosk"], OFFICE_TONE_HZ)),
        "to_interpreter": plain(direction(played.sides["interpreter"], ROOM_TONE_HZ)),
        "still": played.still,
        "still_was_told": played.still_was_told,
        "agent_cpu_pct": played.agent.cpu_pct,
        "machine_cpu_pct": played.agent.machine_pct,
        "agent_rss_mib": played.agent.rss_mib,
        "agent_ready_s": round(ready_s, 2),
        "muting": played.muting,
        "events": log.events,
        "log_verified": log.verified,
        "quality": count(told),
        "search_works": played.searched_and_found,
        "wiped": not findings and played.searched_and_found,
        "findings": [plain(finding) for finding in findings],
    }
    problems = list(faults(report, with_clock=picture is None))
    if picture is not None:
        shrink(picture)
    return {"ok": not problems, "problems": problems, **report}


def _setup(played: Played) -> dict[str, float | None]:
    """From the admit click to the first picture that came to the page's compositor."""
    first = {name: side["after"]["firstFrameAt"] for name, side in played.sides.items()}
    click = played.admit_at_ms
    return {
        name: round(first[name] - click) if first[name] and click else None for name in ("clinician", "kiosk")
    }


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="halsorum-demo-") as made:
        yield Path(made)


def _teller() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda words: CONSOLE.print(f"{time.monotonic() - began:5.1f} s  {words}", markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the report there")
    parser.add_argument("--seconds", type=float, default=15.0, help="time in call that is measured (15)")
    parser.add_argument("--keep", type=Path, help="use this folder, and leave it with all logs")
    parser.add_argument("--picture", type=Path, help="save the touchscreen in call, without clocks, as PNG")
    parser.add_argument(
        "--scene", action="store_true", help="a drawn scene in place of footage; it cannot be covered"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
