from __future__ import annotations

import socket
import time

from agent.media.arrival import ArrivalClock


def test_a_datagram_that_waited_came_when_it_came() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        clock = ArrivalClock(receiver.fileno())
        sender.sendto(b"first", receiver.getsockname())
        receiver.recv(9)
        clock.now()  # the first question switches time stamps on
        sent_at = time.monotonic()
        sender.sendto(b"second", receiver.getsockname())
        time.sleep(0.05)
        receiver.recv(9)
        assert sent_at - 0.01 <= clock.now() <= time.monotonic() - 0.045


def test_without_a_socket_it_is_now() -> None:
    before = time.monotonic()
    for clock in (ArrivalClock(None), ArrivalClock(2**20)):
        assert before <= clock.now() <= time.monotonic()
