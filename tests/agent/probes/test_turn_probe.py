"""TURN over each way that the region names; asked of the region in memory alone."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest

from agent.contract.events import Intent, Notice
from agent.contract.signalling import IceServer as Told
from agent.ice_asking import IceAsking
from agent.media.facts import IceServer
from agent.media.turn_endpoint import Opening
from agent.notices import Notices
from agent.probes.turn import TurnProbe
from agent.selftest import Context
from agent.verdict import well
from tests.agent.media.turn_server import CREDENTIAL, USERNAME, FakeTurn, fake_turn, fake_turn_over_tcp


async def no_tls() -> ssl.SSLContext:
    raise AssertionError("nothing here needs TLS")


def probe_of(*urls: str, credential: str = CREDENTIAL) -> TurnProbe:
    async def ask() -> tuple[IceServer, ...]:
        return (IceServer(urls, USERNAME, credential),) if urls else ()

    return TurnProbe(ask, lambda: Opening(no_tls))


async def gone() -> int:
    """A port where nobody is."""
    async with fake_turn() as server:
        return server.port


def test_all_ways_are_tried_and_the_best_is_kept_for_the_line() -> None:
    async def main() -> None:
        async with fake_turn() as server, fake_turn_over_tcp(server) as tcp_port:
            udp, tcp = f"turn:127.0.0.1:{server.port}", f"turn:127.0.0.1:{tcp_port}?transport=tcp"
            probe = probe_of(tcp, udp)
            assert await probe.run(Context()) == [well("turn", 2, "of 2")]
            assert str(probe.relaying.url if probe.relaying else "") == udp
            assert server.methods.count("REFRESH") == 2, "what was given is given back"

    asyncio.run(main())


def test_one_way_that_is_closed_is_a_warning_and_all_are_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        nobody = f"turn:127.0.0.1:{await gone()}?transport=tcp"
        async with fake_turn() as server:
            here = f"turn:127.0.0.1:{server.port}"
            [partly] = await probe_of(nobody, here).run(Context()) or []
            assert (partly.instruction, partly.figure, partly.unit) == ("turn_partly", 1, "of 2")
            assert partly.reason.startswith(f"{nobody}: ")
            refused = probe_of(here, credential="wrong")
            [fault] = await refused.run(Context()) or []
            assert (fault.instruction, refused.relaying) == ("turn", None)
            assert "refused our credentials" in fault.reason

    caplog.set_level(logging.INFO)
    asyncio.run(main())
    assert "wrong" not in caplog.text and USERNAME not in caplog.text


def test_a_region_without_turn_is_well_and_its_stun_server_serves_the_line() -> None:
    async def main() -> None:
        assert await probe_of().run(Context()) == [well("turn", 0, "of 0")]
        probe = probe_of("stun:127.0.0.1:21299")
        assert await probe.run(Context()) == [well("turn", 0, "of 0")]
        assert (probe.relaying, probe.asked is not None, probe.known) == (None, True, True)

    asyncio.run(main())


def test_a_test_that_ends_leaves_a_silent_server_at_once() -> None:
    async def main() -> None:
        context = Context()
        async with fake_turn_over_tcp(FakeTurn(silent=True)) as port:
            running = asyncio.create_task(probe_of(f"turn:127.0.0.1:{port}?transport=tcp").run(context))
            await asyncio.sleep(0.05)
            context.stopped.set()
            assert await asyncio.wait_for(running, 1) is None

    asyncio.run(main())


class Region:
    """Answers, or does not."""

    def __init__(self, answer: Notice | None, reached: bool = True) -> None:
        self.answer, self.reached = answer, reached
        self.notices = Notices()
        self.asked: list[Intent] = []

    def intend(self, kind: str, intent: Intent) -> bool:
        assert kind == "ice_servers"
        self.asked.append(intent)
        if self.answer is not None:
            self.notices.take("ice_servers", Notice(id="of-another-question", ice_servers=()))
            self.notices.take("ice_servers", self.answer.model_copy(update={"id": intent.id}))
        return self.reached

    def ask(self) -> tuple[IceServer, ...] | None:
        return asyncio.run(IceAsking(self.intend, lambda: self.notices).servers())


def test_the_regions_answer_to_our_own_question_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(urls=("turn:turn.region.example",), username="u", credential="c")
    assert Region(Notice(ice_servers=(told,))).ask() == (IceServer(("turn:turn.region.example",), "u", "c"),)
    assert Region(Notice(ice_servers=())).ask() == ()
    assert Region(None, reached=False).ask() is None
    monkeypatch.setattr("agent.ice_asking.ANSWER_WITHIN_S", 0.01)
    older = Region(None)
    assert older.ask() is None
    older.notices.take("ice_servers", Notice(id=older.asked[0].id, ice_servers=()))  # too late, and no harm


def test_an_older_region_is_no_fault() -> None:
    async def ask() -> None:
        return None

    probe = TurnProbe(ask, lambda: Opening(no_tls))
    assert asyncio.run(probe.run(Context())) is None
    assert probe.known is False
