"""What tests of a whole visit share: a time booked at the booking systems' door, and proof of picture and sound."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import urllib.request
import wave
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.system.stack import Stack

PATIENCE_S = 40.0
"""Long enough for a busy machine; nothing waits for it when all is well."""
POLL_S = 0.1
NEW_FRAMES = 15
INVITATION = "urn:halsorum:fhir:invitation"


@dataclass(frozen=True)
class Booking:
    """What the booking system was told, this once."""

    sid: str
    ref: str
    code: str
    start: datetime


def until(happened: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Wait for a condition; returns what it gave. For a page's condition, see page_until."""
    deadline = time.monotonic() + timeout_s
    while not (value := happened()):
        assert time.monotonic() < deadline, f"in {timeout_s:.0f} s did not happen: {what}"
        time.sleep(POLL_S)
    return value


def page_until(page: Page, happened: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Wait for a condition while the page's events go on."""
    deadline = time.monotonic() + timeout_s
    while not (value := happened()):
        assert time.monotonic() < deadline, f"in {timeout_s:.0f} s did not happen: {what}"
        page.wait_for_timeout(POLL_S * 1000)
    return value


def appointment(room: str, start: datetime, minutes: float, **more: Any) -> dict[str, Any]:
    """A FHIR R4 Appointment that books the room."""
    end = start + timedelta(minutes=minutes)
    place = {"actor": {"reference": f"Location/{room}"}, "status": "accepted"}
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": start.isoformat(timespec="seconds"),
        "end": end.isoformat(timespec="seconds"),
        "participant": [place, *more.pop("participants", [])],
        **more,
    }


def post(stack: Stack, resource: Mapping[str, Any]) -> dict[str, Any]:
    """Post to /fhir/Appointment as a booking system does."""
    request = urllib.request.Request(
        f"{stack.system['region']}/fhir/Appointment",
        json.dumps(resource).encode(),
        {
            "Content-Type": "application/fhir+json",
            "Authorization": f"Bearer {stack.access['booking_token']}",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)  # type: ignore[no-any-return]


def book(stack: Stack, *, after_min: float = 2, minutes: float = 30, **more: Any) -> Booking:
    """Book the room, and wait until the unit has it."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=after_min)
    kept = post(stack, appointment(stack.system["room"], start, minutes, **more))
    told = next(e for e in kept["extension"] if e["url"] == INVITATION)["extension"]
    given = {item["url"]: next(v for k, v in item.items() if k.startswith("value")) for item in told}
    booking = Booking(kept["id"], given["ref"], given["code"], start)
    wait_on_unit(stack, booking.sid)
    return booking


def wait_on_unit(stack: Stack, sid: str) -> None:
    """Until the unit has reported the schedule with this session."""
    until(lambda: any(r["sid"] == sid and r["on_unit"] for r in command(stack, "sessions")), "schedule at unit")


def command(stack: Stack, *arguments: str) -> Any:
    """Run the region's command line; returns what it printed, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.cli", *arguments, "--json"],
        env={**os.environ, "HALSORUM_SETTINGS": str(stack.state / "region" / "region.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kinds(stack: Stack, sid: str) -> list[str]:
    """The meeting log's kinds, in order."""
    return [line["kind"] for line in command(stack, "log", "show", sid)]


def wait_for_kind(stack: Stack, sid: str, kind: str) -> list[str]:
    """Until the meeting log has it."""
    until(lambda: kind in kinds(stack, sid), f"{kind} in the meeting log")
    return kinds(stack, sid)


_COUNT_ANEW = """() => {
  window.framesBefore = new WeakMap();
  for (const video of document.querySelectorAll("video"))
    window.framesBefore.set(video, video.getVideoPlaybackQuality().totalVideoFrames);
}"""
_NEW_FRAMES = """selector => Math.max(0, ...[...document.querySelectorAll(selector)].map(video =>
  video.getVideoPlaybackQuality().totalVideoFrames - (window.framesBefore?.get(video) ?? 0)))"""


def sees(page: Page, selector: str, frames: int = NEW_FRAMES, timeout_s: float = PATIENCE_S) -> None:
    """Until so many frames, decoded from now on, have been shown."""
    page.evaluate(_COUNT_ANEW)
    page_until(
        page,
        lambda: page.evaluate(_NEW_FRAMES, selector) >= frames,
        f"{frames} new frames in {selector}",
        timeout_s,
    )


_LISTEN = """async ([selector, tones, enough, timeoutMs]) => {
  const context = new AudioContext();
  await context.resume();
  const stream = [...document.querySelectorAll(selector)].map(video => video.srcObject)
    .find(stream => stream?.getAudioTracks().length);
  if (!stream) return "no sound in " + selector;
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(analyser);
  const level = new Float32Array(analyser.frequencyBinCount);
  const hzPerBin = context.sampleRate / analyser.fftSize;
  const [first, last] = [300, 3000].map(hz => Math.round(hz / hzPerBin));
  const heard = Object.fromEntries(tones.map(hz => [hz, 0]));
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && Math.max(...Object.values(heard)) < enough) {
    await new Promise(done => setTimeout(done, 50));
    analyser.getFloatFrequencyData(level);
    let peak = first;
    for (let bin = first; bin <= last; bin++) if (level[bin] > level[peak]) peak = bin;
    if (level[peak] < -75) continue;
    for (const hz of tones) if (Math.abs(peak * hzPerBin - hz) <= 2 * hzPerBin) heard[hz]++;
  }
  await context.close();
  return heard;
}"""


def hears(page: Page, selector: str, tones_hz: list[int], enough: int = 20) -> dict[int, int]:
    """How often each tone was the loudest of all that the page received, until one was so `enough` times."""
    heard = page.evaluate(_LISTEN, [selector, tones_hz, enough, PATIENCE_S * 1000])
    assert isinstance(heard, dict), heard
    return {int(hz): count for hz, count in heard.items()}


def pulsed_tone(file: Path, hz: float, seconds: float = 4.8, rate: int = 48_000) -> Path:
    """A sound file for a fake microphone. Pulsed like speech, since browsers take out what never changes."""
    on = [math.sin(math.pi * min(1.0, (n % (rate // 2)) / (rate * 0.3))) for n in range(int(seconds * rate))]
    samples = array("h", (int(12000 * on[n] * math.sin(2 * math.pi * hz * n / rate)) for n in range(len(on))))
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return file
