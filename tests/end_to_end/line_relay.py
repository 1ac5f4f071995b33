"""A line of any kind before a TURN server: a UDP relay whose each direction is the benches' arithmetic."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.bench.net.line import Line, Shape

Address = tuple[str, int]


class _Side(asyncio.DatagramProtocol):
    def __init__(self, on_datagram: Any) -> None:
        self.datagram_received = on_datagram


class LineRelay:
    """Use as a context manager on the loop. Each socket that comes gets one of its own towards the server."""

    def __init__(self, server: Address, shape: Shape, seed: int) -> None:
        self._server = server
        self._up, self._down = Line(shape, seed), Line(shape, seed + 1)
        self._loop = asyncio.get_running_loop()
        self._backs: dict[Address, asyncio.Future[Any]] = {}
        self._front: Any = None

    async def __aenter__(self) -> int:
        self._front, _ = await self._loop.create_datagram_endpoint(
            lambda: _Side(self._from_unit), local_addr=("127.0.0.1", 0)
        )
        return int(self._front.get_extra_info("sockname")[1])

    async def __aexit__(self, *_error: object) -> None:
        self._front.close()
        for back in self._backs.values():
            (await back).close()

    def _from_unit(self, data: bytes, unit: Address) -> None:
        if unit not in self._backs:
            self._backs[unit] = self._loop.create_future()
            self._loop.create_task(self._open(unit))
        self._after(self._up, data, lambda: self._pass_up(data, unit))

    async def _open(self, unit: Address) -> None:
        def from_server(data: bytes, _address: Address) -> None:
            self._after(self._down, data, lambda: self._front.sendto(data, unit))

        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _Side(from_server), remote_addr=self._server
        )
        self._backs[unit].set_result(transport)

    def _pass_up(self, data: bytes, unit: Address) -> None:
        back = self._backs[unit]
        if back.done():
            back.result().sendto(data)

    def _after(self, line: Line, data: bytes, work: Any) -> None:
        arrives_at = line.send(self._loop.time(), len(data)).arrives_at
        if arrives_at is not None:
            self._loop.call_at(arrives_at, work)
