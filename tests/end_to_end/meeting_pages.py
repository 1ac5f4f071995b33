"""What the tests of the meeting page share: the pages served with a region in memory, and a page that plays the
unit: it offers, answers on the data channel, and looks at what arrives."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "clinic"))

from clinic_fakes import PASSWORD, SID, FakeRegion

from web.clinic import WebSettings, create_app

PATIENCE_S = 90.0
expect.set_options(timeout=PATIENCE_S * 1000)

UNIT_OFFERS = """async (attempt) => {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const pc = new RTCPeerConnection();
  window.units = { ...(window.units ?? {}), [attempt]: { pc, media, heard: [] } };
  const sending = { direction: "sendrecv", streams: [media] };
  for (const track of media.getTracks()) pc.addTransceiver(track, sending);
  const channel = pc.createDataChannel("halsorum");
  channel.onmessage = ({ data }) => window.units[attempt].heard.push(JSON.parse(data));
  window.units[attempt].channel = channel;
  // Chromium decodes sound only for someone who listens.
  const listener = new Audio();
  pc.ontrack = ({ track }) => {
    if (track.kind !== "audio") return;
    listener.srcObject = new MediaStream([track]);
    listener.play().catch(() => {});
  };
  const gathered = new Promise((done) => { pc.onicecandidate = ({ candidate }) => candidate || done(); });
  await pc.setLocalDescription();
  await gathered;
  return pc.localDescription.sdp;
}"""
UNIT_HEARS = """async ([attempt, message]) => {
  const { pc } = window.units[attempt];
  if (message.type === "answer") return pc.setRemoteDescription({ type: "answer", sdp: message.sdp });
  if (!message.candidate) return;
  await pc.addIceCandidate({
    candidate: message.candidate, sdpMid: message.sdp_mid, sdpMLineIndex: message.sdp_m_line_index });
}"""
UNIT_DECODED = """async (attempt) => {
  const report = await window.units[attempt].pc.getStats();
  return [...report.values()].reduce((most, stats) => Math.max(most, stats.framesDecoded ?? 0), 0);
}"""
UNIT_SOUND = """async (attempt) => {
  const report = await window.units[attempt].pc.getStats();
  const inbound = [...report.values()].filter((stats) => stats.type === "inbound-rtp");
  return inbound.find((stats) => stats.kind === "audio")?.totalAudioEnergy ?? 0;
}"""


class Unit:
    """The unit's part, between the fake region's queues and a page's RTCPeerConnection."""

    def __init__(self, region: FakeRegion, page: Page) -> None:
        self.region = region
        self.page = page
        self.kinds: list[str] = []

    def offer(self, attempt: int) -> None:
        sdp = self.page.evaluate(UNIT_OFFERS, attempt)
        offer = {"type": "offer", "attempt": attempt, "sdp": sdp, "ice_servers": []}
        self.region.meetings[SID].messages.put(offer)

    def relay(self, until: Callable[[], bool]) -> None:
        """Hand the page's signals to the connection they are for, until something has happened."""
        deadline = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline, f"did not happen; the page has sent {self.kinds}"
            try:
                _, message = self.region.signals.get(timeout=0.1)
            except queue.Empty:
                self.page.wait_for_timeout(50)
                continue
            self.kinds.append(message["type"])
            if message["type"] in ("answer", "candidate"):
                self.page.evaluate(UNIT_HEARS, [message["attempt"], message])

    def wait(self, until: Callable[[], bool]) -> None:
        """Hand nothing over meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(50)

    def decoded(self, attempt: int) -> int:
        return self.page.evaluate(UNIT_DECODED, attempt)

    def heard_sound(self, attempt: int) -> bool:
        return self.page.evaluate(UNIT_SOUND, attempt) > 0

    def joined(self, attempt: int) -> bool:
        """Whether the page has spoken on the channel beside the line, which opens after the first pictures."""
        return self.decoded(attempt) > 0 and bool(self.heard(attempt))

    def heard(self, attempt: int) -> list[dict[str, Any]]:
        return self.page.evaluate("(attempt) => window.units[attempt].heard", attempt)

    def say(self, attempt: int, message: dict[str, Any]) -> None:
        self.page.evaluate("([a, m]) => window.units[a].channel.send(JSON.stringify(m))", [attempt, message])

    def freeze(self, attempt: int) -> None:
        self.page.evaluate("(attempt) => window.units[attempt].pc.close()", attempt)


@contextmanager
def served(region: FakeRegion) -> Iterator[str]:
    """The region's pages at an address of their own."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    server.daemon_threads = True
    url = f"http://localhost:{server.server_port}"
    server.app = create_app(region, region, WebSettings("s" * 32, url, feed_ping_s=0.5))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sign_in(page: Page, address: str, username: str, *, joined: bool = True) -> None:
    """Go to the meeting, and be in it unless it is to be prepared for first."""
    page.goto(f"{address}/meeting/{SID}")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("#sign-in-button")
    if joined:
        expect(page.locator("#content")).to_have_attribute("data-feed", "up")
