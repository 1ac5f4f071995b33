"""The unit's wired network: how it is handed to the system, and how it comes back by itself.

The agent is not root. It lays what is wanted into a folder of its own, `trial.json` or `proven.json`; a service of
the system's (firmware/network_apply.py, systemd/halsorum-network.service) reads it, judges it once more, renders
files for systemd-networkd and says what became of it in `result.json`:

    backend = open_network(board.network, state_dir / "network")
    backend.use(wanted, on_trial=True)      # in force, as long as this boot lasts
    backend.outcome()                       # None: not yet; "": set; else why not
    backend.use(wanted, on_trial=False)     # proven: in force after a power cut too
    backend.use(before, on_trial=False)     # or rolled back

A trial ends by removing a file and is proven by renaming it: both succeed on a full disk. One that a power cut
ended is not taken up at the next boot.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from firmware.board import NetworkProfile

TRIAL, PROVEN, RESULT = "trial.json", "proven.json", "result.json"
IMAGES_OWN = ""
"""Instead of a network: nothing is set, and the image's own files hold."""
AGAIN_S, AGAIN_AT_MOST_S = 10, 600
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Network(Protocol):
    """What sets the machine's network. `network` is a JSON object (firmware.wired.Wired), None the image's own."""

    def use(self, network: str | None, *, on_trial: bool) -> bool:
        """Set it; False if it is so already. OSError when the disk is full: nothing has changed then."""

    def outcome(self) -> str | None:
        """None while it is being set; then why it could not be, or nothing."""

    def tick(self) -> None:
        """Once a second: what nobody has heard of is said again."""


class Remembered:
    """For a machine whose network is not ours (`kind = "none"`): what is set is kept by the agent and no more."""

    def use(self, network: str | None, *, on_trial: bool) -> bool:
        """Nothing is touched."""
        return False

    def outcome(self) -> str | None:
        """It is as it was."""
        return ""

    def tick(self) -> None:
        """There is nobody to hear."""


class HandedOver:
    """For a machine whose network systemd-networkd keeps (`kind = "networkd"`)."""

    def __init__(self, folder: Path, result: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._trial, self._proven = folder / TRIAL, folder / PROVEN
        self._folder, self._result = folder, result
        self._wanted = IMAGES_OWN
        self._unheard_s, self._again_s = 0, AGAIN_S

    def use(self, network: str | None, *, on_trial: bool) -> bool:
        """See Network.use."""
        self._wanted = network or IMAGES_OWN
        self._unheard_s, self._again_s = 0, AGAIN_S
        tried, proven = wanted_of(self._trial), wanted_of(self._proven) or IMAGES_OWN
        if on_trial:
            if tried == self._wanted:
                return False
            self._write(self._trial, self._wanted)
            return True
        if self._wanted == IMAGES_OWN:
            self._proven.unlink(missing_ok=True)
        elif self._wanted != proven and self._wanted == tried:
            self._trial.rename(self._proven)
        elif self._wanted != proven:
            self._write(self._proven, self._wanted)
        self._trial.unlink(missing_ok=True)
        _sync(self._folder)
        return self._wanted not in {tried, proven}

    def outcome(self) -> str | None:
        """See Network.outcome."""
        try:
            told = json.loads(self._result.read_text())
        except (OSError, ValueError):
            return None
        return str(told.get("fault", "")) if told.get("digest") == digest(self._wanted) else None

    def tick(self) -> None:
        """See Network.tick. systemd loses a change that comes while the service still runs (PathChanged= in
        systemd.path(5)), and a trial that failed at once is rolled back just then."""
        self._unheard_s = self._unheard_s + 1 if self.outcome() is None else 0
        if self._unheard_s >= self._again_s:
            self._unheard_s, self._again_s = 0, min(2 * self._again_s, AGAIN_AT_MOST_S)
            with suppress(OSError):
                os.utime(self._folder)

    def _write(self, file: Path, network: str) -> None:
        text = json.dumps({"boot": boot_id(), "network": network})
        beside = file.with_suffix(".new")
        try:
            with beside.open("w") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            beside.rename(file)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _sync(self._folder)


def open_network(profile: NetworkProfile, folder: Path) -> Network:
    """The board's way of setting its network; `folder` is the agent's own."""
    if profile.kind == "none":
        return Remembered()
    return HandedOver(folder, Path(profile.result))


def wanted_of(file: Path, *, boot: str | None = None) -> str | None:
    """What such a file asks for; None if there is none, it is not whole, or it is of another boot than `boot`."""
    try:
        told = json.loads(file.read_text())
        network = told["network"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if boot is not None and told.get("boot") != boot:
        return None
    return network if isinstance(network, str) else None


def boot_id() -> str:
    """The kernel's name for this boot; empty where there is none."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def digest(network: str) -> str:
    """Tells one network from another."""
    return hashlib.sha256(network.encode()).hexdigest()


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
