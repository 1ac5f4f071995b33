"""A relayed address: by UDP from the firewall's ports and by TCP; and what a refusal means, in our words."""

import asyncio
import ssl

import pytest
from aioice import ice

from agent.media.ice_servers import Server
from agent.media.ice_url import parse_ice_url
from agent.media.media_socket import PortRange
from agent.media.turn_allocation import relayed
from tests.agent.media.turn_server import (
    CREDENTIAL,
    MAPPED,
    RELAYED,
    USERNAME,
    FakeTurn,
    fake_turn,
    fake_turn_over_tcp,
)


async def no_tls() -> ssl.SSLContext:
    raise AssertionError("nothing here needs TLS")


async def allocate(url: str, ports: PortRange | None = None):
    protocol = ice.StunProtocol(ice.Connection(ice_controlling=False))
    server = Server(parse_ice_url(url), USERNAME, CREDENTIAL)
    try:
        return await relayed(server, "127.0.0.1", protocol, ports=ports, dscp=0, tls=no_tls)
    finally:
        if hasattr(protocol, "transport"):
            await protocol.close()


def test_an_address_by_udp_from_our_ports_and_by_tcp() -> None:
    async def main() -> None:
        async with fake_turn() as server, fake_turn_over_tcp(server) as tcp_port:
            assert await allocate(f"turn:127.0.0.1:{server.port}") == (RELAYED, MAPPED)
            assert await allocate(f"turn:127.0.0.1:{tcp_port}?transport=tcp") == (RELAYED, MAPPED)
            with pytest.raises(OSError, match="wider"):
                await allocate(f"turn:127.0.0.1:{server.port}", PortRange(server.port, server.port))

    asyncio.run(main())


@pytest.mark.parametrize(("code", "words"), [(403, "403"), (486, "quota"), (508, "relay port"), (437, "437")])
def test_a_refusal_is_told_in_our_words_alone(code: int, words: str) -> None:
    async def main() -> None:
        server = FakeTurn()
        server.refuses = code
        async with fake_turn_over_tcp(server) as port:
            with pytest.raises(ConnectionError, match=words) as caught:
                await allocate(f"turn:127.0.0.1:{port}?transport=tcp")
            assert "Kanariefågel" not in str(caught.value)

    asyncio.run(main())
