"""Updates in the laboratory: bundles made of the image's own root, an HTTPS server beside the region, commands."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from firmware.update.bundle import make_bundle
from firmware.update.keys import make_keys
from firmware.update.slots import OTHER
from provisioning.fleet_models import CommandRow
from provisioning.pki import Authority
from tests.agent.update.bundle_server import BundleServer
from tests.system.network import REGION_ADDRESS, within
from tests.system.visit import command, database
from tests.vm.boot_loader import add_words
from tests.vm.guest_agent import GuestError
from tests.vm.hardware import Hardware
from tests.vm.lab import KIOSK, Lab, masked

OS_RELEASE = "/usr/lib/os-release"
POLL_S = 0.25
SENT_WITHIN_S = 30.0
SMALL_BYTES = 1 << 20
OPEN = re.compile("sent|accepted|running")
"""What a command is that has not ended."""
BAD_CHANGES = {
    "agent broken": "rm /opt/halsorum/app/agent/__main__.py",
    "no init": "rm /usr/lib/systemd/systemd",
}
"""What debugfs(8) does to a good root."""


@dataclass
class Shop:
    """Bundles that a unit can fetch, with what the command is given of each."""

    lab: Lab
    server: BundleServer
    folder: Path

    def bundle(self, version: str, *changes: str) -> dict[str, str]:
        """A bundle of the image's root with another version, and what else debugfs is to change in it."""
        root = self.folder / f"{version}.ext4"
        subprocess.run(["cp", "--sparse=always", str(root_image(self.lab.image)), str(root)], check=True)
        release = self.folder / "os-release"
        told = _debugfs(root, f"cat {OS_RELEASE}")
        release.write_text(re.sub(r"(?m)^IMAGE_VERSION=.*$", f"IMAGE_VERSION={version}", told))
        for change in (f"rm {OS_RELEASE}", f"write {release} {OS_RELEASE}", *changes):
            _debugfs(root, change, write=True)
        return self._offer(root, "vm", version, keys_of(self.lab.image))

    def small(self, version: str, board: str = "vm", keys: Path | None = None) -> dict[str, str]:
        """A bundle without a system in it, for what is refused before anything is written."""
        root = self.folder / "small.ext4"
        root.write_bytes(secrets.token_bytes(SMALL_BYTES))
        return self._offer(root, board, version, keys or keys_of(self.lab.image))

    def _offer(self, root: Path, board: str, version: str, keys: Path) -> dict[str, str]:
        certificate, key = make_keys(keys)
        bundle = make_bundle(root, board, version, self.folder, certificate=certificate, key=key)
        root.unlink()
        return self.offer(bundle, json.loads(bundle.with_suffix(".json").read_text()))

    def offer(self, file: Path, about: dict[str, str]) -> dict[str, str]:
        """A file that a unit can fetch, as the command is given it."""
        self.server.files[f"/{file.name}"] = file
        return {**about, "url": self.server.url(f"/{file.name}", host=REGION_ADDRESS)}

    def send(self, given: dict[str, str]) -> str:
        """Tell the unit, by `halsorum update send`; the command's id."""
        return str(self._tell(given, "send", self.lab.unit)["id"])

    def roll_out(self, given: dict[str, str]) -> tuple[int, str]:
        """Tell all units, which are one here, by `halsorum update rollout`; its number, and the unit's command."""
        number = int(self._tell(given, "rollout", "--all", "--stages", "1,100%", "--failures", "0")["id"])
        until = time.monotonic() + SENT_WITHIN_S
        while (found := self._sent_by(number)) is None:
            assert time.monotonic() < until, f"rollout {number} has sent nothing"
            time.sleep(POLL_S)
        return number, found

    def _tell(self, given: dict[str, str], *words: str) -> dict[str, Any]:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as about:
            about.write(json.dumps(given))
            about.flush()
            options = (about.name, "--url", given["url"], "--timeout", "2h")
            told: dict[str, Any] = command(self.lab.stack, "update", *words, *options)
            return told

    def _sent_by(self, rollout: int) -> str | None:
        with database(self.lab.stack) as db:
            found: str | None = db.scalar(select(CommandRow.id).where(CommandRow.rollout_id == rollout))
            return found

    def state(self, command_id: str) -> str:
        """How far it has come, as the region knows it: `state: reason`."""
        with database(self.lab.stack) as db:
            row = db.get(CommandRow, command_id)
            return "unknown: " if row is None else f"{row.state}: {row.reason}"

    def wait_for(self, command_id: str, pattern: str, within_s: float) -> str:
        """Until its state matches, and then that; raises AssertionError, at once for what has ended otherwise."""
        until = time.monotonic() + within_s
        while not re.match(pattern, seen := self.state(command_id)):
            if time.monotonic() > until or not OPEN.match(seen):
                raise AssertionError(f"not within {within_s:.0f} s: {pattern}; the command is {seen}")
            time.sleep(POLL_S)
        return seen


@contextmanager
def shop(lab: Lab) -> Iterator[Shop]:
    """Open for a scene. The server stands beside the region, with a certificate of the region's authority."""
    folder = lab.folder / "bundles"
    folder.mkdir(parents=True, exist_ok=True)
    credentials = Authority(lab.stack.state / "pki").server([REGION_ADDRESS], folder)
    assert lab.stack.network is not None
    server = within(
        lab.stack.network.region,
        lambda: BundleServer(credentials.certificate_file, credentials.key_file, host=REGION_ADDRESS),
    )
    try:
        yield Shop(lab, server, folder)
    finally:
        server.stop()


def root_image(image: Path) -> Path:
    """The root alone, as the image's maker leaves it."""
    places = (image.parent / "root.ext4", image.parent / "vm" / "root.ext4")
    return next((place for place in places if place.exists()), places[-1])


def keys_of(image: Path) -> Path:
    """The development keys whose certificate is in the image."""
    return image.parent / "keys"


def slot_and_version(lab: Lab) -> str:
    """`A 0.4.0`, as the machine says it."""
    said = lab.vm.check("grep -o 'rauc.slot=.' /proc/cmdline; . /etc/os-release; echo $IMAGE_VERSION")
    words = said.split()
    return f"{words[0].removeprefix('rauc.slot=')} {words[1]}"


def grub_variables(lab: Lab) -> dict[str, str]:
    """GRUB's, as the machine has them now."""
    block = lab.vm.get("/efi/grub/grubenv").decode("ascii", "replace")
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line and line[0] != "#")


def power_on(lab: Lab) -> None:
    """A machine that starts the whole way, by firmware and GRUB, which choose the slot; returns when well."""
    lab.power_on(lab.scene, hardware=Hardware(), before=lambda machine: add_words(machine, masked(KIOSK)))
    lab.wait_until_ready()


def other(slot: str) -> str:
    """The other one."""
    return OTHER[slot]


def in_slot(lab: Lab, slot: str, within_s: float) -> float:
    """Until the machine has started from a slot by itself; the seconds."""

    def is_there() -> bool:
        lab.vm.agent.close()
        return lab.vm.agent.answers() and slot_and_version(lab).startswith(slot)

    took_s = lab.vm.wait_for(is_there, f"slot {slot}", within_s)
    lab.come_up()  # into a room that is not silent, or its self-test would fail
    return took_s


def _debugfs(image: Path, request: str, *, write: bool = False) -> str:
    words = ["debugfs", *(["-w"] if write else []), "-R", request, str(image)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    if write and any("not found" in line for line in done.stderr.splitlines()):
        raise GuestError(f"debugfs {request}: {done.stderr}")
    return done.stdout
