"""A compositor that answers, one that does not, and none."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import pytest

from firmware.kiosk import compositor


@pytest.fixture
def wayland(tmp_path: Path) -> Path:
    return tmp_path / "wayland-0"


def test_it_answers_a_sync(wayland: Path) -> None:
    asked: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client:
            asked.append(client.recv(12))
            client.sendall(struct.pack("=III", 2, 12 << 16, 0))

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(wayland))
        listening.listen()
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        assert compositor.answers(wayland)
        thread.join()
    assert struct.unpack("=III", asked[0]) == (1, 12 << 16, 2)


def test_it_hangs_or_is_not_there(wayland: Path) -> None:
    assert not compositor.answers(wayland)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(wayland))
        listening.listen()
        assert not compositor.answers(wayland, within_s=0.02)
