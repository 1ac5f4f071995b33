"""`make demo`: a visit that plays itself, and its report."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.demo.office_media import write_camera, write_microphone
from tests.demo.play import play
from tests.demo.report import print_report, report_of
from tests.system.people import Browsers
from tests.system.stack import Stack, footage
from tests.system.visit import wait_until_ready


def main() -> int:
    """Play, print, and return 1 when something was not as it should be."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--seconds", type=float, default=15, help="how long the call lasts (15)")
    parser.add_argument("--picture", type=Path, help="save the touchscreen in the call as a PNG file")
    parser.add_argument("--scene", action="store_true", help="the unit's drawn scene in place of footage")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="halsorum-demo-") as name:
        folder = Path(name)
        video = write_camera(folder / "office.y4m")
        sound = write_microphone(folder / "office.wav")
        wanted = ["--burn-clock", *([] if options.scene else ["--footage", str(footage())])]
        with (
            Stack(folder / "state", wanted) as stack,
            Browsers(folder / "profile", video=video, sound=sound) as browsers,
        ):
            wait_until_ready(stack)
            report = report_of(play(stack, browsers, options.seconds, options.picture))
    print_report(report)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
