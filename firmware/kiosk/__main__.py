"""`python -m firmware.kiosk`: the touchscreen's compositor and browser, started, watched and started again."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from firmware.kiosk.flags import has_gpu
from firmware.kiosk.guard import Guard
from firmware.kiosk.lifeline import Lifeline
from firmware.kiosk.settings import KioskError, KioskSettings, load_settings
from systemd import daemon

log = logging.getLogger("kiosk")


def listen_to_page(settings: KioskSettings) -> Callable[[], int] | None:
    """How often the room's page has called; None where it cannot, and is believed while the agent is away."""
    try:
        lifeline = Lifeline(settings.port, settings.origin)
    except OSError as error:
        log.warning("a page that is lost while the agent is away will not be noticed: %s", error)
        return None
    return lambda: lifeline.calls


def main() -> int:
    """Run until SIGTERM; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware.kiosk", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/halsorum/unit.toml"), help="the agent's settings file"
    )
    parser.add_argument("--folder", type=Path, help="of profile and sockets (systemd's RuntimeDirectory=)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # A list, since a handler may run inside of anything.
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda given, _frame: asked.append(given))
    try:
        settings = load_settings(options.config, options.folder)
        guard = Guard(settings, gpu=has_gpu(), calls=listen_to_page(settings))
        daemon.notify("READY=1")
        guard.run(lambda: bool(asked), lambda: daemon.notify("WATCHDOG=1"))
    except (KioskError, OSError) as error:
        sys.stderr.write(f"The screen cannot be shown: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
