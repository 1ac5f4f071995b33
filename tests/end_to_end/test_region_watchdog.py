"""The real region beside a systemd played by the test: each part that comes to stand still starves the watchdog,
after the reason was said; a broker that is away does not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.broker import Broker
from provisioning.broker_files import write_files
from provisioning.pki import Authority
from tests.system.region_settings import write_region_settings
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end
WATCHDOG_S = 6.0
START_WITHIN_S = 60.0


class Service:
    """One region as systemd runs it: told of the watchdog and listened to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority = Authority(folder / "pki")
        server, region = authority.server(), authority.client("region")
        port = free_port()
        self.broker = Broker(write_files(folder / "broker", server, port=port), server, port=port)
        self.broker.start()
        write_region_settings(folder, region, broker_port=port, web_port=free_port())
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, part: str) -> None:
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
        }
        command = [sys.executable, "-m", "tests.system.stalling_region", part]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--settings", str(self.folder / "region.toml")],
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self.until("READY=1", START_WITHIN_S)

    def listen(self, for_s: float) -> str:
        """What it says next; empty when it says nothing."""
        self.socket.settimeout(for_s)
        try:
            return self.socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def until(self, said: str, within_s: float) -> None:
        until = time.monotonic() + within_s
        while self.listen(1.0) != said:
            assert time.monotonic() < until, self.log()

    def fed_for(self, seconds: float) -> int:
        """How often it is fed in that time."""
        until = time.monotonic() + seconds
        return sum(self.listen(0.5) == "WATCHDOG=1" for _ in iter(lambda: time.monotonic() < until, False))

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.broker.stop()
        self.socket.close()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.end()


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("worker", marks=pytest.mark.long),
        "link",
        pytest.param("database", marks=pytest.mark.long),
    ],
)
def test_what_stands_still_is_said_and_the_watchdog_starves(service: Service, part: str) -> None:
    service.start(part)
    service.until(f"STATUS=stalled: {part}", 5 * WATCHDOG_S)
    assert f"stalled: the region's {part} stands since" in service.log()
    assert service.fed_for(WATCHDOG_S) == 0


def test_a_broker_that_is_away_starves_nothing(service: Service) -> None:
    service.start("none")
    service.until("WATCHDOG=1", WATCHDOG_S)
    service.broker.kill()
    assert service.fed_for(2 * WATCHDOG_S) >= 2 * WATCHDOG_S / (0.2 * WATCHDOG_S)
    assert "stalled" not in service.log()
