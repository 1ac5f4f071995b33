"""A line that loses packets: a UDP relay between a browser and one of the unit's addresses, on loopback."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
_CANDIDATE = re.compile(
    r"a=candidate:(?P<head>\S+ 1 udp \d+) 127\.0\.0\.1 (?P<port>\d+) typ host.*", re.IGNORECASE
)

Address = tuple[str, int]


class _Side(asyncio.DatagramProtocol):
    def __init__(self, on_datagram: Callable[[bytes, Address], None]) -> None:
        self._on_datagram = on_datagram

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._on_datagram(data, addr)


class LossyRelay:
    """Passes datagrams both ways; each is lost with probability `loss` (0 to 1), repeatably by its seed.

    Everything is lost alike, repeats and feedback too, but only once `loss` is set.
    """

    def __init__(self, seed: int) -> None:
        self.loss = 0.0
        self.passed = self.lost = 0
        self._random = random.Random(seed)
        self._sides: list[asyncio.DatagramTransport] = []

    async def _open_side(self, on_datagram: Callable[[bytes, Address], None]) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Side(on_datagram), local_addr=(LOOPBACK, 0)
        )
        self._sides.append(transport)
        return transport

    async def front_for(self, target_port: int) -> int:
        """Open a port that stands in front of the target's, and return it."""
        browser: Address | None = None

        def from_browser(data: bytes, address: Address) -> None:
            nonlocal browser
            browser = address
            self._pass(data, back, (LOOPBACK, target_port))

        def from_target(data: bytes, _address: Address) -> None:
            if browser is not None:
                self._pass(data, front, browser)

        front = await self._open_side(from_browser)
        back = await self._open_side(from_target)
        port: int = front.get_extra_info("sockname")[1]
        return port

    def _pass(self, data: bytes, side: asyncio.DatagramTransport, to: Address) -> None:
        if self._random.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        side.sendto(data, to)

    async def stand_before(self, sdp: str) -> str:
        """The unit's description with each of its loopback candidates replaced by a port of ours."""
        fronts: dict[str, int] = {}
        lines = []
        for line in sdp.splitlines():
            if not line.startswith("a=candidate:"):
                lines.append(line)
            elif match := _CANDIDATE.fullmatch(line):
                port = match["port"]
                if port not in fronts:
                    fronts[port] = await self.front_for(int(port))
                lines.append(f"a=candidate:{match['head']} {LOOPBACK} {fronts[port]} typ host")
        return "\r\n".join(lines) + "\r\n"

    def close(self) -> None:
        for side in self._sides:
            side.close()


def without_candidates(sdp: str) -> str:
    """A browser's description from which nobody can reach it directly, past the relay."""
    lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
    return "\r\n".join(lines) + "\r\n"
