"""What tests of a whole visit share: a time booked through FHIR, and proof of picture and sound."""

from __future__ import annotations

import json
import math
import os
import secrets
import subprocess
import sys
import time
import urllib.request
import wave
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning import meeting_log
from provisioning.database import Database
from provisioning.models import BookedSession, LogEntry, QualityRow, UnitReport
from provisioning.views import is_on_unit
from tests.system.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page  # takes long to load, and what needs no browser comes here too

PATIENCE_S = 90.0
"""Long enough for a busy machine; nothing waits for it when all is well."""
POLL_S = 0.1
NEW_FRAMES = 15
INVITATION = "urn:halsorum:fhir:invitation"
KINDS = (
    "booked",
    "session_ready",
    "checked_in",
    "party_opened",
    "peer_joined",
    "admit_asked",
    "admitted",
    "call_started",
    "peer_connected",
    "end_asked",
    "peer_left",
    "call_ended",
    "session_wiped",
)
"""What the meeting log says of an undisturbed visit, in order."""


@dataclass(frozen=True)
class Booking:
    """What the booking system was told, this once."""

    sid: str
    ref: str
    code: str
    start: datetime
    token: str = field(default="", repr=False)


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
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)  # type: ignore[no-any-return]


def book(stack: Stack, *, after_min: float = 2, minutes: float = 30, **more: Any) -> Booking:
    """Book the room, and wait until the unit has it."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=after_min)
    more.setdefault("identifier", [{"system": "urn:test:tidbok", "value": secrets.token_hex(8)}])
    kept = post(stack, appointment(stack.system["room"], start, minutes, **more))
    told = next(e for e in kept["extension"] if e["url"] == INVITATION)["extension"]
    given = {item["url"]: next(v for k, v in item.items() if k.startswith("value")) for item in told}
    booking = Booking(kept["id"], given["ref"], given["code"], start, given["token"])
    wait_on_unit(stack, booking.sid)
    return booking


def book_by_command(stack: Stack, *options: str, after_min: float = 2, minutes: int = 30) -> Booking:
    """Book as the region's staff do on the command line, where more can be chosen; wait for the unit."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=after_min)
    words = ["book", stack.system["room"], start.isoformat(), "--minutes", str(minutes), *options]
    made = command(stack, *words)
    wait_on_unit(stack, made["sid"])
    return Booking(made["sid"], made["ref"], made["code"], start)


def wait_on_unit(stack: Stack, sid: str) -> None:
    """Until the unit has reported the schedule with this session."""

    def there() -> bool:
        with database(stack) as db:
            row = db.get(BookedSession, sid)
            return row is not None and is_on_unit(db, row)

    until(there, "the session in the unit's schedule")


def wait_until_ready(stack: Stack) -> None:
    """Until the room has checked itself with success; on a busy machine the second time, 30 s later."""

    def ready() -> bool:
        with database(stack) as db:
            report = db.get(UnitReport, stack.system["unit"])
            return report is not None and report.state == "ready"

    until(ready, "the room ready", 2 * PATIENCE_S)


@contextmanager
def database(stack: Stack) -> Iterator[Session]:
    """The region's, to read: quicker than a command when one has to look often."""
    opened = Database(f"sqlite:///{stack.state / 'region' / 'region.db'}")
    try:
        with opened.read() as db:
            yield db
    finally:
        opened.close()


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
    with database(stack) as db:
        return [entry.kind for entry in meeting_log.of_session(db, sid)]


def quality(stack: Stack, sid: str) -> list[dict[str, Any]]:
    """Every quality report that the region keeps of a session, in order."""
    with database(stack) as db:
        rows = db.scalars(select(QualityRow).where(QualityRow.sid == sid).order_by(QualityRow.at))
        return [{"source": row.source, **row.figures} for row in rows]


def all_kinds(stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    """Kind and fields of every entry of the meeting log, in order."""
    with database(stack) as db:
        rows = db.execute(select(LogEntry.kind, LogEntry.fields).order_by(LogEntry.seq))
        return [(kind, dict(fields)) for kind, fields in rows]


def wait_for_kind(stack: Stack, sid: str, kind: str) -> list[str]:
    """Until the meeting log has it."""
    until(lambda: kind in kinds(stack, sid), f"{kind} in the meeting log")
    return kinds(stack, sid)


_COUNT_ANEW = """() => {
  window.framesBefore = new WeakMap();
  for (const video of document.querySelectorAll("video"))
    window.framesBefore.set(video, video.getVideoPlaybackQuality().totalVideoFrames);
}"""
# A video that was given another stream counts from nought again.
_NEW_FRAMES = """selector => Math.max(0, ...[...document.querySelectorAll(selector)].map(video => {
  const [total, before] = [video.getVideoPlaybackQuality().totalVideoFrames, window.framesBefore?.get(video) ?? 0];
  if (total < before) window.framesBefore.set(video, 0);
  return total < before ? total : total - before;
}))"""


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
