"""Who may say and hear what at the real broker."""

from __future__ import annotations

import queue
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.contract import PREFIX, Topic, down_filter, encode, up_filter
from agent.contract.events import Ack, Intent
from agent.contract.quality import QualityReport
from agent.contract.status import Status
from agent.link import Link, LinkSettings, Will
from provisioning.broker import Broker, BrokerError
from provisioning.broker_files import Access, BrokerFiles, write_access, write_files
from provisioning.pki import Authority, Credentials
from provisioning.region import utc_now
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end


class Client:
    """An identity at the broker, and what it was sent."""

    def __init__(self, credentials: Credentials, port: int, *filters: str, will: Will | None = None) -> None:
        self.received: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.ups: queue.Queue[bool] = queue.Queue()
        settings = LinkSettings(
            "localhost",
            port,
            credentials.name,
            credentials.ca_file,
            credentials.certificate_file,
            credentials.key_file,
            filters,
        )
        self.link = Link(
            settings,
            on_message=lambda topic, body: self.received.put((topic, body)),
            on_connection=self.ups.put,
            will=will,
        )

    def connect(self) -> Client:
        self.link.start()
        assert self.ups.get(timeout=10)
        return self

    def next(self, timeout_s: float = 5) -> str:
        return self.received.get(timeout=timeout_s)[0]

    def topics(self) -> list[str]:
        return [self.received.get_nowait()[0] for _ in range(self.received.qsize())]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def running(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Broker, BrokerFiles, int]]:
    port, server = free_port(), authority.server()
    paths = write_files(tmp_path_factory.mktemp("broker"), server, port=port)
    broker = Broker(paths, server, port=port)
    broker.start()
    yield broker, paths, port
    broker.stop()


Connect = Callable[..., Client]


@pytest.fixture
def connect(authority: Authority, running: tuple[Broker, BrokerFiles, int]) -> Iterator[Connect]:
    clients: list[Client] = []

    def make(name: str, *filters: str, will: Will | None = None) -> Client:
        clients.append(Client(authority.client(name), running[2], *filters, will=will))
        return clients[-1].connect()

    yield make
    for client in clients:
        client.link.stop()


def body() -> bytes:
    return encode(Ack(epoch=1, seq=1), now=utc_now())


def test_region_and_unit_hear_each_other(connect: Connect) -> None:
    region = connect("region", up_filter())
    unit = connect("unit-a", down_filter("unit-a"))

    assert unit.link.publish(Topic("unit-a", "up/intent", ("help",)), encode(Intent(), now=utc_now()))
    assert region.next() == "hr/v1/u/unit-a/up/intent/help"
    figures = QualityReport(sid="k3v9q2m4x8t1", at=utc_now(), interval_s=5.0)
    unit.link.publish(Topic("unit-a", "up/event/quality"), encode(figures, now=utc_now()))
    assert region.next() == "hr/v1/u/unit-a/up/event/quality"
    region.link.publish(Topic("unit-a", "dn/ack"), body())
    assert unit.next() == "hr/v1/u/unit-a/dn/ack"


def test_a_unit_hears_and_says_nothing_of_another(connect: Connect) -> None:
    """Mosquitto grants the subscription; what counts is that nothing is delivered."""
    region = connect("region", up_filter())
    nosy = connect("unit-b", down_filter("unit-a"), up_filter(), "#", down_filter("unit-b"))

    region.link.publish(Topic("unit-a", "dn/ack"), body())
    nosy.link.publish(Topic("unit-a", "up/status"), body())
    nosy.link.publish(Topic("unit-a", "dn/ack"), body())
    nosy.link.publish(Topic("unit-b", "dn/ack"), body())
    # Messages of one connection stay in order: once these have come, the ones before them would have.
    nosy.link.publish(Topic("unit-b", "up/intent", ("help",)), body())
    assert region.next() == "hr/v1/u/unit-b/up/intent/help"
    region.link.publish(Topic("unit-b", "dn/ack"), body())
    assert nosy.next() == "hr/v1/u/unit-b/dn/ack"
    # Its own message may come twice, for two of its subscriptions fit; another's never.
    assert set(nosy.topics()) <= {"hr/v1/u/unit-b/dn/ack"}
    assert region.topics() == []


def test_the_last_will_of_a_killed_unit_reaches_the_region(connect: Connect) -> None:
    region = connect("region", up_filter())
    topic = Topic("unit-c", "up/status")
    unit = connect(
        "unit-c", down_filter("unit-c"), will=Will(topic, encode(Status(state="lost", boot=1), now=utc_now()))
    )

    unit.link._client.socket().shutdown(socket.SHUT_RDWR)

    assert region.next(10) == str(topic)


def test_a_revoked_unit_is_silent_and_the_region_overwrites_its_presence(
    connect: Connect, running: tuple[Broker, BrokerFiles, int]
) -> None:
    broker, paths, _ = running
    region = connect("region", f"{PREFIX}/unit-d/up/#")
    unit = connect("unit-d", down_filter("unit-d"))
    write_access(paths, access=Access(revoked=frozenset({"unit-d"})))
    broker.reload()

    with pytest.raises(queue.Empty):
        for _ in range(50):
            unit.link.publish(Topic("unit-d", "up/intent", ("help",)), body())
            region.next(0.5)
    region.link.publish(Topic("unit-d", "up/status"), body())
    write_access(paths)
    broker.reload()

    assert region.next() == "hr/v1/u/unit-d/up/status"


def test_without_a_certificate_nobody_comes_in(
    authority: Authority, running: tuple[Broker, BrokerFiles, int], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).client("unit-a")
    for credentials in (None, stranger):
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        if credentials:
            context.load_cert_chain(credentials.certificate_file, credentials.key_file)
        plain = socket.create_connection(("127.0.0.1", running[2]), timeout=5)
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
