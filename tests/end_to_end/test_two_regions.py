"""Two instances of the region against one PostgreSQL and one broker: one acts, the other takes over."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.contract import Message, Topic, decode, down_filter, encode
from agent.contract.status import Status
from agent.link import Link, LinkSettings
from provisioning import log_verification
from provisioning.booking import Booker, Bookings, booked_room, make_salts
from provisioning.broker import Broker
from provisioning.broker_files import write_files
from provisioning.database import Database
from provisioning.models import UnitReport
from provisioning.pki import Authority, Credentials
from provisioning.region import utc_now
from provisioning.rooms import Rooms
from tests.system.postgresql import PostgreSql, postgresql
from tests.system.stack import free_port
from web.clinic.services import BookingRequest

pytestmark = pytest.mark.end_to_end

ZONE = ZoneInfo("Europe/Stockholm")
TAKES_OVER_WITHIN_S = 90.0
"""Six seconds of lease, then start, connect and publish, on a machine that does much else."""
SETTINGS = """
database_url = "{url}"
state_dir = "{folder}"
[broker]
name = "{name}"
port = {broker_port}
ca_file = "{own.ca_file}"
certificate_file = "{own.certificate_file}"
key_file = "{own.key_file}"
[web]
port = {web_port}
public_url = "http://127.0.0.1:{web_port}"
"""


def eventually(is_so: Callable[[], Any], within_s: float = TAKES_OVER_WITHIN_S, what: str = "") -> Any:
    until = time.monotonic() + within_s
    while True:
        found = is_so()
        if found:
            return found
        assert time.monotonic() < until, what
        time.sleep(0.05)


@dataclass
class Instance:
    """One process of the service, and what its /healthz says."""

    name: str
    folder: Path
    web_port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "region.log").open("ab") as log:
            command = ["-m", "provisioning.server", "--settings", str(self.folder / "region.toml")]
            self.process = subprocess.Popen(
                [sys.executable, *command], stdout=log, stderr=log, start_new_session=True
            )

    def health(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with suppress(HTTPException):  # its process may end while it answers
                return error.code, error.read().decode()
        except (OSError, HTTPException):
            pass
        return 0, ""

    @property
    def leads(self) -> bool:
        return self.health() == (200, "ok\n")

    @property
    def stands_by(self) -> bool:
        status, said = self.health()
        return status == 503 and said.startswith("standby")

    def signal(self, number: int) -> None:
        """To gunicorn and its worker, as a frozen machine or a kill of both would."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self.process.wait()

    def log(self) -> str:
        return (self.folder / "region.log").read_text()


class Listener:
    """Hears what goes through the broker: a unit, or a third region that only listens."""

    def __init__(self, own: Credentials, port: int, topics: tuple[str, ...]) -> None:
        self.name = own.name
        self.heard: queue.Queue[Message] = queue.Queue()
        self.ups: queue.Queue[bool] = queue.Queue()
        files = (own.ca_file, own.certificate_file, own.key_file)
        self.link = Link(
            LinkSettings("localhost", port, own.name, *files, topics),
            on_message=self._take,
            on_connection=self.ups.put,
        )
        self.link.start()
        assert self.ups.get(timeout=TAKES_OVER_WITHIN_S)

    def drain(self) -> list[Message]:
        """What has come and was not asked for; and forget it."""
        found = []
        while not self.heard.empty():
            found.append(self.heard.get())
        return found

    def _take(self, topic: str, body: bytes) -> None:
        if body:
            self.heard.put(decode(topic, body))

    def say(self, channel: str, data: Any, *levels: str) -> None:
        assert self.link.publish(Topic(self.name, channel, levels), encode(data, now=utc_now()))

    def next(self, channel: str, within_s: float = TAKES_OVER_WITHIN_S) -> Message:
        until = time.monotonic() + within_s
        while True:
            message = self.heard.get(timeout=max(0.01, until - time.monotonic()))
            if message.topic.channel == channel:
                return message


@dataclass
class Pair:
    """PostgreSQL, broker, both instances and a unit."""

    server: PostgreSql
    database: Database
    unit: Listener
    instances: list[Instance] = field(default_factory=list)

    @property
    def leader(self) -> Instance:
        return eventually(self._one_that_leads, what=self.logs())  # type: ignore[no-any-return]

    def _one_that_leads(self) -> Instance | None:
        return next((each for each in self.instances if each.leads), None)

    def other(self, one: Instance) -> Instance:
        return next(each for each in self.instances if each is not one)

    def wait_until(self, is_so: Callable[[], Any]) -> None:
        eventually(is_so, what=self.logs())

    def logs(self) -> str:
        return "\n".join(f"--- {each.name}\n{each.log()[-3000:]}" for each in self.instances)

    def book(self, hours: float) -> str:
        rooms = Rooms(self.database, utc_now)
        start = utc_now().replace(microsecond=0) + timedelta(hours=hours)
        request = BookingRequest(room_id="east", start=start, end=start + timedelta(minutes=20))
        by = Booker("acc", "clinician", "account", rooms.rooms()[0].clinic_id)
        return Bookings(self.database, utc_now, ZONE).book(by, request).sid

    def schedule_with(self, sid: str) -> int:
        """Wait for a schedule that has this session; its revision. None that comes is older than one before."""
        until, newest = time.monotonic() + TAKES_OVER_WITHIN_S, 0
        while time.monotonic() < until:
            message = self.unit.next("dn/schedule")
            assert (message.rev or 0) >= newest
            newest = message.rev or 0
            if sid in {each["sid"] for each in message.data.sessions}:
                return newest
        raise AssertionError(self.logs())

    def is_answered(self) -> bool:
        """Whether some instance says to a status of ours that it has it."""
        self.unit.drain()
        self.unit.say("up/status", Status(state="ready", boot=1))
        try:
            self.unit.next("dn/ack", 3)
        except queue.Empty:
            return False
        return True

    def fence(self) -> int:
        with self.server.connect("regions") as db:
            return int(db.execute("SELECT fence FROM region_lease").fetchone()[0])  # type: ignore[index]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with postgresql() as running:
        yield running


@pytest.fixture
def pair(server: PostgreSql, tmp_path: Path) -> Iterator[Pair]:
    authority, port = Authority(tmp_path / "pki"), free_port()
    names = ("region-1", "region-2")
    url, own = server.new_database("regions"), authority.server()
    broker = Broker(write_files(tmp_path / "broker", own, port=port, regions=names), own, port=port)
    database = Database(url)
    database.create()
    rooms, credentials = Rooms(database, utc_now), authority.client("unit-1")
    rooms.add_unit("unit-1", credentials.certificate_file.read_bytes())
    rooms.add_room("east", "East", "Norra vårdcentralen")
    rooms.assign("east", "unit-1")
    broker.start()
    unit = Listener(credentials, port, (down_filter("unit-1"),))
    made = Pair(server, database, unit)
    for name in names:
        instance = Instance(name, tmp_path / name, free_port())
        instance.folder.mkdir()
        values = {"name": name, "url": url, "folder": instance.folder, "own": authority.client(name)}
        ports = {"broker_port": port, "web_port": instance.web_port}
        (instance.folder / "region.toml").write_text(SETTINGS.format(**values, **ports))
        made.instances.append(instance)
    try:
        for instance in made.instances:
            instance.start()
        yield made
    finally:
        for instance in made.instances:
            instance.end()
        unit.link.stop()
        database.close()
        broker.stop()
        print(made.logs())


def test_a_days_salt_does_not_wait_for_a_booking_that_may_wait_for_it(pair: Pair) -> None:
    by = Booker("acc", "clinician", "account", Rooms(pair.database, utc_now).rooms()[0].clinic_id)

    def salt() -> None:
        with pair.database.write() as db:
            make_salts(db, ["east"], date(2031, 1, 1))

    with ThreadPoolExecutor(1) as beside, pair.database.write() as db:
        assert booked_room(db, by, "east").id == "east"
        beside.submit(salt).result(timeout=10)


def test_one_acts_and_the_other_takes_over_when_it_is_killed_or_stopped_in_order(pair: Pair) -> None:
    first = pair.leader
    second = pair.other(first)
    pair.wait_until(lambda: second.stands_by)
    before = pair.schedule_with(pair.book(1))
    pair.wait_until(pair.is_answered)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"http://127.0.0.1:{second.web_port}/sign-in", timeout=5)

    first.signal(signal.SIGKILL)
    pair.wait_until(lambda: second.leads)
    assert pair.schedule_with(pair.book(2)) > before
    pair.wait_until(pair.is_answered)
    first.start()
    pair.wait_until(lambda: first.stands_by)

    began = time.monotonic()
    second.end()
    pair.wait_until(lambda: first.leads)
    took_s = time.monotonic() - began
    print(f"taken over {took_s:.1f} s after the other was told to stop")
    pair.schedule_with(pair.book(3))
    with pair.database.read() as db:
        assert log_verification.verify(db).ok


@pytest.mark.long
def test_one_that_hung_writes_and_says_nothing_when_it_goes_on(pair: Pair) -> None:
    old = pair.leader
    new = pair.other(old)
    pair.wait_until(lambda: new.stands_by)
    pair.wait_until(pair.is_answered)
    fence = pair.fence()
    old.signal(signal.SIGSTOP)
    for boot in range(2, 30):  # what it finds in its socket when it goes on
        pair.unit.say("up/status", Status(state="ready", boot=boot))
    pair.wait_until(lambda: new.leads)
    pair.schedule_with(pair.book(1))
    pair.unit.say("up/status", Status(state="ready", boot=50))
    pair.wait_until(lambda: pair_boot(pair) == 50)
    assert pair.fence() == fence + 1
    time.sleep(1)  # answers that were under way have come
    pair.unit.drain()
    old.signal(signal.SIGCONT)
    pair.wait_until(lambda: old.stands_by)
    time.sleep(1)
    assert pair.unit.drain() == []
    assert pair_boot(pair) == 50
    assert pair.fence() == fence + 1
    assert new.leads
    assert pair.is_answered()
    with pair.database.read() as db:
        assert log_verification.verify(db).ok


@pytest.mark.long
def test_without_postgresql_nobody_leads_and_with_it_one_does_again(pair: Pair) -> None:
    first = pair.leader
    pair.server.stop()
    try:
        pair.wait_until(lambda: not any(each.leads for each in pair.instances))
        pair.unit.drain()
        pair.unit.say("up/status", Status(state="ready", boot=3))
        with pytest.raises(queue.Empty):
            pair.unit.next("dn/ack", 2)
    finally:
        pair.server.start()
    again = pair.leader
    pair.wait_until(lambda: pair.other(again).stands_by)
    pair.wait_until(pair.is_answered)
    pair.schedule_with(pair.book(1))
    assert first.process is not None
    assert first.process.poll() is None  # gunicorn itself stays, and starts another worker


def pair_boot(pair: Pair) -> int:
    with pair.database.read() as db:
        return db.get_one(UnitReport, "unit-1").boot
