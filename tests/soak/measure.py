"""What a process has, seen from outside (proc(5)) and as it tells itself."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from tests.soak.agent_process import ask

MIB = 2**20
QUIET_WITHIN_S = 30.0
POOL = re.compile(r"^(asyncio|ThreadPoolExecutor)")
"""The event loop's own workers (run_in_executor): started when there is work, at most six, never ended."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Of one moment. at_s: since the part began."""

    at_s: float
    rss_mib: float
    private_mib: float
    threads: int
    descriptors: int
    cpu_pct: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a process has, by name, so that a difference tells what was left."""

    tasks: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    descriptors: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)

    def beyond(self, before: Held) -> dict[str, list[str]]:
        """What is here and was not there; nothing for a kind of which nothing is left."""
        more = {
            kind: sorted((Counter(now) - Counter(asdict(before)[kind])).elements())
            for kind, now in asdict(self).items()
        }
        return {kind: names for kind, names in more.items() if names}


class Meter:
    """Of the agent with this process id and settings folder."""

    def __init__(self, pid: int, settings_folder: Path) -> None:
        self._process = psutil.Process(pid)
        self._folder = settings_folder
        self._began = time.monotonic()
        self._process.cpu_percent()

    def begin(self) -> None:
        """Count seconds from now."""
        self._began = time.monotonic()
        self._process.cpu_percent()

    def sample(self) -> Sample:
        """From outside, without a stop of the process."""
        return Sample(
            at_s=round(time.monotonic() - self._began, 1),
            rss_mib=round(self._process.memory_info().rss / MIB, 2),
            private_mib=round(_private_kib(self._process.pid) / 1024, 2),
            threads=self._process.num_threads(),
            descriptors=self._process.num_fds(),
            cpu_pct=self._process.cpu_percent(),
        )

    def told(self) -> dict[str, Any]:
        """What it tells of itself, which holds it still for some tens of milliseconds."""
        return ask(self._folder)

    def held(self) -> Held:
        """Tasks, threads, descriptors and processes of now."""
        told = self.told()
        return Held(
            tasks=told["tasks"],
            threads=[name for name in told["threads"] if not POOL.match(name)],
            descriptors=_descriptors(self._process),
            processes=sorted(child.name() for child in self._process.children(recursive=True)),
        )

    def left_since(self, before: Held) -> dict[str, list[str]]:
        """What is there beyond `before`, once all that is being closed has had its time."""
        until = time.monotonic() + QUIET_WITHIN_S
        while (left := self.held().beyond(before)) and time.monotonic() < until:
            time.sleep(1.0)
        return left


def _private_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def _descriptors(process: psutil.Process) -> list[str]:
    """By kind. The screen's own connections to the pages come and go as its browser likes: left out."""
    sockets = {each.fd: each for each in process.net_connections("all") if each.fd >= 0}
    serving = {each.laddr.port for each in sockets.values() if each.status == psutil.CONN_LISTEN}
    names = []
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        connection = sockets.get(int(each.name))
        if connection is not None and connection.family != socket.AF_UNIX and connection.laddr:
            if connection.status != psutil.CONN_LISTEN and connection.laddr.port in serving:
                continue
            kind = "UDP" if connection.type == socket.SOCK_DGRAM else "TCP"
            names.append(f"{kind} socket {connection.status}")
            continue
        try:
            names.append(re.sub(r"[0-9]+", "N", str(each.readlink())))
        except OSError:
            continue  # closed meanwhile
    return sorted(names)
