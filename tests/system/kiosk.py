"""The real guard, compositor and browser with its sandbox on, as on a unit but for the screen, which is nowhere.

As root, since each runs as another user and sees our policies where Chromium reads its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2] / "firmware/kiosk/root"
POLICIES = "etc/chromium/policies/managed/halsorum.json"
PROGRAMS = ("cage", "chromium", "setpriv", "unshare")
CAN_RUN = os.geteuid() == 0 and all(shutil.which(program) for program in PROGRAMS)
USER = 61971
"""Nobody's."""
MANAGED, SOCKETS = "/etc/chromium/policies/managed", "/tmp/.X11-unix"
HEADLESS = {
    "WLR_BACKENDS": "headless",
    "WLR_LIBINPUT_NO_DEVICES": "1",
    "XKB_CONFIG_EXTRA_PATH": str(ROOT / "etc/xkb"),
}


@dataclass
class Kiosk:
    """Use as a context manager. agent_folder holds the secret and the sign of life; folder is made and removed."""

    folder: Path
    agent_folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        os.chown(self.folder, USER, USER)
        settings, policies = self.folder.with_suffix(".toml"), self.folder.with_suffix(".policies")
        settings.write_text(
            f'state_dir = "/nowhere"\nrun_dir = "{self.agent_folder}"\nweb_port = {self.port}\n'
        )
        text = (ROOT / POLICIES).read_text().replace("localhost:8400", f"localhost:{self.port}")
        policies.mkdir(exist_ok=True)
        (policies / "halsorum.json").write_text(text.replace("/run/halsorum-kiosk", str(self.folder)))
        inside = (
            f"mkdir -p {MANAGED} {SOCKETS} && mount --bind {policies} {MANAGED} && "
            f"mount -t tmpfs -o mode=1777 tmpfs {SOCKETS} && "
            f"exec setpriv --reuid={USER} --regid={USER} --clear-groups --no-new-privs "
            f"{sys.executable} -m firmware.kiosk --config {settings} --folder {self.folder}"
        )
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", inside],
                env={"PATH": os.environ["PATH"], **HEADLESS},
                stdout=log,
                stderr=log,
                cwd=ROOT.parents[2],
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            for pid, _command in self.processes():
                os.kill(pid, signal.SIGKILL)
            print(self.log_file.read_text())
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log_file(self) -> Path:
        """What guard, cage and browser have said."""
        return self.folder.with_suffix(".log")

    def processes(self) -> list[tuple[int, str]]:
        """Everything that runs as the kiosk's user: process id and command."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if folder.stat().st_uid == USER:
                    found.append((int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")))
            except OSError:
                continue
        return found

    def pids(self, kind: str) -> list[int]:
        """Of the `browser`, `cage`, or the browser's processes of a type (`renderer`, `gpu-process`)."""
        pids = [pid for pid, command in self.processes() if kind_of(command) == kind]
        assert pids, f"no {kind} runs"
        return pids

    def others(self, before: list[int]) -> bool:
        """Whether a browser runs that is none of these."""
        return any(kind_of(command) == "browser" and pid not in before for pid, command in self.processes())

    def signal(self, kind: str, number: int) -> None:
        """Send it to every such process: one renderer is the page's, and another waits for the next page."""
        for pid in self.pids(kind):
            os.kill(pid, number)


def kind_of(command: str) -> str:
    """What a command of the kiosk's is."""
    if command.startswith("cage "):
        return "cage"
    if "/chromium " not in command:
        return ""
    _, _, kind = command.partition(" --type=")
    return kind.split()[0] if kind else "browser"


def until(holds: Callable[[], Any], what: str, within_s: float = 60.0) -> float:
    """Wait until it holds; returns how long that took, s."""
    began_s = time.monotonic()
    while not holds():
        assert time.monotonic() - began_s < within_s, what
        time.sleep(0.02)
    return time.monotonic() - began_s
