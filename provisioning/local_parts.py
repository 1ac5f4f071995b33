"""The parts of a system on one machine: started in order, revived when they die, stopped in reverse."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

START_WITHIN_S = 60.0
STOP_WITHIN_S = 8.0
POLL_S = 0.05
RESTART_AFTER_S = 0.5
RESTARTS_IN_A_ROW = 5
QUIET_S = 20.0
"""A part that ran this long has recovered: its restarts are counted anew."""


class CannotStart(RuntimeError):
    """Something is in the way; the message says what, and what to do."""


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def port_is_free(port: int) -> bool:
    """Whether a program of ours could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(slots=True)
class Part:
    """One program with its output in a log of its own."""

    name: str
    command: list[str]
    log: Path
    answers: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    ready_s: float = 0.0
    """How long its first start took, to its first answer."""
    _started_at: float = 0.0
    _restarts: int = 0

    def start(self) -> None:
        """Start it and wait until it answers; raises CannotStart with its last words."""
        self._launch()
        until = time.monotonic() + START_WITHIN_S
        while not self.answers():
            if self.process is None or self.process.poll() is not None:
                raise CannotStart(f"The {self.name} stopped at once. Its last words:\n{self.last_words()}")
            if time.monotonic() > until:
                raise CannotStart(f"The {self.name} does not answer. Its last words:\n{self.last_words()}")
            time.sleep(POLL_S)
        self.ready_s = time.monotonic() - self._started_at

    def stop(self) -> None:
        """End it by SIGTERM, and by SIGKILL if it does not listen."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._sweep()

    def revive(self) -> bool:
        """Start it again if it died, as systemd would; False when it keeps dying."""
        if self.process is None or self.process.poll() is None:
            if time.monotonic() > self._started_at + QUIET_S:
                self._restarts = 0
            return True
        if self._restarts >= RESTARTS_IN_A_ROW:
            return False
        self._restarts += 1
        self._sweep()
        say(f"The {self.name} has stopped (status {self.process.returncode}); starting it again.")
        time.sleep(RESTART_AFTER_S)
        self._launch()
        return True

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join("  " + line for line in text)

    def _sweep(self) -> None:
        """End what a part that died has left behind: its session is its process group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _launch(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches the starter alone, which stops the parts in order.
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._started_at = time.monotonic()


@dataclass(slots=True)
class Parts:
    """All parts of a system."""

    _parts: list[Part] = field(default_factory=list)

    def start(self, part: Part) -> None:
        """Add one and start it; the ones before it run already."""
        self._parts.append(part)
        part.start()
        say(f"  {part.name}: runs (log: {part.log})")

    def watch(self) -> None:
        """Start again what died; raises CannotStart when something keeps dying."""
        for part in self._parts:
            if not part.revive():
                raise CannotStart(f"The {part.name} keeps stopping. Its last words:\n{part.last_words()}")

    def stop(self) -> None:
        """Stop all, the last started first."""
        while self._parts:
            part = self._parts.pop()
            part.stop()
            say(f"  {part.name}: stopped")

    def ready_s(self) -> dict[str, float]:
        """How long each part's start took, by name."""
        return {part.name: round(part.ready_s, 3) for part in self._parts}

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {part.name: part.process.pid for part in self._parts if part.process is not None}


def http_answers(url: str) -> Callable[[], bool]:
    """Whether a page answers with success."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - an address of ours
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return answers


def tls_answers(port: int, ca_file: Path, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Whether a TLS server with a certificate of ours listens."""

    def answers() -> bool:
        context = ssl.create_default_context(cafile=str(ca_file))
        try:
            with (
                socket.create_connection((host, port), timeout=2) as plain,
                context.wrap_socket(plain, server_hostname=host),
            ):
                return True
        except OSError:
            return False

    return answers
