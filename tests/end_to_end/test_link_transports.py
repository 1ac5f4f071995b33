"""The link through what stands between: ALPN, WebSocket, a proxy, a region's own authority. A real Mosquitto."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from agent.contract import Topic, down_filter
from agent.link import Link, LinkSettings
from provisioning.broker import find_mosquitto
from provisioning.broker_files import Listener, write_files
from provisioning.local_parts import Part
from provisioning.pki import Authority
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end
PATIENCE_S = 60.0


@dataclass
class Proxy:
    """An HTTP proxy that knows CONNECT alone (RFC 9110, section 9.3.6), and notes what it was asked for."""

    asked: queue.Queue[str] = field(default_factory=queue.Queue)
    refuses: bool = False
    seen: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        line = head.decode().splitlines()[0]
        self.asked.put(line)
        if self.refuses:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            client.close()
            return
        host, _, port = line.split(" ")[1].rpartition(":")
        far = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self._pump, args=(far, client), daemon=True).start()
        self._pump(client, far)

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.seen += data
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@dataclass
class Broker:
    """Mosquitto with all its doors, its authority, and what a link to it is told."""

    authority: Authority
    port: int
    https: int
    websocket: int

    def settings(self, unit: str, **more: object) -> LinkSettings:
        own = self.authority.client(unit)
        keys = (own.ca_file, own.certificate_file, own.key_file)
        return replace(LinkSettings("localhost", self.port, unit, *keys, (down_filter(unit),)), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    made = Broker(Authority(folder / "pki"), free_port(), free_port(), free_port())
    files = write_files(
        folder / "broker",
        made.authority.server(["localhost", "127.0.0.1"]),
        port=made.port,
        others=(Listener("https", made.https), Listener("websocket", made.websocket)),
    )
    part = Part("broker", [find_mosquitto(), "-c", str(files.config)], files.log, lambda: True)
    part.start()
    yield made
    part.stop()


@dataclass
class Told:
    """A link and what it has told."""

    link: Link
    connected: queue.Queue[bool]
    messages: queue.Queue[tuple[str, bytes]]


@pytest.fixture
def connect() -> Iterator[Callable[[LinkSettings], Told]]:
    with ExitStack() as links:

        def make(settings: LinkSettings) -> Told:
            connected: queue.Queue[bool] = queue.Queue()
            messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
            link = Link(
                settings,
                on_message=lambda *message: messages.put(message),
                on_connection=connected.put,
            )
            links.callback(link.stop)
            link.hurry(True)
            link.start()
            return Told(link, connected, messages)

        yield make


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


def heard_by(told: Told, broker: Broker, connect: Callable[[LinkSettings], Told]) -> tuple[str, bytes]:
    """What comes to this link when the region sends it something."""
    region = connect(broker.settings("region", filters=("hr/v1/u/+/up/#",)))
    assert region.connected.get(timeout=PATIENCE_S)
    assert region.link.publish(Topic("unit-1", "dn/ack"), b"{}")
    heard = told.messages.get(timeout=PATIENCE_S)
    assert told.link.publish(Topic("unit-1", "up/status"), b"{}")
    assert region.messages.get(timeout=PATIENCE_S) == ("hr/v1/u/unit-1/up/status", b"{}")
    return heard


@pytest.mark.parametrize("transport", ["tls", "alpn", "websocket"])
@pytest.mark.parametrize("through_proxy", [False, True])
def test_each_way_to_the_broker_carries_both_ways_under_the_units_own_name(
    broker: Broker,
    connect: Callable[[LinkSettings], Told],
    proxy: Proxy,
    transport: str,
    through_proxy: bool,
) -> None:
    port = {"tls": broker.port, "alpn": broker.https, "websocket": broker.websocket}[transport]
    address = ("127.0.0.1", proxy.port) if through_proxy else None
    told = connect(broker.settings("unit-1", port=port, transport=transport, proxy=address))
    assert told.connected.get(timeout=PATIENCE_S)
    assert heard_by(told, broker, connect) == ("hr/v1/u/unit-1/dn/ack", b"{}")
    if through_proxy:
        assert proxy.asked.get(timeout=PATIENCE_S).startswith(f"CONNECT localhost:{port} ")
        assert b"unit-1/dn" not in proxy.seen


def test_a_proxy_that_refuses_is_tried_again_until_it_lets_us(
    broker: Broker, connect: Callable[[LinkSettings], Told], proxy: Proxy
) -> None:
    proxy.refuses = True
    told = connect(broker.settings("unit-1", proxy=("127.0.0.1", proxy.port)))
    proxy.asked.get(timeout=PATIENCE_S)
    proxy.asked.get(timeout=PATIENCE_S)
    assert not told.link.up
    proxy.refuses = False
    assert told.connected.get(timeout=PATIENCE_S)


def test_a_broker_of_a_regions_own_authority_is_trusted_only_when_it_is_named(
    broker: Broker, connect: Callable[[LinkSettings], Told], tmp_path: Path
) -> None:
    # The unit's own files know another authority than the one the broker's certificate is from.
    other = Authority(tmp_path / "other").client("unit-1")
    settings = replace(broker.settings("unit-1"), ca_file=other.ca_file)
    stranger = connect(settings)
    with pytest.raises(queue.Empty):
        stranger.connected.get(timeout=2.0)
    stranger.link.stop()
    pem = broker.settings("unit-1").ca_file.read_text()
    told = connect(replace(settings, extra_ca=pem))
    assert told.connected.get(timeout=PATIENCE_S)


def test_an_authority_that_is_none_is_refused_before_anything_is_changed(broker: Broker) -> None:
    with pytest.raises(ssl.SSLError):
        Link(
            broker.settings(
                "unit-1", extra_ca="-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"
            ),
            on_message=lambda *_: None,
            on_connection=lambda _: None,
        )


def test_alpn_names_mqtt(broker: Broker, connect: Callable[[LinkSettings], Told]) -> None:
    """A server that chooses by ALPN finds `mqtt` offered."""
    own = broker.authority.server(["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate_file, own.key_file)
    context.set_alpn_protocols(["mqtt"])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        chosen: queue.Queue[str | None] = queue.Queue()

        def serve() -> None:
            with suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as accepted:
                chosen.put(accepted.selected_alpn_protocol())

        threading.Thread(target=serve, daemon=True).start()
        connect(broker.settings("unit-1", port=listening.getsockname()[1], transport="alpn"))
        assert chosen.get(timeout=PATIENCE_S) == "mqtt"
