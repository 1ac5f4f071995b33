"""In a real call: a hand before the room's lens, and a clinician's microphone that goes dead, are told on the
right pages, once, and taken back when they are well."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av import VideoFrame
from playwright.sync_api import Page

from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack, footage
from tests.system.visit import book, page_until, wait_for_kind, wait_until_ready

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
PATIENCE_S = 40
VOICE = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (asked) => {
  const stream = await open(asked);
  if (!asked.audio) return stream;
  const context = new AudioContext(), voice = context.createOscillator();
  const microphone = context.createMediaStreamDestination();
  window.voice = context.createGain();
  voice.connect(window.voice).connect(microphone);
  voice.start();
  return new MediaStream([...microphone.stream.getAudioTracks(), ...stream.getVideoTracks()]);
};
"""
REMEMBER = """([selector, name]) => {
  const element = document.querySelector(selector);
  window.said = [];
  new MutationObserver(() => {
    const now = element.getAttribute(name) ?? "";
    if (now !== (window.said.at(-1) ?? "")) window.said.push(now);
  }).observe(element, { attributes: true });
}"""
OFFICE, ROOM = ("#warning", "data-what"), (".over .line", "data-warning")


def test_what_goes_wrong_in_a_call_is_told_on_the_right_page(tmp_path: Path) -> None:
    film, hand = tmp_path / "room.mp4", tmp_path / "hand.mp4"
    shutil.copy(footage(), film)
    before_the_lens(hand)
    with (
        Stack(tmp_path / "state", ["--footage", str(film)]) as stack,
        Browsers(tmp_path / "profile") as browsers,
    ):
        wait_until_ready(stack)
        booking = book(stack)
        screen = Screen.open(browsers, stack)
        screen.check_in(booking.code)
        screen.shows("waiting")
        office = Office.open(browsers, stack, init_script=VOICE)
        office.open_meeting(booking.sid)
        office.admit()
        office.page.wait_for_selector("#content[data-line='connected']", timeout=PATIENCE_S * 1000)
        screen.shows("call")
        screen.page.wait_for_selector(ROOM[0], state="attached")
        for page, place in ((office.page, OFFICE), (screen.page, ROOM)):
            page.evaluate(REMEMBER, place)

        covered_s = told(office.page, screen.page, lambda: hand.replace(film), "covered", "covered")
        assert "Något är framför" in screen.page.inner_text(ROOM[0])
        shutil.copy(footage(), hand)
        taken_back(office.page, screen.page, lambda: hand.replace(film))

        silent_s = told(
            office.page,
            screen.page,
            lambda: office.page.evaluate("voice.gain.value = 0"),
            "own_silent",
            "party_sound",
        )
        assert "mikrofon" in office.page.inner_text(OFFICE[0])
        taken_back(office.page, screen.page, lambda: office.page.evaluate("voice.gain.value = 1"))
        print(json.dumps({"told_after_s": {"covered": covered_s, "clinician_silent": silent_s}}))
        office.end()
        screen.shows("ended", timeout_s=30)
        wait_for_kind(stack, booking.sid, "call_warning")


def before_the_lens(file: Path) -> None:
    """A film of what a camera sees of a hand that lies on it: next to nothing, with its own noise, and the room's
    sound as before."""
    noise = np.random.default_rng(3)
    with av.open(str(footage())) as room, av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        sound = container.add_stream_from_template(room.streams.audio[0])
        for _ in range(27):
            grey = noise.normal(40, 3, (720, 1280, 1)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(grey.repeat(3, axis=2), "rgb24")))
        container.mux(stream.encode())
        for packet in room.demux(room.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                container.mux(packet)


def told(office: Page, room: Page, fault: Callable[[], object], there: str, here: str) -> dict[str, float]:
    """Seconds from the fault until each page says so."""
    since, seconds = time.monotonic(), {}
    fault()

    def is_told() -> bool:
        for name, page, (selector, attribute), what in (
            ("clinician", office, OFFICE, there),
            ("patient", room, ROOM, here),
        ):
            if name not in seconds and page.get_attribute(selector, attribute) == what:
                assert page.is_visible(selector)
                seconds[name] = round(time.monotonic() - since, 2)
        return len(seconds) == 2

    try:
        page_until(office, is_told, f"{there} told", PATIENCE_S)
    finally:
        print(json.dumps({page.url: page.evaluate("said") for page in (office, room)}))
    return seconds


def taken_back(office: Page, room: Page, mend: Callable[[], object]) -> None:
    """It goes away on both pages, and was said on each but once."""
    mend()
    for page in (office, room):
        page_until(page, lambda page=page: page.evaluate("said.at(-1)") == "", "well again", PATIENCE_S)
        assert len(page.evaluate("said")) == 2, page.evaluate("said")
        page.evaluate("said.length = 0")
