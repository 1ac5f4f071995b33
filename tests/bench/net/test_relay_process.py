from __future__ import annotations

import asyncio

from tests.bench.net.cases import Case
from tests.bench.net.line import RandomLoss, Shape
from tests.bench.net.relay_process import Relay

HOME = "\r\n".join(
    [
        "v=0",
        "a=candidate:abc 1 udp 2130706431 127.0.0.1 {port} typ host",
        "a=candidate:def 1 udp 2130706430 10.0.0.1 {port} typ host",
    ]
)


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait((data, addr))


async def _next(inbox: _Inbox) -> tuple[bytes, tuple[str, int]]:
    return await asyncio.wait_for(inbox.received.get(), 5)


async def _exchange() -> None:
    loop = asyncio.get_running_loop()
    home, home_inbox = await loop.create_datagram_endpoint(_Inbox, local_addr=("127.0.0.1", 0))
    away, away_inbox = await loop.create_datagram_endpoint(_Inbox, local_addr=("127.0.0.1", 0))
    relay = Relay(Case("all lost", "", Shape(1_000_000, loss=RandomLoss(1.0))), seed=1, media_from="away")
    port = home.get_extra_info("sockname")[1]
    described = (await relay.stand_before(HOME.format(port=port)))["sdp"]
    front = ("127.0.0.1", int(described.split("127.0.0.1 ")[1].split()[0]))
    assert "10.0.0.1" not in described

    while home_inbox.received.empty():  # the first ones may be lost, as a connectivity check may
        away.sendto(b"question", front)
        await asyncio.sleep(0.01)
    _, back = await _next(home_inbox)
    await relay.begin()
    home.sendto(b"answer", back)
    assert await _next(away_inbox) == (b"answer", front)

    await relay.impair()
    away.sendto(b"lost", front)
    while not (log := await relay.log())["media"]["lost"]:
        await asyncio.sleep(0.001)
    assert sum(log["media"]["lost"]) == 1
    assert sum(log["feedback"]["passed_kbit_per_s"]) > 0
    assert log["feedback"]["line_kbit_per_s"][0] == 1000
    relay.close()
    home.close()
    away.close()


def test_passes_both_ways_counts_and_loses_what_it_should() -> None:
    asyncio.run(_exchange())
