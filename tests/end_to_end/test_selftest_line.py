"""The self-test's line through a real TURN server (coturn): what is wrong is found, what is well is not blamed."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path as File
from typing import Any

import pytest

from agent.media.facts import IceServer
from agent.media.media_socket import PortRange
from agent.media.server_finder import ServerFinder, trusted
from agent.media.turn_endpoint import Opening
from agent.probes.line import LineProbe
from agent.probes.network import NamesProbe, NetworkProbe, has_carrier, interfaces
from agent.probes.path import Path
from agent.probes.turn import TurnProbe
from agent.selftest import Context
from agent.verdict import Verdict
from tests.bench.net.line import BurstLoss, RandomLoss, Shape
from tests.end_to_end.line_relay import LineRelay
from tests.system.coturn import Coturn, ice_server, is_installed
from tests.system.network import REGION_ADDRESS, Network, why_not
from tests.system.visit import until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not is_installed(), reason="Debian's coturn is not installed"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
NOBODY = "turn:10.71.3.77:3478"
PORTS = PortRange(50000, 50003)
FAR = {"delay_s": 0.02, "jitter_s": 0.005}
HEALTHY = (
    Shape(**FAR),
    Shape(bit_rate=8_000_000, loss=RandomLoss(0.005), **FAR),
    Shape(bit_rate=3_500_000, loss=RandomLoss(0.002), delay_s=0.15),
)
RUNS = 30


@dataclass
class Room:
    """The unit's network, and what the region tells it of its servers."""

    network: Network
    coturn: Coturn

    def test(self, *urls: str, host: str = REGION_ADDRESS) -> list[Verdict]:
        """All of the path and the line, as a self-test does it: a line that is not well is tried a second time,
        since a machine that was busy for a second is no fault of the line."""

        def test() -> list[Verdict]:
            verdicts = asyncio.run(self._test([ice_server(*urls)], host))
            well = all(verdict.ok for verdict in verdicts if verdict.probe == "line")
            return verdicts if well else asyncio.run(self._test([ice_server(*urls)], host))

        return self.network.unit.call(test)

    def over(self, shape: Shape, seed: int = 1) -> list[Verdict]:
        """The same by UDP, over such a line."""

        async def test() -> list[Verdict]:
            async with LineRelay((REGION_ADDRESS, 3478), shape, seed) as port:
                return await self._test([ice_server(f"turn:127.0.0.1:{port}")], REGION_ADDRESS)

        return self.network.unit.call(lambda: asyncio.run(test()))

    async def _test(self, servers: list[IceServer], host: str) -> list[Verdict]:
        async def ask() -> tuple[IceServer, ...]:
            return tuple(servers)

        finder = ServerFinder(partial(trusted, self.coturn.ca_file))
        turn = TurnProbe(ask, lambda: Opening(finder.tls, PORTS))
        path = Path([NetworkProbe(lambda: host), NamesProbe(lambda: host), turn])
        line = LineProbe(path, turn, lambda: Opening(finder.tls, PORTS))
        context = Context()
        verdicts = [*(await path.run(context) or ()), *(await line.run(context) or ())]
        print(json.dumps([(v.probe, v.instruction, round(v.figure, 2), v.unit, v.reason) for v in verdicts]))
        return verdicts

    @contextmanager
    def ruled(self, rule: str) -> Iterator[None]:
        """A rule at the region's end for what the unit sends."""
        chain = f"chain seen {{\ntype filter hook input priority 0;\niifname unit-cable {rule}\n}}"
        nft = ["ip", "netns", "exec", self.network.region, "nft"]
        subprocess.run([*nft, "-f", "-"], input=f"table inet line {{\n{chain}\n}}\n", text=True, check=True)
        try:
            yield
        finally:
            subprocess.run([*nft, "delete", "table", "inet", "line"], check=True)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder: File = tmp_path_factory.mktemp("line")
    with Network() as network, Coturn(folder, REGION_ADDRESS, network.region) as coturn:
        yield Room(network, coturn)


def wrong(verdicts: list[Verdict]) -> list[str]:
    return [verdict.instruction for verdict in verdicts if not verdict.ok]


def word(verdicts: list[Verdict], probe: str) -> Verdict:
    return next(verdict for verdict in verdicts if verdict.probe == probe)


def test_udp_tcp_and_tls_are_open_and_the_line_carries_a_call_over_each(room: Room) -> None:
    coturn = room.coturn
    all_ways = room.test(coturn.udp, coturn.tcp, coturn.tls)
    assert wrong(all_ways) == []
    assert (word(all_ways, "turn").figure, word(all_ways, "turn").unit) == (3, "of 3")
    for url in (coturn.tcp, coturn.tls):
        verdicts = room.test(url)
        assert wrong(verdicts) == []
        assert (word(verdicts, "line").unit, word(verdicts, "line").figure > 0) == ("Mbit/s", True)


def test_ways_that_are_closed_are_told_some_or_all(room: Room) -> None:
    coturn = room.coturn
    assert wrong(room.test(coturn.tcp, NOBODY)) == ["turn_partly"]
    with room.ruled("meta l4proto udp drop"):
        assert wrong(room.test(coturn.udp, coturn.tls)) == ["turn_partly"]
        assert wrong(room.test(coturn.udp)) == ["turn"]
    coturn.hold_still()
    try:
        assert wrong(room.test(coturn.udp, coturn.tcp, coturn.tls)) == ["turn"]
    finally:
        coturn.wake()


@pytest.mark.long
def test_expired_credentials_are_told_in_words_for_it(room: Room) -> None:
    server = ice_server(room.coturn.udp, expires_in_s=-5)
    verdicts = room.network.unit.call(lambda: asyncio.run(room._test([server], REGION_ADDRESS)))
    assert wrong(verdicts) == ["turn"]
    assert "refused our credentials" in word(verdicts, "turn").reason


@pytest.mark.long
def test_a_cable_that_is_out_is_all_that_is_told_and_then_a_missing_address(room: Room) -> None:
    network = room.network
    for wire in ("wifi", "cable"):
        subprocess.run(["ip", "-n", network.region, "link", "set", f"unit-{wire}", "down"], check=True)
    try:
        # The kernel tells of carriers once a second at most (net/core/link_watch.c).
        until(lambda: not has_carrier(network.unit.call(interfaces)), "the carrier is gone")
        assert wrong(room.test(room.coturn.udp)) == ["network_cable"]
        assert wrong(room.test(room.coturn.udp, host="127.0.0.1")) == ["turn"], "nothing is asked of a cable"
        for wire in ("wifi", "cable"):
            subprocess.run(["ip", "-n", network.region, "link", "set", f"unit-{wire}", "up"], check=True)
        until(lambda: has_carrier(network.unit.call(interfaces)), "the carrier is back")
        subprocess.run(["ip", "-n", network.unit.namespace, "address", "flush", "dev", "cable"], check=True)
        assert wrong(room.test(room.coturn.udp)) == ["network_address"]
    finally:
        network.restore()
    assert wrong(room.test(room.coturn.udp, host="no-such-broker.invalid")) == ["name_service"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (Shape(loss=RandomLoss(0.05), **FAR), ["line_loss"]),
        (Shape(loss=BurstLoss(0.08, 3), **FAR), ["line_loss"]),
        (Shape(bit_rate=500_000, **FAR), ["line_narrow"]),
        (Shape(bit_rate=900_000, delay_s=0.1), ["line_narrow"]),
        (Shape(bit_rate=1_500_000, **FAR), []),
    ],
    ids=["5 % random", "8 % in bursts", "0.5 Mbit/s", "0.9 Mbit/s", "1.5 Mbit/s"],
)
def test_a_line_that_loses_or_is_narrow_is_found_as_what_it_is(
    room: Room, shape: Shape, found: list[str]
) -> None:
    assert wrong(room.over(shape)) == found


@pytest.mark.long
def test_a_line_that_is_held_to_a_rate_is_narrow_and_not_lossy(room: Room) -> None:
    with room.ruled("meta l4proto udp limit rate over 60 kbytes/second burst 8 kbytes drop"):
        assert wrong(room.test(room.coturn.udp)) == ["line_narrow"]


@pytest.mark.long
def test_lines_that_are_well_are_never_accused(room: Room) -> None:
    figures: dict[str, list[Any]] = {"Mbit/s": [], "wrong": []}
    for run in range(RUNS):
        verdicts = room.over(HEALTHY[run % len(HEALTHY)], seed=run)
        figures["Mbit/s"].append(round(word(verdicts, "line").figure, 2))
        figures["wrong"] += wrong(verdicts)
    print(json.dumps(figures))
    assert figures["wrong"] == []
