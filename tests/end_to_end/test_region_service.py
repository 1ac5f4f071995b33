"""The region's service as its own process, with the real broker, and a unit played by the test."""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.contract import Message, Topic, decode, down_filter, encode
from agent.contract.schedule import ScheduleReport, check_sessions, code_digest
from agent.contract.status import Status
from agent.link import Link, LinkSettings
from provisioning import cli
from provisioning.broker import Broker
from provisioning.broker_files import write_files
from provisioning.pki import Authority, Credentials
from provisioning.region import utc_now
from tests.system.region_settings import write_region_settings
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end
WITHIN_S = 60.0


@dataclass
class House:
    """Broker, region and the command line, in one folder."""

    folder: Path
    authority: Authority
    broker: Broker
    broker_port: int
    web_port: int
    region: subprocess.Popen[bytes] | None = None

    def start_region(self) -> None:
        log = (self.folder / "region.log").open("ab")
        command = [
            sys.executable,
            "-m",
            "provisioning.server",
            "--settings",
            str(self.folder / "region.toml"),
        ]
        self.region = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=2) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                assert time.monotonic() < deadline, self.log_text()
                time.sleep(0.1)

    def stop_region(self, how: int = signal.SIGTERM) -> None:
        assert self.region is not None
        self.region.send_signal(how)
        self.region.wait(WITHIN_S)

    def log_text(self) -> str:
        return (self.folder / "region.log").read_text()

    def run(self, *arguments: str, stdin: str = "") -> Any:
        given = ["--json", "--settings", str(self.folder / "region.toml"), *arguments]
        done = CliRunner().invoke(cli.app, given, input=stdin)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


class PlayedUnit:
    """A unit that answers only what the test says."""

    def __init__(self, credentials: Credentials, port: int) -> None:
        self.name = credentials.name
        self.messages: queue.Queue[Message] = queue.Queue()
        self.ups: queue.Queue[bool] = queue.Queue()
        settings = LinkSettings(
            "localhost",
            port,
            credentials.name,
            credentials.ca_file,
            credentials.certificate_file,
            credentials.key_file,
            (down_filter(credentials.name),),
        )
        self.link = Link(
            settings,
            on_message=lambda topic, body: self.messages.put(decode(topic, body)),
            on_connection=self.ups.put,
        )
        self.link.start()
        assert self.ups.get(timeout=WITHIN_S)

    def say(self, channel: str, data: Any, *levels: str) -> None:
        assert self.link.publish(Topic(self.name, channel, levels), encode(data, now=utc_now()))

    def next(self, channel: str, timeout_s: float = WITHIN_S) -> Message:
        while True:
            message = self.messages.get(timeout=timeout_s)
            if message.topic.channel == channel:
                return message


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    authority = Authority(tmp_path / "pki")
    server, region = authority.server(), authority.client("region")
    broker_port, web_port = free_port(), free_port()
    broker = Broker(write_files(tmp_path / "broker", server, port=broker_port), server, port=broker_port)
    write_region_settings(tmp_path, region, broker_port=broker_port, web_port=web_port)
    broker.start()
    made = House(tmp_path, authority, broker, broker_port, web_port)
    yield made
    if made.region is not None and made.region.poll() is None:
        made.stop_region()
    broker.stop()


def test_a_booking_reaches_the_unit_and_survives_broker_and_region(house: House) -> None:
    credentials = house.authority.client("unit-1")
    house.start_region()
    house.run("unit", "add", "unit-1", "--certificate", str(credentials.certificate_file))
    house.run("room", "add", "room-1", "--clinic", "Norra vårdcentralen")
    house.run("room", "assign", "room-1", "unit-1")
    house.run("unit", "pin", "unit-1", "--pin-stdin", stdin="4711\n")
    unit = PlayedUnit(credentials, house.broker_port)
    start = utc_now() + timedelta(minutes=10)
    booked = house.run("book", "room-1", start.isoformat(), "--minutes", "20")

    message = unit.next("dn/schedule")
    while not message.data.sessions:
        message = unit.next("dn/schedule")
    (session,), rejected = check_sessions(message.data)
    assert rejected == ()
    assert (session.sid, session.ref) == (booked["sid"], booked["ref"])
    assert session.checkin.code_digest == code_digest(booked["code"], session.checkin.salt or "")

    unit.say("up/status", Status(state="ready", boot=1))
    assert unit.next("dn/ack").data.seq == 0
    report = ScheduleReport(epoch=1, rev=message.rev or 0, sha256="0" * 64, outcome="accepted")
    unit.say("up/schedule", report)
    deadline = time.monotonic() + WITHIN_S
    while not house.run("sessions", "--day", start.astimezone().isoformat())[0]["on_unit"]:
        assert time.monotonic() < deadline

    # A power cut at the broker loses what it had not written; a cut at the region loses nothing.
    house.broker.kill()
    house.stop_region(signal.SIGKILL)
    for file in (house.folder / "broker" / "store").iterdir():
        file.unlink()
    house.broker.start()
    # The worker of a killed master ends by itself, and so gives the port back.
    deadline = time.monotonic() + WITHIN_S
    while True:
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", house.web_port))
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    house.start_region()
    again = unit.next("dn/schedule")
    assert (again.data.epoch, again.rev) == (message.data.epoch, message.rev)
    assert again.data.sessions == message.data.sessions

    unit.link.stop()
    assert house.run("log", "verify")["ok"] is True
    assert [line["kind"] for line in house.run("log", "show", booked["sid"])] == ["booked"]
    assert booked["code"] not in house.log_text()
    house.stop_region()  # by itself


def test_a_taken_port_ends_the_start_with_a_sentence(house: House) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", house.web_port))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "provisioning.server", "--settings", str(house.folder / "region.toml")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{house.web_port}" in done.stderr
    assert "Traceback" not in done.stderr
