from __future__ import annotations

import socket
import time

from agent.media.arrival import ArrivalClock

WAITED_S = 0.02


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
        for _ in range(50):  # the kernel begins to stamp a little after it was asked
            sent_at = time.monotonic()
            sender.sendto(b"second", receiver.getsockname())
            time.sleep(WAITED_S)
            receiver.recv(9)
            came_at, read_at = clock.now(), time.monotonic()
            if came_at <= read_at - WAITED_S:
                break
        assert sent_at - 0.001 <= came_at <= read_at - WAITED_S


def test_without_a_socket_it_is_now() -> None:
    before = time.monotonic()
    for clock in (ArrivalClock(None), ArrivalClock(2**20)):
        assert before <= clock.now() <= time.monotonic()
