"""The line measured over real sockets on loopback, in a tenth of the time: what passes, what is lost."""

from __future__ import annotations

import asyncio
import random
import ssl

import pytest

from agent.media import line_measure
from agent.media.ice_servers import Server
from agent.media.ice_url import parse_ice_url
from agent.media.line_measure import NotRelayed, Pace, ask_often, measure, measure_what_can_be
from agent.media.media_socket import PortRange
from agent.media.turn_endpoint import Opening, turn_endpoint
from tests.agent.media.turn_relay import relaying_turn
from tests.agent.media.turn_server import CREDENTIAL, USERNAME, fake_turn

THIN, THICK = Pace(160, 1500.0, 0.1), Pace(1150, 1000.0, 0.2)


async def no_tls() -> ssl.SSLContext:
    raise AssertionError("nothing here needs TLS")


OPENING = Opening(no_tls)


def at(port: int, kind: str = "turn") -> Server:
    return Server(parse_ice_url(f"{kind}:127.0.0.1:{port}"), USERNAME, CREDENTIAL)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_measure, "LAST_S", 0.05)
    monkeypatch.setattr(line_measure, "MEET_AGAIN_S", 0.05)


def test_what_goes_out_comes_back_and_the_addresses_are_given_back() -> None:
    async def main() -> None:
        async with relaying_turn() as server:
            figures = await measure(at(server.port), OPENING, THIN, THICK)
            assert (figures.loss_share, figures.is_full, server.given_back) == (0.0, False, 2)
            assert figures.bit_rate is not None and figures.bit_rate > 1_000_000

    asyncio.run(main())


def test_what_the_line_loses_is_counted_and_a_strangers_packets_are_not() -> None:
    chance = random.Random(5)

    async def main() -> None:
        async with relaying_turn() as server:
            server.passes = lambda data: chance.random() >= 0.2
            running = asyncio.create_task(measure(at(server.port), OPENING, THIN, THICK))
            while not running.done():
                for each in list(server.allocations.values()):
                    for channel in each.peers:
                        server.to(each.client, channel.to_bytes(2, "big") + b"\0\x0dsomebodyelse!")
                await asyncio.sleep(0.02)
            figures = await running
            assert figures.loss_share == pytest.approx(0.2, abs=0.08)

    asyncio.run(main())


def test_a_server_that_lets_nothing_pass_is_asked_small_questions_instead() -> None:
    async def main() -> None:
        async with relaying_turn() as server:
            server.forbids = True
            with pytest.raises(NotRelayed):
                await measure(at(server.port), OPENING, THIN, THICK)
            figures = await measure_what_can_be(at(server.port), at(server.port), OPENING, THIN)
            assert figures is not None
            assert (figures.loss_share, figures.bit_rate) == (0.0, None)
            assert server.given_back == 4

    asyncio.run(main())


def test_without_a_server_or_an_answer_nothing_is_made_up() -> None:
    async def main() -> None:
        assert await measure_what_can_be(None, None, OPENING) is None
        async with fake_turn(silent=True) as silent:
            assert await ask_often(at(silent.port, "stun"), THIN) is None

    asyncio.run(main())


def test_a_name_that_nobody_tells_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_url: object) -> str:
        await asyncio.Event().wait()
        raise AssertionError("never")

    monkeypatch.setattr(line_measure, "resolve", silent)
    monkeypatch.setattr(line_measure, "NAME_WITHIN_S", 0.0)
    assert asyncio.run(measure_what_can_be(None, at(21010), OPENING)) is None


@pytest.mark.parametrize(("within_s", "tries"), [(60.0, 2), (-1.0, 1)])
def test_what_failed_slowly_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, within_s: float, tries: int
) -> None:
    tried = []

    async def fails(*_: object) -> None:
        tried.append(1)
        raise TimeoutError

    monkeypatch.setattr(line_measure, "measure", fails)
    monkeypatch.setattr(line_measure, "AGAIN_WITHIN_S", within_s)
    assert asyncio.run(measure_what_can_be(at(21010), None, OPENING)) is None
    assert len(tried) == tries


def test_one_that_is_broken_off_gives_its_addresses_back() -> None:
    async def main() -> None:
        async with relaying_turn() as server:
            running = asyncio.create_task(measure(at(server.port), OPENING))
            while len(server.allocations) < 2:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert server.given_back == 2

    asyncio.run(main())


def test_a_port_that_the_server_still_knows_is_left_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.media.turn_allocation.NEXT_PORT_AFTER_S", 0.0)

    async def main() -> None:
        async with relaying_turn() as server:
            server.mismatches = 2
            opening = Opening(no_tls, PortRange(21230, 21239))
            async with turn_endpoint(at(server.port), opening) as endpoint:
                assert endpoint.relayed[0] == "127.0.0.1"
            server.mismatches = 100
            with pytest.raises(ConnectionError, match="437"):
                async with turn_endpoint(at(server.port), opening):
                    pass

    asyncio.run(main())
