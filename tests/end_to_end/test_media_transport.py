"""Two real Chromium pages, a clinician and a kiosk, joined by a Call; on a clean line and with 2 % loss."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.media.aiortc_internals import MediaTransport
from agent.media.call import Call
from agent.media.facts import CallSettings, Fact, LocalOffer
from tests.agent.media.synthetic import TestPicture, TestTone
from tests.system.chromium import CHROMIUM, FAKE_MEDIA, PLAYS_AT_ONCE, QUIET
from tests.system.whep_view import VIEW

pytestmark = pytest.mark.end_to_end

ARGUMENTS = [*QUIET, *FAKE_MEDIA, PLAYS_AT_ONCE]
MEASURED_S = 5.0
SETTLE_S = 2.0
WITHIN_S = 60.0
LOSS = 0.02
KINDS = {"audio", "video"}

PAGE = (
    """<video id=v autoplay muted></video><script>
async function stats(pc) {
  const result = {};
  for (const report of (await pc.getStats()).values())
    if (report.type === 'inbound-rtp') result[report.kind] = report;
  return result;
}
async function join(sdp) {
  const stream = await navigator.mediaDevices.getUserMedia(
    {audio: true, video: {width: 320, height: 180, frameRate: 20}});
  const pc = window.pc = new RTCPeerConnection();
  pc.ontrack = event => { v.srcObject = event.streams[0]; };
  pc.onicecandidate = event => trickle(event.candidate && event.candidate.toJSON());
  await pc.setRemoteDescription({type: 'offer', sdp});
  stream.getTracks().forEach(track => pc.addTrack(track, stream));
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}
"""
    + VIEW
    + """
</script>"""
)


def lose_packets(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Drop this share of all RTP and RTCP at the sockets, both ways, on every connection."""
    send, receive, rng = MediaTransport._send, MediaTransport._datagram_received, random.Random(7)

    def lossy_send(self: MediaTransport, data: bytes, *, is_rtcp: bool) -> bool:
        return rng.random() < share or send(self, data, is_rtcp=is_rtcp)

    def lossy_receive(self: MediaTransport, clock: Any, pass_on: Any, data: bytes, address: Any) -> None:
        if not (128 <= data[0] <= 191 and rng.random() < share):
            receive(self, clock, pass_on, data, address)

    monkeypatch.setattr(MediaTransport, "_send", lossy_send)
    monkeypatch.setattr(MediaTransport, "_datagram_received", lossy_receive)


Sides = dict[str, dict[str, Any]]


async def measure(enough: Callable[[Sides], bool]) -> Sides:
    """One visit; what each page's decoders did in MEASURED_S seconds of it, or in as many more as it takes."""
    from playwright.async_api import Page, Route, async_playwright

    offers: asyncio.Queue[LocalOffer] = asyncio.Queue()

    def on_fact(fact: Fact) -> None:
        if isinstance(fact, LocalOffer):
            offers.put_nowait(fact)

    # A small picture, so that a busy machine does not decide the result.
    picture, tone = TestPicture(320, 180, 400_000), TestTone()
    running = [asyncio.create_task(source.run()) for source in (picture, tone)]
    call = Call(picture, tone, on_fact=on_fact, settings=CallSettings(loopback_candidates=True))

    async def serve(route: Route) -> None:
        if route.request.method == "POST":
            resource = route.request.url.split("/whep/")[1]
            answer = await call.kiosk_offer(resource, route.request.post_data or "")
            await route.fulfill(status=201, content_type="application/sdp", body=answer.sdp)
        else:
            await route.fulfill(content_type="text/html", body=PAGE)

    async def open_page(browser: Any, address: str) -> Page:
        page = await (await browser.new_context()).new_page()
        await page.route(f"{address}**", serve)
        await page.goto(address)
        return page

    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            clinician = await open_page(browser, "http://localhost:21001/")
            kiosk = await open_page(browser, "http://localhost:21002/")
            await clinician.expose_function(
                "trickle", lambda candidate: asyncio.ensure_future(call.candidate("doc", 1, candidate or {}))
            )
            await kiosk.evaluate("view('peer/doc')")
            await call.connect("doc", 1)
            await call.answer(
                "doc", 1, await clinician.evaluate("sdp => join(sdp)", (await offers.get()).sdp)
            )
            await asyncio.sleep(SETTLE_S)
            pages = {"clinician": clinician, "kiosk": kiosk}
            before = {name: await page.evaluate("stats(pc)") for name, page in pages.items()}
            until = time.monotonic() + WITHIN_S
            while True:
                await asyncio.sleep(MEASURED_S)
                after = {name: await page.evaluate("stats(pc)") for name, page in pages.items()}
                if all(page.keys() >= KINDS for page in after.values()):
                    sides = {name: compare(before[name], after[name]) for name in after}
                    if enough(sides):
                        break
                assert time.monotonic() < until, after
            await browser.close()
    finally:
        await call.close()
        for task in running:
            task.cancel()
    return sides


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    def grown(kind: str, name: str) -> float:
        return after[kind].get(name, 0) - before.get(kind, {}).get(name, 0)

    emitted = grown("video", "jitterBufferEmittedCount") or 1
    elapsed_s = (after["video"]["timestamp"] - before["video"]["timestamp"]) / 1000
    return {
        "decoded_per_s": round(grown("video", "framesDecoded") / elapsed_s, 2),
        "freezes": grown("video", "freezeCount"),
        "nacks": grown("video", "nackCount"),
        "repaired": grown("video", "retransmittedPacketsReceived"),
        "keyframe_requests": grown("video", "pliCount"),
        "keyframes": grown("video", "keyFramesDecoded"),
        "jitter_buffer_ms": round(1000 * grown("video", "jitterBufferDelay") / emitted, 1),
        "samples": grown("audio", "totalSamplesReceived"),
        "concealed": grown("audio", "concealedSamples"),
    }


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed")
def test_picture_and_sound_go_both_ways_and_what_is_lost_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clean = asyncio.run(measure(lambda _: True))
    lose_packets(monkeypatch, LOSS)
    # A machine with much else to do sends and so loses few packets in so short a time.
    lossy = asyncio.run(measure(lambda sides: any(side["repaired"] for side in sides.values())))
    print(json.dumps({"clean": clean, "lossy": lossy}, indent=1))
    # How many frames a second is bench-net's to say: here another's load would decide it.
    assert sum(side["repaired"] for side in lossy.values()) > 0
    for side in (*clean.values(), *lossy.values()):
        assert side["decoded_per_s"] > 0
        assert side["concealed"] < side["samples"]
