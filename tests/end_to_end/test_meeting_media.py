"""The unit's media in a meeting of many, with real Chromium pages: stills, zoom, hears-only, shown screens, hold.

The unit is the real one (agent.running) with a broker and a region that are played here.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agent import session_events as ev
from agent.config import Settings
from agent.contract.signalling import Admit, Answer, Candidate, Hold, Join, Offer
from agent.identity import Identity
from agent.running import Running
from agent.screen import Touch
from firmware.board import load_board
from tests.agent.conftest import KEY, NOW, SID, FakeLink, House, plan
from tests.agent.media.lamp_gate import LampGate
from tests.system.chromium import CHROMIUM, FAKE_MEDIA, PLAYS_AT_ONCE, QUIET
from tests.system.whep_view import VIEW

pytestmark = pytest.mark.end_to_end

NEVER_HIDDEN = (
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
)
ARGUMENTS = [*QUIET, *FAKE_MEDIA, PLAYS_AT_ONCE, *NEVER_HIDDEN]
LIMIT_S = 240
WITHIN_S = 120
"""For what a slow machine does too; only what hangs takes as long."""
CHART = {"x": 1 / 12, "y": 0.6, "width": 1 / 6, "height": 1 / 6}
SHARE_LEAST_BIT_RATE = 1_000_000
SHARE_SAMPLES = 15

PAGE = (
    """<video id=v autoplay muted playsinline></video><canvas id=c></canvas><script>
const heard = [], pending = {};
let channel, blob;
function onMessage({data}) {
  if (typeof data !== 'string') {
    blob.parts.push(data); blob.got += data.byteLength; blob.largest = Math.max(blob.largest, data.byteLength);
    if (blob.got >= blob.bytes) blob.done(blob);
    return;
  }
  const message = JSON.parse(data);
  heard.push(message);
  if (message.type === 'still') Object.assign(blob, message);
  if (message.type === 'still_refused') blob.done(message);
}
function say(message) { channel.send(JSON.stringify(message)); }
async function still(id) {
  const done = new Promise(resolve => { blob = {parts: [], got: 0, largest: 0, bytes: Infinity, done: resolve}; });
  say({type: 'still_request', id});
  const result = await done;
  if (result.reason) return {reason: result.reason};
  const whole = new Blob(result.parts, {type: result.mime});
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await whole.arrayBuffer()));
  const bitmap = await createImageBitmap(whole);
  return {announced: result.sha256, width: result.width, height: result.height, bytes: whole.size,
    largest: result.largest, decoded: [bitmap.width, bitmap.height],
    sha256: [...digest].map(byte => byte.toString(16).padStart(2, '0')).join('')};
}
function joined(pc) {
  window.pc = pc;
  pc.ontrack = event => { v.srcObject = event.streams[0]; };
  pc.ondatachannel = event => {
    channel = event.channel; channel.binaryType = 'arraybuffer'; channel.onmessage = onMessage;
  };
  pc.onicecandidate = event => trickle(event.candidate && event.candidate.toJSON());
  return pc;
}
async function join(sdp, withPicture) {
  const media = {audio: true, video: withPicture && {width: 320, height: 180, frameRate: 15}};
  const stream = await navigator.mediaDevices.getUserMedia(media);
  const pc = joined(new RTCPeerConnection());
  await pc.setRemoteDescription({type: 'offer', sdp});
  stream.getTracks().forEach(track => pc.addTrack(track, stream));
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}
async function show(sdp) {
  c.width = 1920; c.height = 1080;
  const pen = c.getContext('2d');
  let scrolled = 0;
  setInterval(() => {
    pen.fillStyle = 'white'; pen.fillRect(0, 0, 1920, 1080);
    pen.fillStyle = 'black'; pen.font = '18px sans-serif';
    const values = 'Hb 134 g/l, CRP < 5 mg/l, natrium 140 '.repeat(5);
    for (let line = 0; line < 50; line++)
      pen.fillText('Provsvar ' + (line + scrolled) + ': ' + values, 10, 20 + line * 21);
    scrolled++;
  }, 200);
  const stream = c.captureStream(10);
  stream.getVideoTracks()[0].contentHint = 'text';
  const pc = joined(new RTCPeerConnection());
  await pc.setRemoteDescription({type: 'offer', sdp});
  stream.getTracks().forEach(track => pc.addTrack(track, stream));
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}
"""
    + VIEW
    + """
async function stats() {
  const result = {};
  for (const report of (await pc.getStats()).values())
    if (report.type.endsWith('bound-rtp')) result[report.type + ' ' + report.kind] = report;
    else if (report.type === 'candidate-pair' && report.nominated) result.pair = report;
  return result;
}
function detail(x, y, width, height) {
  c.width = v.videoWidth; c.height = v.videoHeight;
  const pen = c.getContext('2d', {willReadFrequently: true});
  const part = [x * c.width, y * c.height, width * c.width, height * c.height];
  pen.drawImage(v, ...part, 0, 0, c.width, c.height);
  const data = pen.getImageData(0, 0, c.width, c.height).data;
  let sum = 0;
  for (let at = 4; at < data.length; at += 4) sum += Math.abs(data[at + 1] - data[at - 3]);
  return sum / (data.length / 4);
}
</script>"""
)


class Link(FakeLink):
    """The broker, which keeps the unit's offers and candidates for whom they are meant."""

    def __init__(self) -> None:
        super().__init__()
        self.up = True
        self.signals: dict[str, asyncio.Queue[Any]] = {}

    def publish(self, topic: Any, payload: bytes) -> bool:
        super().publish(topic, payload)
        message = self.sent[-1]
        if message.topic.channel == "up/call":
            self.of(message.topic.levels[1]).put_nowait(message.data)
        return True

    def of(self, peer: str) -> asyncio.Queue[Any]:
        return self.signals.setdefault(peer, asyncio.Queue())


class Visit:
    """One unit with a patient in its room, and the pages that are opened around it."""

    def __init__(self, tmp_path: Path, browser: Any) -> None:
        self.browser = browser
        self.lamp: deque[bool] = deque(maxlen=50)
        self.numbers = count()
        house = self.house = House(tmp_path / "unit.db").start()
        settings = Settings(
            state_dir=tmp_path,
            ca_file=tmp_path / "ca",
            certificate_file=tmp_path / "c",
            key_file=tmp_path / "k",
            loopback_media=True,
        )
        identity = Identity("unit-7", "ab" * 32, NOW, KEY)
        self.running = Running(
            settings, load_board("sim"), identity, house.unit, boot=1, gate=LampGate(self.lamp)
        )
        house.wire, house.link = self.running.wire, Link()
        self.running.wire.link = house.link
        self.running.wire.connection(True)
        house.schedule(plan())
        house.unit.session_event(SID, ev.CheckedIn("code"))

    async def page(self) -> Any:
        page = await (await self.browser.new_context()).new_page()
        address = f"http://localhost:{18700 + next(self.numbers)}/"

        async def serve(route: Any) -> None:
            if route.request.method == "POST":
                resource = route.request.url.split("/whep/")[1]
                answer = await self.running.calls.whep_offer(resource, route.request.post_data or "")
                await route.fulfill(status=201, content_type="application/sdp", body=answer.sdp)
            else:
                await route.fulfill(content_type="text/html", body=PAGE)

        await page.route(f"{address}**", serve)
        await page.goto(address)
        return page

    async def party(self, peer: str, script: str, **join: Any) -> Any:
        """A page that joins as this party; the chair comes first and lets the patient in."""
        page, signals = await self.page(), self.house.link.of(peer)
        seq = count(1)

        def trickle(candidate: dict[str, Any] | None) -> None:
            if candidate:
                self.house.signal(
                    Candidate(
                        instance="one",
                        seq=next(seq),
                        attempt=attempt,
                        candidate=candidate["candidate"],
                        sdp_mid=candidate["sdpMid"],
                    ),
                    peer,
                )

        attempt = 0
        await page.expose_function("trickle", trickle)
        self.house.signal(Join(instance="one", seq=0, **join), peer)
        if join.get("chair"):
            self.house.signal(Admit(instance="one", seq=next(seq)), peer)
        offer = await signals.get()
        assert isinstance(offer, Offer)
        attempt = offer.attempt
        answer = await page.evaluate(script, offer.sdp)
        self.house.signal(Answer(instance="one", seq=next(seq), attempt=attempt, sdp=answer), peer)
        return page

    async def shown(self, resource: str) -> Any:
        page = await self.page()
        await page.evaluate("resource => view(resource)", resource)
        return page

    @property
    def session(self) -> Any:
        return self.house.unit.screen().session

    async def close(self) -> None:
        await self.running.stop_media()
        self.house.store.close()


async def until(page: Any, script: str) -> None:
    # wait_for_function takes a promise itself for its answer, whatever it is kept with.
    async with asyncio.timeout(WITHIN_S):
        while not await page.evaluate(script):
            await asyncio.sleep(0.05)


PLAYS = "v.videoWidth > 0 && v.currentTime > 0.5"


def play(tmp_path: Path, *checks: Callable[[Visit, Any], Awaitable[None]], sees: bool = True) -> None:
    """A visit with a clinician's page, which sees the room or not, and these checks one after the other."""

    async def main() -> None:
        from playwright.async_api import async_playwright

        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            visit = Visit(tmp_path, browser)
            try:
                doctor = await visit.party(
                    "aaaa", f"sdp => join(sdp, {json.dumps(sees)})", chair=True, sees=sees
                )
                await until(doctor, PLAYS if sees else "v.currentTime > 0.5")
                for check in checks:
                    await check(visit, doctor)
            finally:
                await visit.close()
                await browser.close()

    asyncio.run(asyncio.wait_for(main(), LIMIT_S))


needs_chromium = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's chromium is not installed")


@needs_chromium
def test_a_still_zoom_and_the_other_camera_are_real_and_told_to_the_patient(tmp_path: Path) -> None:
    play(tmp_path, check_still, check_zoom)


@needs_chromium
def test_who_hears_only_gets_no_picture_and_a_held_room_is_cut_off(tmp_path: Path) -> None:
    play(tmp_path, check_hears_only, check_hold)


@needs_chromium
def test_a_shown_document_reaches_the_touchscreen_whole(tmp_path: Path) -> None:
    play(tmp_path, check_share, sees=False)  # no second picture, which would take this machine's time


async def check_still(visit: Visit, doctor: Any) -> None:
    await until(doctor, "channel && channel.readyState === 'open'")
    refused = asyncio.ensure_future(doctor.evaluate("still('first')"))
    await until(doctor, "heard.some(message => message.type === 'still_pending')")
    question = visit.session.question.id
    await visit.running.touches.do(Touch("consent", text=question, on=False))
    assert await refused == {"reason": "patient"}
    still = await doctor.evaluate("still('second')")
    print("still", json.dumps(still))
    assert still["sha256"] == still["announced"]
    assert still["decoded"] == [still["width"], still["height"]] == [2560, 1440]
    assert still["largest"] <= 16 * 1024
    kinds = [each.kind for each in visit.session.announcements]
    assert [kind for kind in kinds if kind.startswith("still")] == ["still_refused", "still_taken"]
    assert not [path for path in visit.house.path.parent.rglob("*") if path.suffix in {".jpg", ".jpeg"}]


async def check_zoom(visit: Visit, doctor: Any) -> None:
    box = "detail({x}, {y}, {width}, {height})".format(**CHART)
    enlarged = await doctor.evaluate(box)
    await doctor.evaluate("zoom => say({type: 'view', camera: 'main', zoom})", CHART)
    await until(
        doctor, "heard.some(message => message.type === 'view' && message.zoom && message.by === 'aaaa')"
    )
    await until(doctor, f"detail(0, 0, 1, 1) > 4 * {enlarged}")
    print("detail", enlarged, await doctor.evaluate("detail(0, 0, 1, 1)"))
    assert visit.session.zoomed
    await doctor.evaluate("say({type: 'view', camera: 'hand', zoom: null})")
    await until(doctor, "heard.at(-1).type === 'view' && heard.at(-1).camera === 'hand'")
    assert (visit.session.camera_choice, visit.session.zoomed) == ("hand", False)
    await visit.running.touches.do(Touch("camera_choice", text="main"))
    await until(doctor, "heard.at(-1).type === 'view' && heard.at(-1).camera === 'main'")
    assert await doctor.evaluate("heard.at(-1).sensor") == [2560, 1440]


async def check_hears_only(visit: Visit, _doctor: Any) -> None:
    interpreter = await visit.party("bbbb", "sdp => join(sdp, false)", role="interpreter", sees=False)
    await until(interpreter, "stats().then(all => (all['inbound-rtp audio'] || {}).packetsReceived > 50)")
    stats = await interpreter.evaluate("stats()")
    assert stats.get("inbound-rtp video", {}).get("packetsReceived", 0) == 0
    assert await interpreter.evaluate("v.currentTime > 0 && v.srcObject.getVideoTracks().length === 0")


async def check_share(visit: Visit, _doctor: Any) -> None:
    sharer = await visit.party("dddd", "sdp => show(sdp)", share_of="aaaa")
    kiosk = await visit.shown("peer/dddd")
    await sharer.bring_to_front()  # a page in the background draws no canvas
    await until(kiosk, "v.videoWidth === 1920 && v.videoHeight === 1080")
    targets = []
    for _ in range(SHARE_SAMPLES):
        await asyncio.sleep(1)
        targets.append((await sharer.evaluate("stats()"))["outbound-rtp video"].get("targetBitrate", 0))
    await until(kiosk, "stats().then(all => all['inbound-rtp video'].framesDecoded > 15)")
    shown = (await kiosk.evaluate("stats()"))["inbound-rtp video"]
    print("share", json.dumps({"bit/s by our feedback": targets, "frames shown": shown["framesDecoded"]}))
    # What the sender may use by our feedback; how many pictures it draws is this machine's to say.
    assert statistics.median(targets) > SHARE_LEAST_BIT_RATE
    assert (shown["frameWidth"], shown["frameHeight"]) == (1920, 1080)
    assert "inbound-rtp video" not in await sharer.evaluate("stats()")
    line = next(party for party in visit.session.parties if party.peer == "dddd")
    assert (line.share_of, line.state) == ("aaaa", "connected")


async def check_hold(visit: Visit, doctor: Any) -> None:
    kiosk = await visit.shown("peer/aaaa")
    await until(kiosk, PLAYS)
    visit.house.signal(Hold(instance="one", seq=90, on=True), "aaaa")
    await until(doctor, "heard.some(message => message.type === 'held' && message.on)")
    assert visit.session.on_hold
    async with asyncio.timeout(WITHIN_S):
        while visit.lamp[-1]:
            await asyncio.sleep(0.05)
        # What was under way comes, and then nothing more.
        after = await kiosk.evaluate("stats()")
        packets = None
        while packets != (packets := packets_of(after)):
            await asyncio.sleep(1)
            after = await kiosk.evaluate("stats()")
    visit.house.signal(Hold(instance="one", seq=91, on=False), "aaaa")
    decoded = after["inbound-rtp video"]["framesDecoded"]
    await until(kiosk, f"stats().then(all => all['inbound-rtp video'].framesDecoded > {decoded} + 5)")
    async with asyncio.timeout(WITHIN_S):
        while not visit.lamp[-1]:
            await asyncio.sleep(0.05)


def packets_of(stats: dict[str, Any]) -> list[int]:
    return [stats[f"inbound-rtp {kind}"]["packetsReceived"] for kind in ("audio", "video")]
