"""What a connection gathers, and when: our own addresses at once, a relayed one as soon as a server gives it."""

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from agent.media import ice_gathering
from agent.media.aiortc_internals import IceEngine
from agent.media.facts import IceServer
from agent.media.ice_gathering import Gatherer, NoRelay, TransportSettings
from agent.media.media_socket import NoFreePort, PortRange, open_udp
from agent.media.server_finder import ServerFinder
from tests.agent.media.turn_server import CREDENTIAL, USERNAME, fake_turn, fake_turn_over_tcp

LOOPBACK = TransportSettings(("127.0.0.1",), dscp=0)


class Party:
    """One connection that gathers."""

    def __init__(self, settings: TransportSettings, *urls: str, credential: str = CREDENTIAL) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.connection.addTransceiver("audio")
        self.engine = IceEngine(self.connection)
        self.finder = ServerFinder()
        self.later: asyncio.Queue = asyncio.Queue()
        self.gatherer = Gatherer(
            self.engine,
            settings,
            servers=[IceServer(urls, USERNAME, credential)],
            finder=self.finder,
            on_candidate=self.later.put_nowait,
        )

    async def offer(self) -> list[str]:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        lines = self.connection.localDescription.sdp.splitlines()
        return [line for line in lines if line.startswith("a=candidate:")]

    async def close(self) -> None:
        await self.gatherer.close()
        await self.finder.close()
        await self.connection.close()


def test_the_offer_waits_for_no_server_and_candidates_follow() -> None:
    async def main() -> None:
        async with fake_turn() as server, fake_turn(silent=True) as dead:
            party = Party(
                LOOPBACK, f"turn:127.0.0.1:{dead.port}?transport=tcp", f"turn:127.0.0.1:{server.port}"
            )
            [host] = await party.offer()
            assert " 127.0.0.1 " in host and "typ host" in host
            assert party.gatherer.going_on
            relayed = await asyncio.wait_for(party.later.get(), 5)
            assert (relayed.type, relayed.host, relayed.port) == ("relay", "192.0.2.50", 49200)
            assert (relayed.related_address, relayed.related_port) == ("192.0.2.60", 40000)
            assert len(party.engine.protocols) == 2
            await party.close()
            assert server.methods[-1] == "REFRESH", "the relayed address is given back"

    asyncio.run(main())


def test_relay_only_offers_the_relayed_address_alone_and_hides_ours() -> None:
    async def main() -> None:
        async with fake_turn() as server, fake_turn_over_tcp(server) as port:
            party = Party(
                TransportSettings(("127.0.0.1",), relay_only=True), f"turn:127.0.0.1:{port}?transport=tcp"
            )
            [line] = await party.offer()
            assert "192.0.2.50 49200 typ relay raddr 0.0.0.0 rport 9" in line
            assert not party.gatherer.going_on
            await party.close()

    asyncio.run(main())


def test_relay_only_without_a_relay_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with fake_turn() as server:
            relay_only = TransportSettings((), relay_only=True)
            refused = Party(relay_only, f"turn:127.0.0.1:{server.port}", credential="wrong")
            for party in (refused, Party(relay_only), Party(relay_only, f"stun:127.0.0.1:{server.port}")):
                with pytest.raises(NoRelay):
                    await party.offer()
                await party.close()

    asyncio.run(main())
    assert "it refused our credentials" in caplog.text
    assert "wrong" not in caplog.text and USERNAME not in caplog.text


def test_the_next_server_is_tried_when_the_best_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice_gathering, "ALLOCATE_TIMEOUT_S", 0.05)

    async def main() -> None:
        async with fake_turn() as dying, fake_turn() as server:
            party = Party(LOOPBACK, f"turn:127.0.0.1:{dying.port}", f"turn:127.0.0.1:{server.port}")
            for way in party.finder.look_at([IceServer((f"turn:127.0.0.1:{dying.port}",))]):
                assert await party.finder.best([way]) == way
            dying.silent = True
            await party.offer()
            relayed = await asyncio.wait_for(party.later.get(), 5)
            assert relayed.type == "relay"
            assert "ALLOCATE" in server.methods
            await party.close()

    asyncio.run(main())


def test_a_used_up_range_is_an_error_and_a_foreign_address_is_left_out() -> None:
    async def main() -> None:
        with open_udp("127.0.0.1", None, 0) as taken:
            port = taken.getsockname()[1]
            party = Party(TransportSettings(("127.0.0.1",), ports=PortRange(port, port)))
            with pytest.raises(NoFreePort, match="wider"):
                await party.offer()
            await party.close()
        party = Party(TransportSettings(("203.0.113.77", "127.0.0.1"), dscp=0))
        [line] = await party.offer()
        assert " 127.0.0.1 " in line
        await party.close()

    asyncio.run(main())


def test_our_own_address_as_a_stun_server_sees_it_follows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice_gathering, "is_host_address", lambda address: True)

    async def main() -> None:
        async with fake_turn() as server:
            party = Party(LOOPBACK, f"stun:127.0.0.1:{server.port}")
            [host] = await party.offer()
            reflexive = await asyncio.wait_for(party.later.get(), 5)
            assert (reflexive.type, reflexive.host) == ("srflx", "192.0.2.60")
            assert str(reflexive.related_port) in host
            await party.close()

    asyncio.run(main())
