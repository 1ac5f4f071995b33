"""Servers asked side by side, each once; what has died is told in words, and once."""

import asyncio
import logging
import ssl

import pytest

from agent.media.facts import IceServer
from agent.media.ice_servers import FRESH_S
from agent.media.server_finder import ServerFinder, reason_of, trusted
from provisioning.pki import Authority

ONE, TWO = "turn:one.example", "turn:two.example"


class Network:
    """Answers when told to; a server it does not know of is silent."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, asyncio.Event] = {}
        self.faults: dict[str, OSError] = {}

    async def probe(self, url, tls) -> str:
        self.asked.append(url.host)
        if url.host in self.faults:
            raise self.faults[url.host]
        await self.answers.setdefault(url.host, asyncio.Event()).wait()
        return "192.0.2.1"


def test_all_are_asked_at_once_and_one_that_answered_is_not_asked_again(monkeypatch) -> None:
    async def main() -> None:
        network = Network()
        finder = ServerFinder(probe=network.probe)
        given = [IceServer((ONE, TWO))]
        finder.look_at(given)
        first, second = finder.look_at(given)
        finding = asyncio.create_task(finder.best([first, second]))
        await asyncio.sleep(0)
        assert network.asked == ["one.example", "two.example"]
        network.answers["one.example"].set()
        assert await finding == first
        finder.look_at(given)
        await asyncio.sleep(0)
        assert network.asked == ["one.example", "two.example"]
        monkeypatch.setattr("agent.media.ice_servers.FRESH_S", -FRESH_S)
        finder.look_at(given)
        await asyncio.sleep(0)
        assert network.asked[2:] == ["one.example"]
        await finder.close()
        assert await finder.best([second]) is None, "nothing is asked any more"

    asyncio.run(main())


def test_a_dead_one_is_told_once_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        network = Network()
        network.faults["one.example"] = ConnectionRefusedError(111, "Connection refused")
        finder = ServerFinder(probe=network.probe)
        for _ in range(2):
            first, second = finder.look_at([IceServer((ONE, TWO, "nonsense:"))])
            await asyncio.sleep(0)
            network.answers["two.example"].set()
            assert await finder.best([first, second]) == second
            assert await finder.best([first]) is None
        finder.failed(second, ConnectionError("it refused us (403)"))
        assert await finder.best([second]) is None

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3, said
    assert "turn:one.example:3478 cannot be used now: Connection refused" in said
    assert "turn:two.example:3478 cannot be used now: it refused us (403)" in said


def test_faults_are_told_in_words() -> None:
    untrusted = ssl.SSLCertVerificationError(1, "certificate verify failed")
    untrusted.verify_message = "unable to get local issuer certificate"
    assert "not trusted (unable to get" in reason_of(untrusted)
    assert reason_of(TimeoutError()) == "no answer"
    assert reason_of(ConnectionError()) == "ConnectionError"


def test_the_regions_authority_is_trusted_beside_the_systems(tmp_path) -> None:
    authority = Authority(tmp_path)
    context = trusted(authority.server().ca_file)
    subjects = [dict(part[0] for part in ca["subject"]) for ca in context.get_ca_certs()]
    assert len(subjects) == len(ssl.create_default_context().get_ca_certs()) + 1
    assert context.check_hostname
