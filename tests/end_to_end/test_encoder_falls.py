"""A real Chromium page sees the call go on when the encoder breaks, and hears what in-band FEC repaired."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from av import Packet, VideoFrame

from agent.media.call import Call
from agent.media.camera import CameraSettings
from agent.media.capture import Capture, CaptureSettings
from agent.media.facts import CallSettings, Fact, LocalOffer
from agent.media.video_codec import ENCODERS, EncoderKind, OpenEncoder, PictureForm, open_encoder
from tests.system.chromium import CHROMIUM, PLAYS_AT_ONCE, QUIET

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed"),
]
LIMIT_S = 90.0
ENOUGH_PICTURES = 20
PAGE = """<video id=v autoplay></video><script>
async function stats(kind) {
  for (const report of (await pc.getStats()).values())
    if (report.type === 'inbound-rtp' && report.kind === kind) return report;
  return {};
}
async function join(sdp) {
  const pc = window.pc = new RTCPeerConnection();
  pc.ontrack = event => { v.srcObject = event.streams[0]; };
  pc.onicecandidate = event => trickle(event.candidate && event.candidate.toJSON());
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}
</script>"""


class Hardware:
    """The board's hardware encoder, played by libx264 until its driver breaks."""

    broken = False

    def __init__(self, form: PictureForm, bit_rate: int) -> None:
        self._inner = open_encoder(ENCODERS["libx264"], form, bit_rate)

    @property
    def bit_rate(self) -> int | None:
        return self._inner.bit_rate

    @bit_rate.setter
    def bit_rate(self, value: int | None) -> None:
        self._inner.bit_rate = value

    def encode(self, frame: VideoFrame | None = None) -> list[Packet[Any]]:
        if Hardware.broken:
            raise OSError(5, "Input/output error")
        return self._inner.encode(frame)


def opener(kind: EncoderKind, form: PictureForm, bit_rate: int) -> OpenEncoder:
    if kind.name == "h264_v4l2m2m":
        return Hardware(form, bit_rate)
    return open_encoder(kind, form, bit_rate)


@asynccontextmanager
async def in_call() -> AsyncIterator[tuple[Capture, Any, list[Fact]]]:
    """A unit's real capture in call with one page that watches and listens."""
    from playwright.async_api import async_playwright

    loop, facts = asyncio.get_running_loop(), list[Fact]()
    settings = CaptureSettings(
        camera=CameraSettings(width=320, height=180), encoders=("h264_v4l2m2m", "libx264"), bit_rate=400_000
    )
    capture = Capture(loop, settings, opener=opener)
    await capture.open()
    call = Call(
        capture.video, capture.audio, on_fact=facts.append, settings=CallSettings(loopback_candidates=True)
    )
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, PLAYS_AT_ONCE])
            page = await (await browser.new_context()).new_page()
            address = "http://localhost:21011/"
            await page.route(f"{address}**", lambda route: route.fulfill(content_type="text/html", body=PAGE))
            await page.goto(address)
            await page.expose_function(
                "trickle", lambda candidate: asyncio.ensure_future(call.candidate("doc", 1, candidate or {}))
            )
            await call.connect("doc", 1)
            await until(lambda: any(isinstance(fact, LocalOffer) for fact in facts))
            offer = next(fact for fact in facts if isinstance(fact, LocalOffer))
            await call.answer("doc", 1, await page.evaluate("sdp => join(sdp)", offer.sdp))
            yield capture, page, facts
            await browser.close()
    finally:
        await call.close()
        await capture.close()


async def until(holds: Any) -> None:
    limit = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < limit, "it never came about"
        await asyncio.sleep(0.02)


async def grown(page: Any, kind: str, name: str, least: int, before: dict[str, Any]) -> dict[str, Any]:
    """The page's figures once this counter has grown by so much."""
    limit = time.monotonic() + LIMIT_S
    while True:
        now = await page.evaluate("kind => stats(kind)", kind)
        if now.get(name, 0) - before.get(name, 0) >= least:
            return dict(now)
        assert time.monotonic() < limit, f"{name} stays at {now.get(name)}"
        await asyncio.sleep(0.1)


def test_a_broken_encoder_gives_way_to_the_next_and_the_picture_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Hardware, "broken", False)

    async def visit() -> None:
        async with in_call() as (capture, page, facts):
            before = await grown(page, "video", "framesDecoded", ENOUGH_PICTURES, {})
            assert capture.stats().encoder == "h264_v4l2m2m"
            known = len(facts)
            monkeypatch.setattr(Hardware, "broken", True)
            await until(lambda: capture.stats().encoder == "libx264")
            marked = await page.evaluate("stats('video')")
            after = await grown(page, "video", "framesDecoded", ENOUGH_PICTURES, marked)
            freeze_s = after.get("totalFreezesDuration", 0) - before.get("totalFreezesDuration", 0)
            print(json.dumps({"freeze_s": freeze_s, "decoded": after["framesDecoded"]}))
            assert capture.stats().encoder_failures == 1
            assert after["ssrc"] == before["ssrc"]  # the same stream, and no new connection
            assert not [fact for fact in facts[known:] if isinstance(fact, LocalOffer)]

    asyncio.run(visit())


def test_chromium_counts_the_repair_copies_that_opus_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.media.aiortc_internals import MediaTransport

    send, count = MediaTransport._send, [0]

    def lossy(self: MediaTransport, data: bytes, *, is_rtcp: bool) -> bool:
        if not is_rtcp and len(data) < 250 and data[1] & 0x7F == OPUS_PAYLOAD_TYPE:
            count[0] += 1
            if count[0] % 10 == 0:
                return True  # lost on the way
        return send(self, data, is_rtcp=is_rtcp)

    async def visit() -> None:
        async with in_call() as (capture, page, _):
            capture.audio.set_expected_loss(0.1)
            before = await grown(page, "audio", "packetsReceived", 50, {})
            monkeypatch.setattr(MediaTransport, "_send", lossy)
            after = await grown(page, "audio", "fecPacketsReceived", 5, before)
            names = ("packetsReceived", "packetsLost", "fecPacketsReceived", "concealedSamples")
            print(json.dumps({name: after.get(name, 0) - before.get(name, 0) for name in names}))

    asyncio.run(visit())


OPUS_PAYLOAD_TYPE = 96
