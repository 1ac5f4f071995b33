"""The few things that need root, done for the agent, which has none: time servers, the browser, the machine.

`python -m firmware.helper --requests /var/lib/halsorum/helper`, started by systemd/halsorum-helper.path when the
agent has left a request there. `<name>.request` is a JSON object with an `id`; `<name>.answer` has the same `id`,
`ok` and a `reason`. What is asked is checked here again: the agent talks to the network, and this is root.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from firmware.journal import start_logging

log = logging.getLogger("halsorum-helper")

REQUEST = ".request"
MAX_BYTES = 4096
MAX_SERVERS = 4
DROP_IN = Path("run/systemd/timesyncd.conf.d/60-halsorum.conf")
"""Below the root; timesyncd.conf(5). The image's /etc cannot be written: the agent asks again after each boot."""
BOOTED_WITH_SYSTEMD = Path("run/systemd/system")
"""Below the root; sd_booted(3)."""
KIOSK = "halsorum-kiosk.service"
REPAIR = "halsorum-data-repair.service"
REPAIRED = Path("run/halsorum-data/repair.json")
"""Below the root."""
SYSTEMCTL_TIMEOUT_S = 110.0
"""A new file system on a large, slow card; less than TimeoutStartSec= of systemd/halsorum-helper.service."""
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?")
_ID = re.compile(r"[a-z0-9-]{4,64}")


Work = Callable[[Mapping[str, Any]], Mapping[str, str] | None]
"""Does what a request asks; what it returns goes into the answer. Raises Refused."""


class Refused(ValueError):
    """It cannot be done; the text says why."""


class Helper:
    """Does what is asked below `root`, which is another than / in tests."""

    def __init__(
        self,
        root: Path,
        systemctl: Callable[..., None] | None = None,
        works: Mapping[str, Work] | None = None,
    ) -> None:
        """works: other requests than those below, by name (firmware/update/service.py); each raises Refused."""
        self._root = root
        self._systemctl = systemctl if systemctl is not None else partial(run_systemctl, root)
        self._works: Mapping[str, Work] = works or {
            "clock": self._clock,
            "browser": lambda _asked: self._systemctl("restart", KIOSK),
            "reboot": lambda _asked: self._systemctl("reboot"),
            "repair-data": self._repair_data,
        }

    def answer_all(self, folder: Path) -> int:
        """Do every request in a folder, and answer each; returns how many there were."""
        # The folder is the agent's: what it holds is opened in itself, and no link is followed.
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            names = sorted(os.listdir(place))  # noqa: PTH208 - of the folder that was opened
            asked = {name: _take(place, name) for name in names if name.endswith(REQUEST)}
            known = [name for name in asked if name.removesuffix(REQUEST) in self._works]
            for name in known:
                self._answer(place, name.removesuffix(REQUEST), asked[name])
            return len(known)
        finally:
            os.close(place)

    def _answer(self, place: int, name: str, request: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"id": str(request.get("id", ""))[:64], "ok": True, "reason": ""}
        log.info("asked for: %s", name)
        try:
            _check_id(answer["id"])
            answer |= self._works[name](request) or {}
        except (Refused, OSError) as error:
            answer |= {"ok": False, "reason": str(error)[:300]}
            log.warning("not done: %s: %s", name, answer["reason"])
        _write_new(place, f"{name}.answer", json.dumps(answer).encode())

    def _repair_data(self, _asked: Mapping[str, Any]) -> Mapping[str, str]:
        """By a service of its own, since this one has no way to any disk (firmware/data_repair.py)."""
        self._systemctl("start", REPAIR)
        try:
            said = json.loads((self._root / REPAIRED).read_text())
            how, reason = str(said["how"]), str(said["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            raise Refused("the repair did not say what became of it") from None
        if not how:
            raise Refused(reason)
        return {"how": how}

    def _clock(self, asked: Mapping[str, Any]) -> None:
        drop_in = self._root / DROP_IN
        text = drop_in_text(str(asked.get("source")), tuple(map(str, asked.get("servers") or ())))
        if text is None:
            drop_in.unlink(missing_ok=True)
        else:
            drop_in.parent.mkdir(parents=True, exist_ok=True)
            new = drop_in.with_suffix(".new")
            new.write_text(text)
            new.replace(drop_in)
        self._systemctl("try-restart", "systemd-timesyncd.service")


def _check_id(request_id: str) -> None:
    if not _ID.fullmatch(request_id):
        raise Refused("the request has no id")


def drop_in_text(source: str, servers: tuple[str, ...]) -> str | None:
    """timesyncd's settings for a source: None where it is left to what the network names. Raises Refused."""
    if source == "network":
        return None
    if source == "region":
        return "[Time]\nNTP=\nFallbackNTP=\n"
    if source != "ntp":
        raise Refused("source: is ntp, network or region")
    if not 1 <= len(servers) <= MAX_SERVERS or not all(_HOST.fullmatch(server) for server in servers):
        raise Refused(f"servers: are one to {MAX_SERVERS} names or addresses")
    return f"[Time]\nNTP={' '.join(servers)}\nFallbackNTP=\n"


def run_systemctl(root: Path, *arguments: str) -> None:
    """Raises Refused where systemd does not run, or says no. Below another root there is no systemd of this
    machine's, whatever lies there: a test must not restart the machine that it runs on."""
    if root.resolve() != Path("/") or not (root / BOOTED_WITH_SYSTEMD).is_dir():
        raise Refused("systemd does not run on this machine")
    try:
        done = subprocess.run(
            ["systemctl", *arguments], check=False, capture_output=True, timeout=SYSTEMCTL_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"systemctl {arguments[0]}: {type(error).__name__}") from None
    if done.returncode != 0:
        raise Refused(f"systemctl {arguments[0]}: {done.stderr.decode(errors='replace').strip()[:200]}")


def _take(place: int, name: str) -> dict[str, Any]:
    """Read a request and remove it, whatever it is: it is done once, and systemd looks for what is left."""
    body = b""
    with suppress(OSError):
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
        try:
            body = os.read(file, MAX_BYTES)
        finally:
            os.close(file)
    with suppress(OSError):
        os.unlink(name, dir_fd=place)
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _write_new(place: int, name: str, body: bytes) -> None:
    """A new file in place of an old one, seen whole or not at all."""
    with suppress(FileNotFoundError):
        os.unlink(f"{name}.new", dir_fd=place)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    file = os.open(f"{name}.new", flags, 0o644, dir_fd=place)
    try:
        os.write(file, body)
    finally:
        os.close(file)
    os.replace(f"{name}.new", name, src_dir_fd=place, dst_dir_fd=place)


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked now; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firmware.helper", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--requests", type=Path, required=True, help="the agent's folder of requests")
    parser.add_argument("--root", type=Path, default=Path("/"), help="below which files are written (/)")
    options = parser.parse_args(arguments)
    start_logging("helper")
    try:
        Helper(options.root).answer_all(options.requests)
    except OSError as error:
        sys.stderr.write(f"No requests can be read: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
