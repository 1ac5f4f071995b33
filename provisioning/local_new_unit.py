"""`make new-unit`: beside a running `make run`, another unit out of its box that nobody has let in yet.

It shows its words on its touchscreen; IT lets it in on the fleet's pages, or by `halsorum enrol`. Started again,
it is the same box: it goes on where it was. Another serial number is another box.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from provisioning.local_files import write_toml
from provisioning.local_identity import prepare_bootstrap
from provisioning.local_parts import CannotStart, Part, Parts, http_answers, port_is_free, say
from provisioning.pki import BOOTSTRAP, Authority

NEW_SERIAL = "hs-2"
WATCH_EVERY_S = 0.5


def new_unit(state: Path, serial: str, screen_port: int) -> Part:
    """A box with its bootstrap identity, ready to be started. Raises CannotStart where no system runs."""
    try:
        broker = json.loads((state / "broker.json").read_text())
    except OSError:
        raise CannotStart(
            "Nothing runs here that a unit could be let into. Start it with make run."
        ) from None
    folder = state / "units" / serial
    ca_file = Authority(state / "pki").ca_file
    bootstraps = Authority(state / "bootstrap-pki", BOOTSTRAP)
    prepare_bootstrap(
        folder / "identity", serial, bootstraps, ca_file, host=broker["host"], port=broker["bootstrap_port"]
    )
    settings = write_toml(
        folder / "unit.toml",
        {
            "state_dir": str(folder / "state"),
            "identity_dir": str(folder / "identity"),
            "web_port": screen_port,
            "loopback_media": broker["host"] == "127.0.0.1",
        },
    )
    return Part(
        f"unit {serial}",
        [sys.executable, "-m", "agent", "--config", str(settings)],
        state / "logs" / f"unit-{serial}.log",
        http_answers(f"http://localhost:{screen_port}/healthz"),
    )


def screen_of(state: Path, serial: str, screen_port: int) -> str:
    """The touchscreen's address with its browser's secret of this boot."""
    kept = (state / "units" / serial / "state" / "run" / "browser-secret").read_text()
    return f"http://localhost:{screen_port}/enter?key={kept.split(' ')[1]}"


def _check_port(port: int) -> None:
    if not port_is_free(port):
        other = f"make new-unit OPTIONS='--screen-port {port + 1}'"
        raise CannotStart(f"Port {port} is taken by another program. Choose another: {other}")


def main() -> int:
    """Run the unit until Ctrl-C; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make new-unit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, default=Path(".run"), help="folder of make run's state (.run)")
    parser.add_argument("--serial", default=NEW_SERIAL, help=f"the box's serial number ({NEW_SERIAL})")
    parser.add_argument("--screen-port", type=int, default=8401, help="its touchscreen (8401)")
    options = parser.parse_args()
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _frame: asked.append(given))
    parts = Parts()
    try:
        _check_port(options.screen_port)
        state = options.state.absolute()
        parts.start(new_unit(state, options.serial, options.screen_port))
        say(f"\nIts touchscreen: {screen_of(state, options.serial, options.screen_port)}")
        say("Let it in as IT: compare the words, then choose its name and room.")
        while not asked:
            time.sleep(WATCH_EVERY_S)
            parts.watch()
    except CannotStart as error:
        say(str(error))
        return 1
    finally:
        parts.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
