"""Calls between the unit's media and the office's network, with real TURN servers (coturn) between them.

Printed: from the order to connect to our offer, and to the first packet of the other party's media.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.media.facts import CallSettings, IceServer, MediaLost
from agent.media.ice_servers import PATIENCE_S
from agent.media.media_socket import PortRange
from agent.media.server_finder import ServerFinder, trusted
from tests.system.coturn import Coturn, ice_server, is_installed
from tests.system.network import REGION_ADDRESS, Network, why_not
from tests.system.office_party import OfficeParty
from tests.system.unit_media import WITHIN_S, Failed, Party, Route, UnitMedia

CHROMIUM = "/usr/bin/chromium"
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not is_installed(), reason="Debian's coturn is not installed"),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]

SECOND_ADDRESS = "10.71.0.9"
NOBODY = "turn:10.71.3.77:3478"  # an address of the office's wire that no machine has: no answer of any kind
DEAD_STUN = "stun:10.71.3.78:3478"
RELAY = CallSettings(relay_only=True)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PAGE = """<video id=v autoplay muted></video><script>
const early = [];
async function join(sdp, iceServers) {
  window.stream ??= await navigator.mediaDevices.getUserMedia(
    {audio: true, video: {width: 320, height: 180, frameRate: 20}});
  window.pc?.close();
  const pc = window.pc = new RTCPeerConnection({iceServers, iceTransportPolicy: 'relay'});
  pc.ontrack = event => { v.srcObject = event.streams[0]; };
  pc.onicecandidate = event => trickle(event.candidate && event.candidate.toJSON());
  await pc.setRemoteDescription({type: 'offer', sdp});
  stream.getTracks().forEach(track => pc.addTrack(track, stream));
  await pc.setLocalDescription(await pc.createAnswer());
  for (const candidate of early.splice(0)) await pc.addIceCandidate(candidate);
  return pc.localDescription.sdp;
}
async function add(candidate) {
  if (window.pc?.remoteDescription) await pc.addIceCandidate(candidate); else early.push(candidate);
}
async function pictures() {
  for (const report of (await pc.getStats()).values())
    if (report.type === 'inbound-rtp' && report.kind === 'video') return report.framesDecoded ?? 0;
  return 0;
}
</script>"""

Work = Callable[[Party, ServerFinder], Awaitable[None]]


@dataclass
class World:
    """The network with two TURN servers in the middle."""

    network: Network
    first: Coturn
    second: Coturn

    def run(self, work: Work) -> None:
        """Do this on the unit's network, with a stock aiortc connection on the office's."""
        with OfficeParty(self.network.office) as party:
            self.network.unit.call(lambda: asyncio.run(self._run(work, party)))

    async def _run(self, work: Work, party: Party) -> None:
        finder = ServerFinder(partial(trusted, self.first.ca_file))
        try:
            await work(party, finder)
        finally:
            await finder.close()

    @contextmanager
    def without_udp(self) -> Iterator[None]:
        """The unit's firewall lets TCP through alone, and says nothing."""
        rules = "\n".join(
            ["table inet no_udp {"]
            + [
                f"chain {hook} {{\ntype filter hook {hook} priority 0;\nmeta l4proto udp drop\n}}"
                for hook in ("input", "output")
            ]
            + ["}\n"]
        )
        nft = ["ip", "netns", "exec", self.network.unit.namespace, "nft"]
        subprocess.run([*nft, "-f", "-"], input=rules, text=True, check=True)
        try:
            yield
        finally:
            subprocess.run([*nft, "delete", "table", "inet", "no_udp"], check=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("turn")
    with Network() as network:
        address = ["address", "add", f"{SECOND_ADDRESS}/32", "dev", "lo"]
        subprocess.run(["ip", "-n", network.region, *address], check=True)
        with (
            Coturn(folder, REGION_ADDRESS, network.region) as first,
            Coturn(folder, SECOND_ADDRESS, network.region) as second,
        ):
            yield World(network, first, second)
            print(first.log())


async def more_pictures(party: Party, count: int) -> None:
    """Until so many have been decoded."""
    async with asyncio.timeout(WITHIN_S):
        while await party.pictures() < count:
            await asyncio.sleep(0.05)


def say(what: str, route: Route) -> None:
    print(json.dumps({what: asdict(route)}))


def test_udp_tcp_and_tls_each_carry_a_call(world: World) -> None:
    first = world.first

    async def work(party: Party, finder: ServerFinder) -> None:
        async with UnitMedia(CallSettings(), party, finder) as media:
            route = await media.connect([])
            say("direct", route)
            assert (route.local, route.way) == ("host", "direct")
        for name, url in (("udp", first.udp), ("tcp", first.tcp), ("tls", first.tls)):
            async with UnitMedia(RELAY, party, finder) as media:
                route = await media.connect([ice_server(url)])
                say(f"turn over {name}", route)
                assert (route.local, route.way, route.address) == ("relay", name, REGION_ADDRESS)

    world.run(work)


def test_with_udp_blocked_tcp_is_chosen_and_carries_the_call(world: World) -> None:
    first = world.first

    async def work(party: Party, finder: ServerFinder) -> None:
        for name, urls in (
            ("tcp", [first.udp, first.tls, first.tcp]),
            ("tls", [first.udp, first.tls]),
        ):
            async with UnitMedia(CallSettings(), party, finder) as media:
                route = await media.connect([ice_server(*urls)])
                say(f"udp blocked, {urls}", route)
                assert (route.local, route.way) == ("relay", name)

    with world.without_udp():
        world.run(work)


def test_dead_servers_first_in_the_list_cost_no_more_than_our_patience(world: World) -> None:
    async def work(party: Party, finder: ServerFinder) -> None:
        dead_first = [IceServer((DEAD_STUN,)), ice_server(NOBODY), ice_server(world.first.udp)]
        for settings, name in ((CallSettings(), "direct"), (RELAY, "relay only")):
            fresh = ServerFinder()
            times = {}
            for case, servers, used in (
                ("no dead", dead_first[2:], fresh),
                ("dead first", dead_first, fresh),
                ("dead first, known", dead_first, fresh),
                ("dead first, looked at while waiting", dead_first, finder),
            ):
                if used is finder:
                    finder.look_at(dead_first)
                    await asyncio.sleep(PATIENCE_S)
                async with UnitMedia(settings, party, used) as media:
                    route = await media.connect(servers)
                    times[case] = (route.offered_s, route.flowing_s)
                if case == "dead first":
                    await asyncio.gather(*fresh._asking.values())
            print(json.dumps({f"dead servers, {name}: offer, media": times}))
            await fresh.close()

    world.run(work)


def test_expired_credentials_are_refused_and_the_reason_is_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(party: Party, finder: ServerFinder) -> None:
        for url in (world.first.udp, world.first.tls):
            async with UnitMedia(RELAY, party, finder) as media:
                with pytest.raises(Failed, match="no_relay"):
                    await media.connect([ice_server(url, expires_in_s=-5)])

    world.run(work)
    assert caplog.text.count("it refused our credentials") == 2


def test_a_call_outlives_its_credentials(world: World) -> None:
    async def work(party: Party, finder: ServerFinder) -> None:
        async with UnitMedia(RELAY, party, finder) as media:
            # Long enough to connect with on a busy machine: each permission is asked for with them.
            await media.connect([ice_server(world.first.udp, expires_in_s=8)])
            await asyncio.sleep(8.5)
            client: Any = media.call._peers["doc"].connection._transport.ice._engine._nominated[1]
            refreshed = asyncio.create_task(
                client.protocol.transport._TurnTransport__inner_protocol.refresh(0)
            )
            before = await party.pictures()
            await asyncio.sleep(0.5)
            await more_pictures(party, before + 1)
            assert not refreshed.done(), "the server did not refuse to refresh"
            refreshed.cancel()

    world.run(work)


def test_a_turn_server_that_dies_in_a_call_is_left_for_the_other(world: World) -> None:
    servers = [ice_server(world.first.udp), ice_server(world.second.udp)]

    async def work(party: Party, finder: ServerFinder) -> None:
        async with UnitMedia(RELAY, party, finder) as media:
            assert (await media.connect(servers)).address == REGION_ADDRESS
            world.first.hold_still()
            try:
                await media.until(MediaLost)
                route = await media.connect(servers)
            finally:
                world.first.wake()
            say("after its TURN server's death", route)
            assert (route.local, route.address) == ("relay", SECOND_ADDRESS)

    world.run(work)


def test_ports_and_marks_are_what_the_firewall_was_told(world: World) -> None:
    settings = CallSettings(media_ports=PortRange(50000, 50003))
    rules = """table inet marks {
        counter inside {}
        counter outside {}
        chain seen {
            udp sport 50000-50003 ip dscp af41 counter name inside return
            counter name outside
        }
        chain forward {
            type filter hook forward priority 0
            iifname "unit-cable" meta l4proto udp jump seen
        }
    }
    """
    nft = ["ip", "netns", "exec", world.network.region, "nft"]

    async def work(party: Party, finder: ServerFinder) -> None:
        async with UnitMedia(settings, party, finder) as media:
            route = await media.connect([])
            assert 50000 <= route.port <= 50003
            await more_pictures(party, 25)  # as many packets at least

    subprocess.run([*nft, "-f", "-"], input=rules, text=True, check=True)
    try:
        world.run(work)
        listed = subprocess.run([*nft, "-j", "list", "counters"], capture_output=True, check=True).stdout
    finally:
        subprocess.run([*nft, "delete", "table", "inet", "marks"], check=True)
    counters = [each["counter"] for each in json.loads(listed)["nftables"] if "counter" in each]
    packets = {each["name"]: each["packets"] for each in counters}
    assert packets["inside"] > 20
    assert packets["outside"] == 0


def test_a_call_over_ipv6_alone(world: World) -> None:
    network = world.network
    sides = ((network.unit, "fd71:1::"), (network.office, "fd71:3::"))
    subprocess.run(
        ["ip", "netns", "exec", network.region, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"], check=True
    )
    for side, prefix in sides:
        region = ["ip", "-n", network.region, "address", "add", f"{prefix}1/64", "dev", side.far("cable")]
        ours = ["ip", "-n", side.namespace, "address", "add", f"{prefix}2/64", "dev", "cable"]
        for command in (region, ours):
            subprocess.run([*command, "nodad"], check=True)
        route = ["route", "add", "default", "via", f"{prefix}1", "dev", "cable"]
        subprocess.run(["ip", "-6", "-n", side.namespace, *route], check=True)

    async def work(party: Party, finder: ServerFinder) -> None:
        async with UnitMedia(CallSettings(addresses=("fd71:1::2",)), party, finder) as media:
            route = await media.connect([])
            say("over IPv6", route)
            assert (route.local, route.address) == ("host", "fd71:1::2")

    world.run(work)


class Page:
    """Chromium on the office's network."""

    def __init__(self, page: Any) -> None:
        self._page = page

    async def join(self, sdp: str, servers: list[IceServer]) -> str:
        given = [
            {"urls": list(each.urls), "username": each.username, "credential": each.credential}
            for each in servers
        ]
        return await self._page.evaluate("([sdp, servers]) => join(sdp, servers)", [sdp, given])

    async def add(self, candidate: str, sdp_mid: str | None) -> None:
        await self._page.evaluate("given => add(given)", {"candidate": candidate, "sdpMid": sdp_mid})

    async def pictures(self) -> int:
        return await self._page.evaluate("pictures()")


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed")
def test_a_browser_that_may_use_turn_alone_is_reached_by_udp_tcp_and_tls(
    world: World, tmp_path: Path
) -> None:
    first = world.first

    async def visit(browser: Any, finder: ServerFinder) -> None:
        page = await browser.new_page()
        await page.route("**", lambda route: route.fulfill(content_type="text/html", body=PAGE))
        await page.goto("http://localhost:21001/")
        now: list[UnitMedia] = []
        await page.expose_function("trickle", lambda candidate: now[-1].candidate(candidate or {}))
        for name, ours, theirs in (
            ("udp", first.udp, first.udp),
            ("tcp", first.tcp, first.tcp),
            ("tls", first.tls, first.udp),  # the browser knows the system's authorities alone
        ):
            async with UnitMedia(RELAY, Page(page), finder) as media:
                now.append(media)
                route = await media.connect([ice_server(ours)], [ice_server(theirs)])
                say(f"Chromium, turn over {name}", route)
                assert (route.local, route.way, route.remote) == ("relay", name, "relay")

    async def main() -> None:
        from playwright.async_api import async_playwright

        finder = ServerFinder(partial(trusted, first.ca_file))
        chromium = world.network.office.wrapper(tmp_path, CHROMIUM)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
            try:
                await visit(browser, finder)
            finally:
                await browser.close()
                await finder.close()

    world.network.unit.call(lambda: asyncio.run(main()))
