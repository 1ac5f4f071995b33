"""One run: a sender, the relay, a receiving page; set up, warmed up on the impaired line, measured, taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench.browsers import PeerPage
from tests.bench.lines import Child
from tests.bench.net.cases import Case
from tests.bench.net.site import Site
from tests.bench.processor import Meter
from tests.bench.relay import without_candidates

if TYPE_CHECKING:
    from playwright.async_api import Browser

Result = dict[str, Any]
Poll = Callable[[], Awaitable[Result]]

UNIT = "tests.bench.unit_process"
RELAY = "tests.bench.net.relay_process"
POLL_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What all runs share: two browsers (with the process id of the sending one), the pages, the time."""

    sender: Browser
    sender_pid: int
    receiver: Browser
    site: Site
    warm_up_s: float

    @asynccontextmanager
    async def page(self, browser: Browser) -> AsyncIterator[PeerPage]:
        page = await PeerPage.open(browser, self.site.url)
        try:
            yield page
        finally:
            await page.close()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Child]:
        child = await Child.start(UNIT, str(self.site.film.path))
        try:
            yield child
        finally:
            await child.close()

    @asynccontextmanager
    async def relay(self, case: Case, seed: int, media_from: str) -> AsyncIterator[Child]:
        child = await Child.start(RELAY, case.name, str(seed), media_from)
        try:
            yield child
        finally:
            await child.close()


async def unit_to_page(stage: Stage, case: Case, seed: int) -> Result:
    """The unit's film to a clinician's browser."""
    async with (
        stage.relay(case, seed, "home") as relay,
        stage.unit() as unit,
        stage.page(stage.receiver) as page,
    ):
        await unit.ask("open")
        offer = await unit.ask("offer", peer="p1")
        answer = await page.call("answer", (await relay.ask("stand_before", **offer))["sdp"], False)
        await unit.ask("answer", peer="p1", sdp=without_candidates(answer))
        return await _measured(stage, case, relay, page, unit.pid, lambda: _of_unit(unit))


async def chromium_to_page(stage: Stage, case: Case, seed: int) -> Result:
    """The same film from a Chromium to the page of another."""
    async with (
        stage.relay(case, seed, "home") as relay,
        stage.page(stage.sender) as sender,
        stage.page(stage.receiver) as page,
    ):
        offer = await relay.ask("stand_before", sdp=await sender.call("offer"))
        await sender.call("accept", without_candidates(await page.call("answer", offer["sdp"], False)))
        return await _measured(stage, case, relay, page, stage.sender_pid, lambda: sender.call("sending"))


async def chromium_to_kiosk(stage: Stage, case: Case, seed: int) -> Result:
    """The same Chromium over the line to the unit, and on to the kiosk's page (WHEP) on the same machine.

    The unit's camera is off: a dark picture twice a second goes out.
    """
    async with (
        stage.relay(case, seed, "away") as relay,
        stage.unit() as unit,
        stage.page(stage.sender) as clinician,
        stage.page(stage.receiver) as kiosk,
    ):
        await unit.ask("open", camera=False)
        offer = await unit.ask("offer", peer="p1")
        answer = await clinician.call("answer", (await relay.ask("stand_before", **offer))["sdp"], True)
        await unit.ask("answer", peer="p1", sdp=without_candidates(answer))
        shown = await unit.ask("kiosk", resource="peer/p1", sdp=await kiosk.call("offerToReceive"))
        await kiosk.call("accept", shown["sdp"])
        return await _measured(stage, case, relay, kiosk, unit.pid, lambda: clinician.call("sending"))


async def _of_unit(unit: Child) -> Result:
    stats = await unit.ask("stats")
    peer, made = stats["call"]["peers"]["p1"], stats["capture"]["encoders"]["full"]
    target = stats["call"]["targets"].get("full", {})
    return {
        "estimate": peer["bit_rate"],
        "round_trip_s": peer["round_trip_s"],
        "frameWidth": made["width"],
        "frameHeight": made["height"],
        "framesPerSecond": target.get("frame_rate"),
        "target": target.get("bit_rate"),
    }


async def _measured(
    stage: Stage, case: Case, relay: Child, receiver: PeerPage, sender_pid: int, poll: Poll
) -> Result:
    await receiver.wait_for_picture()
    await relay.ask("impair")
    await asyncio.sleep(stage.warm_up_s)
    stage.site.take_samples()
    meter = Meter(sender_pid)
    await relay.ask("begin")
    await receiver.call("begin", "sample")
    loop = asyncio.get_running_loop()
    began = loop.time()
    polled = []
    while (since := loop.time() - began) < case.measure_s:
        polled.append({"at_s": round(since, 2), **await poll()})
        await asyncio.sleep(min(POLL_EVERY_S, max(0.0, case.measure_s - (loop.time() - began))))
    used = meter.read()
    received = await receiver.call("finish")
    return {
        **received,
        **used,
        "line": await relay.ask("log"),
        "polled": polled,
        "page_errors": receiver.errors,
    }
