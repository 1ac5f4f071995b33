"""The bench's runs: each sets one sender and its receivers up, warms up, measures, and takes all down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench.browsers import PeerPage
from tests.bench.lines import Child
from tests.bench.processor import Meter
from tests.bench.relay import LossyRelay, without_candidates
from tests.bench.site import Site

if TYPE_CHECKING:
    from playwright.async_api import Browser

Result = dict[str, Any]

UNIT = "tests.bench.unit_process"
STOCK = "tests.bench.aiortc_process"
LOSS = 0.02
LOSS_SEED = 2026


@dataclass(frozen=True, slots=True)
class Stage:
    """What all runs share: two browsers (with the process id of the sending one), the pages, the times."""

    sender: Browser
    sender_pid: int
    receiver: Browser
    site: Site
    warm_up_s: float
    measure_s: float

    @asynccontextmanager
    async def page(self, browser: Browser) -> AsyncIterator[PeerPage]:
        page = await PeerPage.open(browser, self.site.url)
        try:
            yield page
        finally:
            await page.close()

    @asynccontextmanager
    async def process(self, module: str) -> AsyncIterator[Child]:
        child = await Child.start(module, str(self.site.film))
        try:
            yield child
        finally:
            await child.close()

    async def measure(self, sender_pid: int, *pages: PeerPage, reads_clock: bool = True) -> list[Result]:
        """Wait for pictures, warm up, and measure at all pages; sender figures are in each result."""
        for page in pages:
            await page.wait_for_picture()
        await asyncio.sleep(self.warm_up_s)
        meter = Meter(sender_pid)
        for page in pages:
            await page.call("begin", reads_clock)
        await asyncio.sleep(self.measure_s)
        used = meter.read()
        return [{**await page.call("finish"), **used, "page_errors": page.errors} for page in pages]


async def unit_to_page(stage: Stage) -> Result:
    """Our unit to one remote party that sends nothing."""
    async with stage.process(UNIT) as unit, stage.page(stage.receiver) as page:
        await unit.ask("open")
        await _join(unit, "p1", page)
        return (await stage.measure(unit.pid, page))[0]


async def stock_to_page(stage: Stage) -> Result:
    """Stock aiortc to one page."""
    async with stage.process(STOCK) as stock, stage.page(stage.receiver) as page:
        offer = (await stock.ask("offer"))["sdp"]
        await stock.ask("answer", sdp=await page.call("answer", offer, False))
        return (await stage.measure(stock.pid, page))[0]


async def chromium_to_page(stage: Stage, codec: str = "H264", way: str = "webcodecs") -> Result:
    """Chromium to a page of another Chromium; way says how it draws its clock (film_camera.js)."""
    async with stage.page(stage.sender) as sender, stage.page(stage.receiver) as page:
        answer = await page.call("answer", await sender.call("offer", codec, way), False)
        await sender.call("accept", answer, True)
        result = (await stage.measure(stage.sender_pid, page))[0]
        return {**result, "sent": await sender.call("sent")}


async def chromium_to_kiosk(stage: Stage) -> Result:
    """The same Chromium as remote party of our unit, shown by the kiosk's page (WHEP).

    The unit's camera is off (a dark picture twice a second goes out), so that what differs from
    chromium_to_page is the forwarding alone.
    """
    async with (
        stage.process(UNIT) as unit,
        stage.page(stage.sender) as clinician,
        stage.page(stage.receiver) as kiosk,
    ):
        await unit.ask("open", camera=False)
        await _join(unit, "p1", clinician, sends=True)
        await _show(unit, "p1", kiosk)
        result = (await stage.measure(unit.pid, kiosk))[0]
        return {**result, "sent": await clinician.call("sent")}


async def unit_to_parties(stage: Stage, count: int) -> Result:
    """Our unit to `count` remote parties that send nothing; their pages share a browser and read no clock."""
    async with stage.process(UNIT) as unit, AsyncExitStack() as stack:
        await unit.ask("open")
        pages = [await stack.enter_async_context(stage.page(stage.receiver)) for _ in range(count)]
        for number, page in enumerate(pages):
            await _join(unit, f"p{number}", page)
        for page in pages:
            await page.wait_for_picture()
        await asyncio.sleep(stage.warm_up_s)
        before = (await unit.ask("stats"))["capture"]
        results = await _without_warm_up(stage).measure(unit.pid, *pages, reads_clock=False)
        after = (await unit.ask("stats"))["capture"]
        counted = {
            name: after[name] - before[name] for name in ("frames_captured", "frames_encoded", "keyframes")
        }
        return {
            **results[0],
            **counted,
            "encode_ms": after["encode_ms"],
            "fps_least": min(result["fps"] for result in results),
        }


async def call_over_line(stage: Stage, lossy: bool) -> Result:
    """A call both ways and its kiosk, each leg behind a relay, clean or losing LOSS of all datagrams."""
    relay = LossyRelay(LOSS_SEED)
    async with (
        stage.process(UNIT) as unit,
        stage.page(stage.sender) as clinician,
        stage.page(stage.receiver) as kiosk,
    ):
        try:
            await unit.ask("open")
            await _join(unit, "p1", clinician, sends=True, relay=relay)
            await _show(unit, "p1", kiosk, relay=relay)
            for page in (clinician, kiosk):
                await page.wait_for_picture()
            relay.loss = LOSS if lossy else 0.0
            at_clinician, at_kiosk = await stage.measure(unit.pid, clinician, kiosk)
        finally:
            relay.close()
    passed = {"datagrams_passed": relay.passed, "datagrams_lost": relay.lost}
    return {"clinician": at_clinician, "kiosk": at_kiosk, **passed}


def _without_warm_up(stage: Stage) -> Stage:
    return Stage(stage.sender, stage.sender_pid, stage.receiver, stage.site, 0, stage.measure_s)


async def _join(
    unit: Child, peer: str, page: PeerPage, *, sends: bool = False, relay: LossyRelay | None = None
) -> None:
    offer = (await unit.ask("offer", peer=peer))["sdp"]
    if relay is not None:
        offer = await relay.stand_before(offer)
    answer = await page.call("answer", offer, sends)
    await unit.ask("answer", peer=peer, sdp=without_candidates(answer) if relay else answer)


async def _show(unit: Child, peer: str, kiosk: PeerPage, *, relay: LossyRelay | None = None) -> None:
    offer = await kiosk.call("offerToReceive")
    asked = without_candidates(offer) if relay else offer
    answer = (await unit.ask("kiosk", resource=f"peer/{peer}", sdp=asked))["sdp"]
    await kiosk.call("accept", await relay.stand_before(answer) if relay else answer, False)
