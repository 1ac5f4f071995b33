"""The kernel's word that the network has changed."""

import asyncio
import socket

import pytest

from agent import network
from agent.network import NetworkWatch, netlink_socket


def test_many_changes_at_once_are_told_as_one(monkeypatch):
    monkeypatch.setattr(network, "SETTLE_S", 0.02)
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    async def main():
        told = []
        watch = NetworkWatch(lambda: told.append(True), lambda: ours)
        for expected in (1, 2):
            for _ in range(5):
                kernel.send(b"address")
            while len(told) < expected:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.04)
            assert len(told) == expected
        watch.close()

    asyncio.run(asyncio.wait_for(main(), 10))
    assert ours.fileno() == -1
    kernel.close()


def test_without_such_a_socket_nothing_is_told(caplog):
    def refuse():
        raise OSError(97, "Address family not supported by protocol")

    async def main():
        NetworkWatch(pytest.fail, refuse).close()

    asyncio.run(main())
    assert "not noticed at once: Address family" in caplog.text


def test_the_kernel_gives_one_here():
    with netlink_socket() as opened:
        assert opened.getsockname()[1] == network.GROUPS
