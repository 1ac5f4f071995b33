"""One question to one server: STUN and TURN by UDP and TCP, silence, a closed port, and what is no TURN server."""

import asyncio
import ssl

import pytest

from agent.media import ice_probe
from agent.media.ice_probe import probe
from agent.media.ice_url import parse_ice_url
from tests.agent.media.turn_server import FakeTurn, fake_turn, fake_turn_over_tcp


async def ask(url: str) -> str:
    async def tls() -> ssl.SSLContext:
        return ssl.create_default_context()

    return await probe(parse_ice_url(url), tls)


def test_stun_and_turn_servers_answer_without_credentials() -> None:
    async def main() -> None:
        async with fake_turn() as server, fake_turn_over_tcp(server) as tcp_port:
            assert await ask(f"stun:localhost:{server.port}") == "127.0.0.1"
            assert await ask(f"turn:127.0.0.1:{server.port}") == "127.0.0.1"
            assert await ask(f"turn:127.0.0.1:{tcp_port}?transport=tcp") == "127.0.0.1"
            assert server.methods == ["BINDING", "ALLOCATE", "ALLOCATE"]

    asyncio.run(main())


def test_a_silent_server_is_asked_again_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice_probe, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(ice_probe, "RESEND_S", 0.01)

    async def main() -> None:
        async with fake_turn(silent=True) as server:
            with pytest.raises(TimeoutError):
                await ask(f"turn:127.0.0.1:{server.port}")
            assert server.methods == ["ALLOCATE"] * ice_probe.UDP_QUESTIONS

    asyncio.run(main())


def test_a_closed_port_and_a_server_of_another_kind_are_told_at_once() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def talk_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(0x2F31 + 20))
        writer.close()

    async def main() -> None:
        async with fake_turn() as server:
            port = server.port
        for url in (f"turn:127.0.0.1:{port}", f"turn:127.0.0.1:{port}?transport=tcp"):
            with pytest.raises(ConnectionRefusedError):
                await ask(url)
        for impostor in (hang_up, talk_http):
            async with await asyncio.start_server(impostor, "127.0.0.1", 0) as listening:
                port = listening.sockets[0].getsockname()[1]
                with pytest.raises(OSError):
                    await ask(f"turn:127.0.0.1:{port}?transport=tcp")

    asyncio.run(main())


def test_plain_tcp_is_no_tls() -> None:
    async def main() -> None:
        async with fake_turn_over_tcp(FakeTurn()) as port:
            with pytest.raises(OSError):
                await ask(f"turns:localhost:{port}")

    asyncio.run(main())
