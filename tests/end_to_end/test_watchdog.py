"""The real agent beside a systemd played by the test: each part that comes to stand still starves the watchdog,
after the reason was said; the next start tells the region."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agent.certificates import TestAuthority
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end
WATCHDOG_S = 10.0
START_WITHIN_S = 120.0
PARTS = ("loop", "media", "screen")


class Service:
    """One agent as systemd runs it: told of the watchdog, listened to, and ended when it is silent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ca, certificate, key = TestAuthority().files(folder / "identity", "unit-7")
        (folder / "unit.toml").write_text(
            f'state_dir = "state"\nca_file = "{ca}"\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
            f"broker_port = {free_port()}\nweb_port = {free_port()}\n"
        )
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.process: subprocess.Popen[bytes] | None = None
        self.fed_at = 0.0
        self.status = ""

    def start(self, part: str) -> None:
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "RUNTIME_DIRECTORY": str(self.folder / "runtime"),
        }
        command = [sys.executable, "-m", "tests.system.stalling_agent", part]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.folder / "unit.toml")],
                stdout=log,
                stderr=log,
                env=environment,
            )
        self.fed_at, self.status = time.monotonic() + START_WITHIN_S, ""

    def listen(self, for_s: float = 0.2) -> str:
        """What it says next; empty when it says nothing."""
        self.socket.settimeout(for_s)
        try:
            said = self.socket.recv(4096).decode()
        except TimeoutError:
            return ""
        if said == "WATCHDOG=1" or said == "READY=1":
            self.fed_at = time.monotonic()
        if said.startswith("STATUS="):
            self.status = said.removeprefix("STATUS=")
        return said

    def until_ready(self) -> None:
        until = time.monotonic() + START_WITHIN_S
        while self.listen() != "READY=1":
            assert time.monotonic() < until, self.log()

    def until_starved(self) -> None:
        """As systemd does: SIGABRT once nothing has come for so long."""
        until = time.monotonic() + START_WITHIN_S
        while time.monotonic() < self.fed_at + WATCHDOG_S:
            self.listen()
            assert time.monotonic() < until, self.log()
        assert self.process is not None
        self.process.send_signal(signal.SIGABRT)
        self.process.wait(60)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.socket.close()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def started_events(self) -> list[dict[str, object]]:
        with sqlite3.connect(self.folder / "state" / "unit.db") as db:
            rows = db.execute("SELECT value FROM outbox ORDER BY epoch, seq").fetchall()
        events = [json.loads(row[0]) for row in rows]
        return [event["fields"] for event in events if event["kind"] == "unit_started"]


@pytest.fixture(params=[*PARTS[:1], *(pytest.param(part, marks=pytest.mark.long) for part in PARTS[1:])])
def service(request, tmp_path):
    service = Service(tmp_path)
    service.start(request.param)
    yield request.param, service
    service.end()


def test_what_stands_still_is_said_before_the_end_and_told_by_the_next_start(service):
    part, unit = service
    unit.until_ready()
    unit.until_starved()
    assert unit.status.startswith("stalled: ")
    assert "CRITICAL agent.alive: stalled: " in unit.log()
    unit.start("none")
    unit.until_ready()
    first, second = unit.started_events()
    assert "stalled" not in first
    assert second["stalled"] == part, unit.log()
    assert second["reason"]
    assert not (unit.folder / "runtime" / "stalled.json").exists()
    fed = 0
    while fed < 2:
        fed += unit.listen(WATCHDOG_S) == "WATCHDOG=1"
