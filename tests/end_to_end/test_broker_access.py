"""Who may say and hear what at the real broker."""

from __future__ import annotations

import queue
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.contract import (
    CHANNELS,
    PREFIX,
    Topic,
    bootstrap_down_filter,
    bootstrap_up_filter,
    down_filter,
    encode,
    up_filter,
)
from agent.contract.events import Ack, Intent
from agent.contract.quality import QualityReport
from agent.contract.status import Status
from agent.contract.topics import level_patterns
from agent.link import Link, LinkSettings, Will
from provisioning.broker import Broker, BrokerError
from provisioning.broker_files import Access, BrokerFiles, Listener, write_access, write_files
from provisioning.pki import BOOTSTRAP, Authority, Credentials
from provisioning.region import utc_now
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end

LEVELS = {"command": "k3v9q2m4", "kind": "help", "session": "k3v9q2m4x8t1", "peer": "c41f"}


class Client:
    """An identity at the broker, and what it was sent."""

    def __init__(
        self, credentials: Credentials, port: int, *filters: str, will: Will | None = None, **more: Any
    ) -> None:
        self.received: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.payloads: list[bytes] = []
        self.ups: queue.Queue[bool] = queue.Queue()
        settings = LinkSettings(
            "localhost",
            port,
            credentials.name,
            more.pop("ca", credentials.ca_file),
            credentials.certificate_file,
            credentials.key_file,
            filters,
            **({"backoff_max_s": 0.05} | more),
        )
        self.link = Link(
            settings,
            # What was cleared is no message.
            on_message=lambda topic, body: self.received.put((topic, body)) if body else None,
            on_connection=self.ups.put,
            will=will,
        )

    def connect(self) -> Client:
        self.link.start()
        assert self.ups.get(timeout=10)
        deadline = time.monotonic() + 10
        while not self.link._heard_at:  # the broker has not acknowledged the subscription
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self

    def next(self, timeout_s: float = 10) -> str:
        topic, payload = self.received.get(timeout=timeout_s)
        self.payloads.append(payload)
        return topic

    def say(self, topic: Topic, payload: bytes) -> bool:
        """Publish as soon as there is a connection."""
        deadline = time.monotonic() + 10
        while not self.link.publish(topic, payload):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return True

    def until(self, payload: bytes, timeout_s: float = 10) -> None:
        """Read on until that has come."""
        while payload not in self.payloads:
            self.next(timeout_s)

    def topics(self) -> list[str]:
        return [self.next(0) for _ in range(self.received.qsize())]


@dataclass(frozen=True)
class Doors:
    """A running broker, its files and the ports of its listeners."""

    broker: Broker
    paths: BrokerFiles
    port: int
    bootstrap: int
    https: int
    websocket: int


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def bootstraps(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("bootstrap-pki"), BOOTSTRAP)


@pytest.fixture(scope="module")
def running(
    authority: Authority, bootstraps: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    server = authority.server()
    port, bootstrap, https, websocket = (free_port() for _ in range(4))
    paths = write_files(
        tmp_path_factory.mktemp("broker"),
        server,
        port=port,
        bootstrap=(bootstrap, bootstraps.ca_file),
        others=[Listener("https", https), Listener("websocket", websocket)],
    )
    broker = Broker(paths, server, port=port)
    broker.start()
    yield Doors(broker, paths, port, bootstrap, https, websocket)
    broker.stop()


Connect = Callable[..., Client]


@pytest.fixture
def connect(authority: Authority, bootstraps: Authority, running: Doors) -> Iterator[Connect]:
    clients: list[Client] = []

    def make(name: str, *filters: str, bootstrap: bool = False, **more: Any) -> Client:
        credentials = (bootstraps if bootstrap else authority).client(name)
        port = running.bootstrap if bootstrap else running.port
        clients.append(Client(credentials, more.pop("port", port), *filters, ca=authority.ca_file, **more))
        return clients[-1].connect()

    yield make
    for client in clients:
        client.link.stop()


def body() -> bytes:
    return encode(Ack(epoch=1, seq=1), now=utc_now())


def test_region_and_unit_hear_each_other(connect: Connect) -> None:
    region = connect("region", up_filter())
    unit = connect("unit-a", down_filter("unit-a"))

    assert unit.say(Topic("unit-a", "up/intent", ("help",)), encode(Intent(), now=utc_now()))
    assert region.next() == "hr/v1/u/unit-a/up/intent/help"
    figures = QualityReport(sid="k3v9q2m4x8t1", at=utc_now(), interval_s=5.0)
    unit.say(Topic("unit-a", "up/event/quality"), encode(figures, now=utc_now()))
    assert region.next() == "hr/v1/u/unit-a/up/event/quality"
    region.say(Topic("unit-a", "dn/ack"), body())
    assert unit.next() == "hr/v1/u/unit-a/dn/ack"


def test_a_unit_hears_and_says_nothing_of_another(connect: Connect) -> None:
    """Mosquitto grants the subscription; what counts is that nothing is delivered."""
    region = connect("region", up_filter())
    nosy = connect("unit-b", down_filter("unit-a"), up_filter(), "#", down_filter("unit-b"))

    region.say(Topic("unit-a", "dn/ack"), body())
    nosy.say(Topic("unit-a", "up/status"), body())
    nosy.say(Topic("unit-a", "dn/ack"), body())
    nosy.say(Topic("unit-b", "dn/ack"), body())
    # Messages of one connection stay in order: once these have come, the ones before them would have.
    nosy.say(Topic("unit-b", "up/intent", ("help",)), body())
    assert region.next() == "hr/v1/u/unit-b/up/intent/help"
    region.say(Topic("unit-b", "dn/ack"), body())
    assert nosy.next() == "hr/v1/u/unit-b/dn/ack"
    # Its own message may come twice, for two of its subscriptions fit; another's never.
    assert set(nosy.topics()) <= {"hr/v1/u/unit-b/dn/ack"}
    assert region.topics() == []
    assert nosy.ups.empty(), "a denied message cost the connection"


def topic_of(channel: str, who: str) -> Topic:
    """A topic of a channel with levels that fit."""
    return Topic(who, channel, tuple(LEVELS[name] for name in level_patterns(channel)))


@pytest.mark.parametrize("channel", sorted(name for name in CHANNELS if "enrol" not in name))
def test_one_unit_can_neither_hear_nor_say_anything_of_another(connect: Connect, channel: str) -> None:
    """For every channel: what counts is that nothing is delivered, and nothing kept."""
    number = sorted(CHANNELS).index(channel)
    names = victim, nosy_name, late_name = f"unit-v{number}", f"unit-n{number}", f"unit-l{number}"
    topic = topic_of(channel, victim)
    region, unit = connect("region", up_filter()), connect(victim, down_filter(victim))
    nosy = connect(nosy_name, str(topic), "#", "hr/v1/u/+/+/#", f"$share/x/{topic}", down_filter(nosy_name))
    speaks, hears = (region, unit) if channel.startswith("dn/") else (unit, region)
    speaks.say(topic, b"secret")
    hears.until(b"secret")
    nosy.say(topic, b"forged")
    # One that subscribes later finds nothing that the broker keeps of another, either.
    late = connect(late_name, str(topic), "#", down_filter(late_name))

    # Messages of one connection stay in order: once these have come, the ones before them would have.
    marks = [f"mark of {name}".encode() for name in names]
    for client, name, mark in zip((unit, nosy, late), names, marks, strict=True):
        client.say(Topic(name, "up/intent", ("help",)), mark)
        region.say(Topic(name, "dn/ack"), mark)
        region.until(mark)
        client.until(mark)
    assert b"forged" not in region.payloads + unit.payloads
    assert set(nosy.payloads) == {marks[1]}
    assert set(late.payloads) == {marks[2]}
    speaks.say(topic, b"")
    speaks.say(topic_of("dn/ack" if speaks is region else "up/intent", victim), b"last")
    hears.until(b"last")


def test_a_last_will_in_anothers_name_is_not_said(connect: Connect) -> None:
    region = connect("region", up_filter())
    will = Will(Topic("unit-a", "up/status"), encode(Status(state="lost", boot=1), now=utc_now()))
    nosy = connect("unit-w", down_filter("unit-w"), will=will)
    nosy.link._client.socket().shutdown(socket.SHUT_RDWR)
    assert nosy.ups.get(timeout=10) is False
    assert nosy.ups.get(timeout=10) is True  # it has connected anew: the broker has dealt with its end
    nosy.say(Topic("unit-w", "up/intent", ("help",)), b"after")
    region.until(b"after")
    assert will.payload not in region.payloads


def test_those_at_the_door_see_nothing_of_units_and_of_each_other(connect: Connect) -> None:
    region = connect("region", up_filter(), bootstrap_up_filter())
    connect("unit-v", down_filter("unit-v"))
    stranger = connect(
        "hs-1",
        "#",
        down_filter("unit-v"),
        bootstrap_down_filter("hs-2"),
        bootstrap_down_filter("hs-1"),
        bootstrap=True,
    )
    for channel in sorted(CHANNELS):
        if "enrol" not in channel:
            stranger.say(topic_of(channel, "unit-v"), b"forged")
    for channel in ("up/status", "dn/config"):  # nor as the unit that would have its serial number for a name
        stranger.say(topic_of(channel, "hs-1"), b"forged")
    stranger.say(Topic("hs-2", "up/enrol"), b"forged")
    stranger.say(Topic("hs-1", "dn/enrol"), b"forged")
    stranger.say(Topic("hs-1", "up/enrol"), b"mine")
    # What a test before this one left unacknowledged comes first.
    region.until(b"mine")
    region.topics()
    assert b"forged" not in region.payloads

    for channel in ("dn/schedule", "dn/config", "dn/ack"):
        region.say(topic_of(channel, "unit-v"), b"secret")
    region.say(Topic("hs-2", "dn/enrol"), b"secret")
    region.say(Topic("hs-1", "dn/enrol"), b"answer")
    assert stranger.next() == "hr/v1/b/hs-1/dn/enrol"
    assert set(stranger.topics()) <= {"hr/v1/b/hs-1/dn/enrol"}
    for who in ("hs-1", "hs-2"):
        region.say(Topic(who, "dn/enrol"), b"")


def test_a_unit_sees_nothing_of_those_at_the_door(connect: Connect) -> None:
    region = connect("region", up_filter(), bootstrap_up_filter())
    at_the_door = connect("hs-3", bootstrap_down_filter("hs-3"), bootstrap=True)
    unit = connect("unit-x", "hr/v1/b/#", bootstrap_down_filter("unit-x"), down_filter("unit-x"))
    for who in ("hs-3", "unit-x"):
        unit.say(Topic(who, "up/enrol"), b"forged")
        unit.say(Topic(who, "dn/enrol"), b"forged")
    at_the_door.say(Topic("hs-3", "up/enrol"), b"mine")
    unit.say(Topic("unit-x", "up/intent", ("help",)), body())
    assert {region.next(), region.next()} == {"hr/v1/b/hs-3/up/enrol", "hr/v1/u/unit-x/up/intent/help"}
    assert b"forged" not in region.payloads
    region.say(Topic("hs-3", "dn/enrol"), b"answer")
    assert at_the_door.next() == "hr/v1/b/hs-3/dn/enrol"
    region.say(Topic("unit-x", "dn/ack"), body())
    assert unit.next() == "hr/v1/u/unit-x/dn/ack"
    region.say(Topic("hs-3", "dn/enrol"), b"")


@pytest.mark.parametrize("transport", ["alpn", "websocket"])
def test_over_port_443_a_unit_is_the_same_unit(connect: Connect, running: Doors, transport: str) -> None:
    port = running.https if transport == "alpn" else running.websocket
    region = connect("region", up_filter())
    unit = connect("unit-y", down_filter("unit-y"), "#", port=port, transport=transport)
    unit.say(Topic("unit-v", "up/status"), b"forged")
    unit.say(Topic("unit-y", "up/intent", ("help",)), body())
    assert region.next() == "hr/v1/u/unit-y/up/intent/help"
    region.say(Topic("unit-v", "dn/ack"), body())
    region.say(Topic("unit-y", "dn/ack"), body())
    assert unit.next() == "hr/v1/u/unit-y/dn/ack"


@pytest.mark.parametrize("door", ["port", "https", "websocket", "bootstrap"])
def test_no_door_takes_the_other_doors_certificates(
    authority: Authority, bootstraps: Authority, running: Doors, door: str
) -> None:
    other = authority if door == "bootstrap" else bootstraps
    client = Client(
        other.client("unit-a"),
        getattr(running, door),
        ca=authority.ca_file,
        transport="websocket" if door == "websocket" else "tls",
    )
    client.link.start()
    deadline = time.monotonic() + 10
    while not client.link.problem:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    client.link.stop()
    assert client.ups.empty()


def test_a_used_bootstrap_is_starved_at_once_and_fed_again_when_armed(
    connect: Connect, running: Doors
) -> None:
    region = connect("region", bootstrap_up_filter())
    box = connect("hs-4", bootstrap_down_filter("hs-4"), bootstrap=True)
    asking = Topic("hs-4", "up/enrol")
    box.say(asking, b"first")
    assert region.next() == str(asking)
    write_access(running.paths, access=Access(bootstraps=frozenset({"hs-4"})))
    running.broker.reload()
    with pytest.raises(queue.Empty):
        for _ in range(50):
            box.say(asking, b"later")
            region.next(0.5)
    region.say(Topic("hs-4", "dn/enrol"), b"answer")
    with pytest.raises(queue.Empty):
        box.next(0.5)
    write_access(running.paths)
    running.broker.reload()
    deadline = time.monotonic() + 10
    while region.received.empty():
        assert time.monotonic() < deadline
        box.say(asking, b"again")
        time.sleep(0.1)
    region.say(Topic("hs-4", "dn/enrol"), b"")


def test_a_unit_whose_every_word_is_denied_leaves_and_is_back_when_it_may(
    connect: Connect, running: Doors
) -> None:
    region = connect("region", f"{PREFIX}/unit-z/up/#")
    unit = connect("unit-z", down_filter("unit-z"), leave_when_denied=True, backoff_max_s=0.2)
    write_access(running.paths, access=Access(revoked=frozenset({"unit-z"})))
    running.broker.reload()
    deadline = time.monotonic() + 10
    while unit.ups.empty():
        assert time.monotonic() < deadline
        unit.say(Topic("unit-z", "up/intent", ("help",)), body())
        time.sleep(0.05)
    assert unit.ups.get() is False
    assert unit.link.problem in {"refused", ""}
    write_access(running.paths)
    running.broker.reload()
    region.topics()
    assert unit.ups.get(timeout=10) is True
    deadline = time.monotonic() + 10
    while region.received.empty():
        assert time.monotonic() < deadline
        unit.say(Topic("unit-z", "up/intent", ("help",)), body())
        time.sleep(0.05)


def test_the_last_will_of_a_killed_unit_reaches_the_region(connect: Connect) -> None:
    region = connect("region", up_filter())
    topic = Topic("unit-c", "up/status")
    unit = connect(
        "unit-c", down_filter("unit-c"), will=Will(topic, encode(Status(state="lost", boot=1), now=utc_now()))
    )

    unit.link._client.socket().shutdown(socket.SHUT_RDWR)

    assert region.next(10) == str(topic)


def test_a_revoked_unit_is_silent_and_the_region_overwrites_its_presence(
    connect: Connect, running: Doors
) -> None:
    broker, paths = running.broker, running.paths
    region = connect("region", f"{PREFIX}/unit-d/up/#")
    unit = connect("unit-d", down_filter("unit-d"))
    write_access(paths, access=Access(revoked=frozenset({"unit-d"})))
    broker.reload()

    with pytest.raises(queue.Empty):
        for _ in range(50):
            unit.say(Topic("unit-d", "up/intent", ("help",)), body())
            region.next(0.5)
    region.say(Topic("unit-d", "up/status"), body())
    write_access(paths)
    broker.reload()

    assert region.next() == "hr/v1/u/unit-d/up/status"


def test_rules_read_again_while_units_are_away_harm_nobody_when_they_are_back(
    authority: Authority, bootstraps: Authority, tmp_path: Path
) -> None:
    """Each start of a region and each revocation has the broker read its rules; some unit is always away."""
    port, server = free_port(), authority.server()
    paths = write_files(tmp_path, server, port=port, bootstrap=(free_port(), bootstraps.ca_file))
    broker = Broker(paths, server, port=port)
    broker.start()
    names = [f"unit-{number}" for number in range(6)]
    try:
        for _ in range(5):
            units = [Client(authority.client(name), port, down_filter(name)).connect() for name in names]
            time.sleep(1.2)  # once a second the broker looks whose session has ended
            for unit in units:
                assert unit.link.up
                unit.link.stop()
            for _ in range(2):
                broker.reload()
                time.sleep(0.1)
        assert broker.pid
        assert "Expiring" not in paths.log.read_text()
    finally:
        broker.stop()


def test_without_a_certificate_nobody_comes_in(authority: Authority, running: Doors, tmp_path: Path) -> None:
    stranger = Authority(tmp_path).client("unit-a")
    for credentials in (None, stranger):
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        if credentials:
            context.load_cert_chain(credentials.certificate_file, credentials.key_file)
        plain = socket.create_connection(("127.0.0.1", running.port), timeout=5)
        with (
            pytest.raises((ssl.SSLError, ConnectionError)),
            closing(plain),
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            # TLS 1.3 tells the refusal after the handshake.
            secure.sendall(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x14\x00\x00\x00")
            assert secure.recv(1) == b"refused by alert, not by silence"


def test_a_taken_port_is_named(authority: Authority, tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = authority.server()
        with pytest.raises(BrokerError, match=f"Port {port} on 127.0.0.1 is taken"):
            Broker(write_files(tmp_path, server, port=port), server, port=port).start()


def test_a_broken_configuration_is_told_at_start(authority: Authority, tmp_path: Path) -> None:
    server = authority.server()
    port = free_port()
    paths = write_files(tmp_path, server, port=port)
    paths.config.write_text("listener nonsense\n")
    with pytest.raises(BrokerError, match="stopped at start"):
        Broker(paths, server, port=port).start()
