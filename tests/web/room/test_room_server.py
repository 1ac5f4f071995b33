"""The app behind its real server: feeds end with it, browsers that hang up are noticed, ports are told."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from fakes import SECRET, FakeController, screen

from web.room import PortTaken, RoomWebSettings, Server, create_app, serve

with socket.socket() as _free:
    _free.bind(("127.0.0.1", 0))
    PORT = _free.getsockname()[1]
ASK = f"GET /api/feed HTTP/1.1\r\nHost: localhost:{PORT}\r\nCookie: room_{PORT}={SECRET}\r\n\r\n".encode()


@pytest.fixture
def controller() -> FakeController:
    return FakeController()


@pytest.fixture
def server(controller: FakeController) -> Iterator[Server]:
    running = serve(
        create_app(controller, RoomWebSettings(port=PORT, browser_secret=SECRET)), "127.0.0.1", PORT
    )
    yield running
    running.stop()


def feed() -> socket.socket:
    line = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    line.sendall(ASK)
    return line


def read_until(line: socket.socket, wanted: bytes) -> bytes:
    got = b""
    while wanted not in got:
        more = line.recv(65536)
        assert more, "the feed ended too soon"
        got += more
    return got


def test_an_event_is_sent_when_it_happens_not_when_a_buffer_is_full(
    server: Server, controller: FakeController
) -> None:
    with feed() as line:
        read_until(line, b'"page":"idle"')
        controller.show(screen(page="fault"))
        assert b"event: screen" in read_until(line, b'"page":"fault"')


def test_a_browser_that_hangs_up_gives_its_place_back(server: Server, controller: FakeController) -> None:
    with feed() as line:
        read_until(line, b"event: screen")
        assert len(controller.subscribers) == 1
    give_up_at = time.monotonic() + 5
    while controller.subscribers and time.monotonic() < give_up_at:
        time.sleep(0.02)
    assert controller.subscribers == []


def test_stop_ends_open_feeds_and_frees_the_port(server: Server, controller: FakeController) -> None:
    with feed() as line:
        read_until(line, b"event: screen")
        server.stop()
        assert controller.subscribers == []
    again = serve(
        create_app(controller, RoomWebSettings(port=PORT, browser_secret=SECRET)), "127.0.0.1", PORT
    )
    again.stop()
    again.stop()


def test_a_taken_port_is_a_clear_message(server: Server, controller: FakeController) -> None:
    app = create_app(controller, RoomWebSettings(port=PORT, browser_secret=SECRET))
    with pytest.raises(PortTaken, match=f"port {PORT} on 127.0.0.1 is taken"):
        serve(app, "127.0.0.1", PORT)
