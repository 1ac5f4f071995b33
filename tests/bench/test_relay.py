from __future__ import annotations

import asyncio

from tests.bench.relay import LossyRelay, without_candidates

UNIT = "v=0\r\na=mid:0\r\na=candidate:abc 1 udp 2130706431 127.0.0.1 {port} typ host\r\n"


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.put_nowait((data, addr))


async def _exchange() -> None:
    loop = asyncio.get_running_loop()
    unit, unit_inbox = await loop.create_datagram_endpoint(_Inbox, local_addr=("127.0.0.1", 0))
    browser, browser_inbox = await loop.create_datagram_endpoint(_Inbox, local_addr=("127.0.0.1", 0))
    relay = LossyRelay(seed=1)
    try:
        unit_port = unit.get_extra_info("sockname")[1]
        described = await relay.stand_before(UNIT.format(port=unit_port))
        front = int(described.split("127.0.0.1 ")[1].split()[0])
        assert front != unit_port

        browser.sendto(b"question", ("127.0.0.1", front))
        data, back = await asyncio.wait_for(unit_inbox.received.get(), 5)
        assert data == b"question"
        unit.sendto(b"answer", back)
        assert await asyncio.wait_for(browser_inbox.received.get(), 5) == (b"answer", ("127.0.0.1", front))

        relay.loss = 1.0
        browser.sendto(b"lost", ("127.0.0.1", front))
        while not relay.lost:
            await asyncio.sleep(0.001)
        assert unit_inbox.received.empty()
    finally:
        relay.close()
        unit.close()
        browser.close()


def test_passes_both_ways_and_loses_what_it_should() -> None:
    asyncio.run(_exchange())


def test_a_browser_behind_the_relay_cannot_be_reached_past_it() -> None:
    assert "candidate" not in without_candidates(UNIT.format(port=1))
    assert without_candidates(UNIT.format(port=1)).startswith("v=0\r\na=mid:0\r\n")
