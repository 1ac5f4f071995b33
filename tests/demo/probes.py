"""What the pages' probes saw, as figures with their usual names (W3C WebRTC statistics)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import percentile

ROOM_TONE_HZ, OFFICE_TONE_HZ = 1000, 700
TONE_STANDS_OUT_DB = 10.0
"""So far above what lies around it, a tone is one."""
_HERE = Path(__file__).parent
_CLOCK = _HERE.parent / "bench" / "clock_pattern.js"


def page_script(*, draws_clock: bool) -> str:
    """What runs in a page's context before its own scripts. One text, since each has a scope of its own."""
    camera = [_HERE / "camera_clock.js"] if draws_clock else []
    return "\n".join(file.read_text() for file in (_CLOCK, _HERE / "probe.js", *camera))


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a call, as received. Counts are since its beginning, rates over the measured time.

    audio_level: effective value, 1 being full scale. tone_hz: the sender's tone, if it was heard.
    """

    fps: float
    width: int
    height: int
    frames_decoded: int
    freezes: int
    packets_lost: int
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    audio_level: float
    audio_concealed_ratio: float
    tone_hz: int | None


def direction(side: Mapping[str, Any], tone_hz: int) -> Direction:
    """From the statistics before and after; `tone_hz` is what the sender mixed in."""
    before, after = side["before"], side["after"]
    picture, sound = after["video"], after["audio"]
    seconds = (after["at"] - before["at"]) / 1000
    latencies = after["latencies"]
    played = _grown(before, after, "totalSamplesDuration")
    energy = _grown(before, after, "totalAudioEnergy")
    return Direction(
        fps=round((picture["framesDecoded"] - before["video"]["framesDecoded"]) / seconds, 1),
        width=picture.get("frameWidth", 0),
        height=picture.get("frameHeight", 0),
        frames_decoded=picture["framesDecoded"],
        freezes=picture.get("freezeCount", 0),
        packets_lost=picture["packetsLost"] + sound["packetsLost"],
        latency_ms_p50=round(percentile(latencies, 0.5), 1) if latencies else None,
        latency_ms_p95=round(percentile(latencies, 0.95), 1) if latencies else None,
        audio_level=round(math.sqrt(energy / played), 4) if played else 0.0,
        audio_concealed_ratio=round(
            _grown(before, after, "concealedSamples") / max(1, _grown(before, after, "totalSamplesReceived")),
            4,
        ),
        tone_hz=tone_hz if _hears(after["tones"], tone_hz) else None,
    )


def _grown(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> float:
    return float(after["audio"].get(name, 0) - before["audio"].get(name, 0))


def _hears(prominence_db: Mapping[str, float], tone_hz: int) -> bool:
    own = prominence_db[str(tone_hz)]
    return own >= TONE_STANDS_OUT_DB and own == max(prominence_db.values())
