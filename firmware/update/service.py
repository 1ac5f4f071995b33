"""Root's part of an update, done for the agent, which has none of its rights.

`python -m firmware.update.service`, started by systemd/halsorum-update.path when the agent has left a request in
/var/lib/halsorum/update, and once at boot. What it knows it writes below /run/halsorum-update, for the agent:
`status.json` (firmware/update/slots.py), `install.json` (how far an installation is) and the empty file `proven`.

| request | does |
|---|---|
| `install` | looks at the bundle, answers, and then writes it into the other slot |
| `restart` | the other slot is booted next, for one try; restarts the machine |
| `good` | what runs has proven itself |
| `back` | restarts the machine, away from a slot that has not proven itself |
| `clean` | the other slot is not to be booted: it was tried in vain |
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from firmware.helper import Helper, Refused, run_systemctl
from firmware.update import grubenv, rauc
from firmware.update.slots import Slots, slots
from firmware.update.system_conf import GRUBENV, SLOTS
from firmware.update.versions import is_older, is_version
from firmware.update.writing import Watched, written_bytes

REQUESTS = Path("/var/lib/halsorum/update")
BUNDLE = Path("/data/update/bundle.raucb")
RUN = Path("/run/halsorum-update")
COMMAND_LINE = Path("/proc/cmdline")
_JOB = re.compile(r"[a-z0-9-]{4,64}")


class Tool(Protocol):
    """What is asked of firmware/update/rauc.py."""

    def look(self, bundle: Path) -> rauc.Bundle: ...
    def install(self, bundle: Path) -> None: ...
    def mark(self, what: str, slot: str) -> None: ...


class Updater:
    """What is asked is checked here again: the agent talks to the network, and this is root."""

    def __init__(
        self,
        slots_now: Callable[[], Slots],
        *,
        tool: Tool,
        environment: Path = GRUBENV,
        run: Path = RUN,
        bundle: Path = BUNDLE,
        systemctl: Callable[[str], None] = lambda verb: run_systemctl(Path("/"), verb),
    ) -> None:
        self._slots = slots_now
        self._rauc = tool
        self._environment = environment
        self._run = run
        self._bundle = bundle
        self._systemctl = systemctl
        self._to_install, self._root_bytes = "", 0
        self.works: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "install": self._take_install,
            "restart": self._restart,
            "good": self._good,
            "back": self._back,
            "clean": self._clean,
        }

    def tell(self) -> None:
        """Write down which slot runs; a proven one is marked as such in /run."""
        now = self._slots()
        if now.booted and now.is_proven:
            (self._run / "proven").touch()
        self._write("status.json", now.told())

    def install(self) -> None:
        """The installation that was asked for, if one was."""
        if not self._to_install:
            return
        told = {"id": self._to_install, "state": "running", "percent": 0, "reason": ""}
        self._to_install = ""
        self._write("install.json", told)
        try:
            grubenv.change(self._environment, {"FILLED": None})
            slot = SLOTS[self._slots().other]
            with Watched(
                lambda: written_bytes(slot),
                self._root_bytes,
                lambda percent: self._write("install.json", told | {"percent": percent}),
            ):
                self._rauc.install(self._bundle)
            grubenv.change(self._environment, {"FILLED": self._slots().other})
            self._write("install.json", told | {"state": "done", "percent": 100})
        except (rauc.RaucError, OSError, grubenv.EnvironmentBlockError) as error:
            self._write("install.json", told | {"state": "failed", "reason": str(error)[:300]})

    def _take_install(self, asked: Mapping[str, Any]) -> None:
        now = self._slots()
        if not now.booted:
            raise Refused("this machine was not started from a slot, so there is no other to write to")
        if not now.is_proven:
            raise Refused("the system that runs has not proven itself yet")
        try:
            found = self._bundle.lstat()
            if not stat.S_ISREG(found.st_mode):
                raise Refused("the bundle is no file")
            bundle = self._rauc.look(self._bundle)
        except rauc.RaucError as error:
            raise Refused(f"the bundle was refused: {error}") from None
        _check(bundle, asked, now)
        self._to_install, self._root_bytes = str(asked["job"]), bundle.root_bytes

    def _restart(self, _asked: Mapping[str, Any]) -> None:
        now = self._slots()
        if not now.is_proven or not now.filled:
            raise Refused("no update is installed in the other slot")
        self._mark("active", "other")
        self.tell()
        self._systemctl("reboot")

    def _good(self, _asked: Mapping[str, Any]) -> None:
        booted = self._slots().booted
        if not booted:
            raise Refused("this machine was not started from a slot")
        self._mark("good", "booted")
        self._change({"PROVEN": booted, "FILLED": None})
        self.tell()

    def _back(self, _asked: Mapping[str, Any]) -> None:
        if self._slots().is_proven:
            raise Refused("what runs has proven itself already")
        self._systemctl("reboot")

    def _clean(self, _asked: Mapping[str, Any]) -> None:
        now = self._slots()
        if not now.is_proven:
            raise Refused("what runs has not proven itself")
        other = now.other
        order = f"{now.booted} {other}"
        self._change({"ORDER": order, f"{other}_OK": "0", f"{other}_TRY": "0", "FILLED": None})
        self.tell()

    def _mark(self, what: str, slot: str) -> None:
        try:
            self._rauc.mark(what, slot)
        except rauc.RaucError as error:
            raise Refused(str(error)) from None

    def _change(self, changes: Mapping[str, str | None]) -> None:
        try:
            grubenv.change(self._environment, changes)
        except grubenv.EnvironmentBlockError as error:
            raise Refused(str(error)) from None

    def _write(self, name: str, told: Mapping[str, Any]) -> None:
        new = self._run / f"{name}.new"
        new.write_text(json.dumps(told))
        new.chmod(0o644)
        new.replace(self._run / name)


def _check(bundle: rauc.Bundle, asked: Mapping[str, Any], now: Slots) -> None:
    """Raises Refused: a good signature does not make it the right one."""
    if bundle.compatible != now.compatible:
        raise Refused(f"the bundle is for {bundle.compatible[:40]}, and this unit is {now.compatible}")
    if bundle.version != asked.get("version"):
        raise Refused(f"the bundle holds version {bundle.version[:40]}, which is not the one asked for")
    if not _JOB.fullmatch(str(asked.get("job"))):
        raise Refused("the request has no job")
    known = is_version(bundle.version) and is_version(now.version)
    if asked.get("allow_downgrade") is not True and (not known or is_older(bundle.version, now.version)):
        raise Refused(f"the bundle's version {bundle.version[:40]} is older than {now.version}, which runs")


def read_slots(environment: Path = GRUBENV) -> Slots:
    """As it is now; with an environment that cannot be read, nothing counts as proven."""
    try:
        variables = grubenv.read(environment)
    except (OSError, grubenv.EnvironmentBlockError):
        variables = {}
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return slots(COMMAND_LINE.read_text(), release, variables)


def main(words: list[str] | None = None) -> int:
    """Do what is asked, and say which slot runs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m firmware.update.service", description=__doc__)
    parser.add_argument("--requests", type=Path, default=REQUESTS)
    folder = parser.parse_args(words).requests
    updater = Updater(read_slots, tool=rauc.Rauc())
    updater.tell()
    helper = Helper(Path("/"), works=updater.works)
    try:
        while folder.is_dir() and helper.answer_all(folder):
            updater.install()
    except OSError as error:
        sys.stderr.write(f"{folder}: {error.strerror}; is the agent's state elsewhere?\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
