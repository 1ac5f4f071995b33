"""A relayed address of ours for a moment, without a call: to see whether a TURN server gives one, and to test the
line through it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from agent.media.ice_probe import resolve
from agent.media.ice_servers import Server
from agent.media.media_socket import DSCP_AF41, PortRange
from agent.media.turn_allocation import Address, relayed

ALLOCATE_WITHIN_S = 3.0
"""As long as a call waits for one server (agent/media/ice_gathering.py): what takes longer carries none."""
CLOSED_WITHIN_S = 1.5


@dataclass(frozen=True, slots=True)
class Opening:
    """How sockets towards TURN servers are opened: as a call's, or the firewall would judge another thing."""

    tls: Callable[[], Awaitable[ssl.SSLContext]]
    ports: PortRange | None = None
    dscp: int = DSCP_AF41


class TurnEndpoint(asyncio.DatagramProtocol):
    """One end. on_datagram: gets what comes. `fault`: what the server said to something that was sent."""

    def __init__(self) -> None:
        self.on_datagram: Callable[[bytes], None] = lambda data: None
        self.relayed: Address = ("", 0)
        self.fault: Exception | None = None
        self._transport: Any = None
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - the engine's own
        """There is a relayed address."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's own
        """Something came to it."""
        self.on_datagram(data)

    def error_received(self, error: Exception) -> None:
        """Something could not be sent."""
        self.fault = error

    def connection_lost(self, error: Exception | None) -> None:
        """The server is gone, or we have closed it."""
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, data: bytes, to: Address) -> None:
        """From the relayed address; the first to each address asks the server for a channel before."""
        self._transport.sendto(data, to)

    async def close(self) -> None:
        """Give the relayed address back."""
        if self._transport is not None:
            self._transport.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closed, CLOSED_WITHIN_S)


@asynccontextmanager
async def turn_endpoint(server: Server, opening: Opening) -> AsyncIterator[TurnEndpoint]:
    """Resolve the server's name and get an address there. Raises OSError, or the engine's own error."""
    endpoint = TurnEndpoint()
    try:
        async with asyncio.timeout(ALLOCATE_WITHIN_S):
            address = await resolve(server.url)
            endpoint.relayed, _ours = await relayed(
                server, address, endpoint, ports=opening.ports, dscp=opening.dscp, tls=opening.tls
            )
        yield endpoint
    finally:
        await endpoint.close()
