"""A relayed address of ours at a TURN server (RFC 8656), over UDP, TCP or TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from agent.media.aiortc_internals import TurnOverStream, TurnOverUdp, allocate, stun_error_code
from agent.media.ice_servers import Server
from agent.media.ice_url import Transport
from agent.media.media_socket import PortRange, mark, open_udp

LIFETIME_S = 600  # RFC 8656, section 3.2: the default; refreshed for as long as the call goes on
CHANNEL_REFRESH_S = 500  # a channel lives 600 s (RFC 8656, section 12)
MISMATCH = 437
"""The server still knows an address that was given back a moment ago from the same port of ours: take another port
(RFC 8656, section 7.4; media_socket.REST_S)."""
PORTS_TRIED, NEXT_PORT_AFTER_S = 6, 0.25
REFUSALS = {
    401: "it refused our credentials: too old, or region and server have different secrets (401)",
    403: "it refused us (403)",
    486: "its quota is used up (486)",
    508: "it has no relay port left (508)",
}

Address = tuple[str, int]


async def relayed(
    server: Server,
    address: str,
    protocol: asyncio.DatagramProtocol,
    *,
    ports: PortRange | None,
    dscp: int,
    tls: Callable[[], Awaitable[ssl.SSLContext]],
) -> tuple[Address, Address]:
    """Let the protocol speak through the server; our relayed address, and our own as the server sees it.

    address: the server's, as its name was resolved. Raises ConnectionError when the server refuses, else the
    network's OSError or the engine's own error.
    """
    for left in reversed(range(PORTS_TRIED)):
        transport, client = await _client(server, (address, server.url.port), ports, dscp, tls)
        try:
            turn = await allocate(client, protocol)
        except BaseException as error:
            transport.close()
            code = stun_error_code(error)
            if code is None:
                raise
            if code != MISMATCH or server.url.transport is not Transport.UDP or not left:
                raise ConnectionError(REFUSALS.get(code, f"it refused with {code}")) from error
            await asyncio.sleep(NEXT_PORT_AFTER_S)
        else:
            return turn.get_extra_info("sockname"), turn.get_extra_info("related_address")
    raise AssertionError("the last try returns or raises")


async def _client(
    server: Server,
    address: Address,
    ports: PortRange | None,
    dscp: int,
    tls: Callable[[], Awaitable[ssl.SSLContext]],
) -> tuple[asyncio.BaseTransport, TurnOverUdp | TurnOverStream]:
    loop = asyncio.get_running_loop()
    arguments: dict[str, Any] = {
        "username": server.username,
        "password": server.credential,
        "lifetime": LIFETIME_S,
        "channel_refresh_time": CHANNEL_REFRESH_S,
    }
    if server.url.transport is Transport.UDP:
        anywhere = "::" if ":" in address[0] else "0.0.0.0"  # noqa: S104 - a client's end, connected at once
        opened = open_udp(anywhere, ports, dscp)
        try:
            opened.connect(address)
            return await loop.create_datagram_endpoint(lambda: TurnOverUdp(address, **arguments), sock=opened)
        except BaseException:
            opened.close()
            raise
    secure: dict[str, Any] = {}
    if server.url.transport is Transport.TLS:
        secure = {"ssl": await tls(), "server_hostname": server.url.host}
    transport, client = await loop.create_connection(
        lambda: TurnOverStream(address, **arguments), *address, **secure
    )
    mark(transport.get_extra_info("socket"), dscp)
    return transport, client
