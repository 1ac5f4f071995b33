"""Stands for systemd, systemd-networkd and networkctl(1) in a network namespace, where they do not run.

`serve` does what halsorum-network.path and .service do: root's half of the network (firmware/network_apply.py)
runs whenever the agent's folder changes. `networkctl`, which that half then calls, reads the .network file it has
rendered as networkd would, and sets address and default route by ip(8). DHCP, VLANs and 802.1X are not played.
"""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import time
from pathlib import Path

from firmware import network_apply

POLL_S = 0.1


def serve(state: Path, run: Path) -> None:
    """Until killed."""
    seen: object = None
    while True:
        now = sorted((file.name, file.stat().st_mtime_ns) for file in (state / "network").glob("*.json"))
        if now != seen:
            seen = now
            network_apply.main(["--state", str(state), "--run", str(run)])
        time.sleep(POLL_S)


def networkctl(run: Path, interface: str, own_address: str, own_gateway: str) -> None:
    """reload and reconfigure alike: the interface is as its file says, or as it was before there was one."""
    file = run / "systemd/network/05-halsorum.network"
    address, gateway = own_address, own_gateway
    if file.exists():
        parsed = configparser.ConfigParser(strict=False, interpolation=None)
        parsed.read_string(file.read_text())
        assert parsed["Match"]["Name"] == interface
        address, gateway = parsed["Network"]["Address"], parsed["Network"]["Gateway"]
    subprocess.run(["ip", "address", "flush", "dev", interface], check=True)
    subprocess.run(["ip", "address", "add", address, "dev", interface], check=True)
    subprocess.run(["ip", "route", "replace", "default", "via", gateway, "dev", interface], check=True)


def write_programs(folder: Path, run: Path, interface: str, own_address: str, own_gateway: str) -> None:
    """networkctl and systemctl, as network_apply finds them in its PATH."""
    folder.mkdir()
    words = [sys.executable, "-m", __name__, "networkctl", str(run), interface, own_address, own_gateway]
    (folder / "networkctl").write_text(f"#!/bin/sh\nexec {' '.join(words)}\n")
    (folder / "systemctl").write_text("#!/bin/sh\nexit 0\n")
    for program in folder.iterdir():
        program.chmod(0o700)


def path_with(folder: Path) -> dict[str, str]:
    """The environment in which those are found first."""
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "serve":
        serve(Path(words[0]), Path(words[1]))
    else:
        networkctl(Path(words[0]), *words[1:4])
