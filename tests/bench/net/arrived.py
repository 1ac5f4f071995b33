"""What follows from the pictures as they were presented: freezes, frame rate, size, latency, lips. Pure.

Times are Unix time in ms, as the page gave them; shares are 0 to 1.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from agent.media.clock_pattern import MODULO_MS
from tests.bench.figures import percentile
from tests.bench.film import FRAME_RATE
from tests.bench.net.footage import TONE_AT_PICTURE, TONE_EVERY_PICTURES

FREEZE_AVERAGE_OVER = 30
FREEZE_FACTOR, FREEZE_EXTRA_MS = 3.0, 150.0
"""A freeze as W3C's webrtc-stats defines freezeCount: a gap between two pictures of at least
max(3 d, d + 150 ms), d being the mean of the last 30 gaps."""

TONE_PERIOD_MS = TONE_EVERY_PICTURES * 1000 / FRAME_RATE


@dataclass(frozen=True, slots=True)
class Picture:
    """One presented picture. clock and number are None if they could not be read."""

    at: float
    displayed: float
    width: int
    height: int
    clock: int | None
    number: int | None

    @property
    def latency_ms(self) -> float | None:
        """From the moment of capture to the presentation."""
        if self.clock is None:
            return None
        age = (self.at - self.clock) % MODULO_MS
        return age - MODULO_MS if age > MODULO_MS / 2 else age


def pictures(rows: Sequence[Sequence[Any]]) -> list[Picture]:
    """The page's rows, without those that show the same moment as the one before."""
    found: list[Picture] = []
    for at, displayed, width, height, _count, clock, number in rows:
        if clock is not None and found and clock == found[-1].clock:
            continue
        found.append(Picture(at, displayed, int(width), int(height), clock, number))
    return found


def freezes(times: Sequence[float], began: float, ended: float) -> list[tuple[float, float]]:
    """Gaps that count as freezes, as (from, until), cut to what was measured; the last may be open."""
    if not times or times[-1] < began:
        return [(began, ended)]
    found: list[tuple[float, float]] = []
    gaps: deque[float] = deque(maxlen=FREEZE_AVERAGE_OVER)
    for before, at in zip(times, [*times[1:], ended], strict=True):
        gap = at - before
        if gaps:
            usual = mean(gaps)
            if gap >= max(FREEZE_FACTOR * usual, usual + FREEZE_EXTRA_MS) and at > began and before < ended:
                found.append((max(before, began), min(at, ended)))
        gaps.append(gap)
    return found


def lip_offset_ms(shown: Sequence[Picture], tones: Sequence[float]) -> float | None:
    """Median of how much later a tone is heard than its picture is displayed; negative: earlier.

    The picture's moment is taken from all pictures within half a period, since its own may be missing.
    """
    offsets: list[float] = []
    for tone in tones:
        near = [
            picture.displayed - _since_tone_ms(picture.number)
            for picture in shown
            if picture.number is not None and abs(picture.displayed - tone) < TONE_PERIOD_MS / 2
        ]
        if near:
            offsets.append(_wrapped(tone - median(near)))
    return median(offsets) if offsets else None


def _since_tone_ms(number: int) -> float:
    return _wrapped((number - TONE_AT_PICTURE) * 1000 / FRAME_RATE)


def _wrapped(time_ms: float) -> float:
    return (time_ms + TONE_PERIOD_MS / 2) % TONE_PERIOD_MS - TONE_PERIOD_MS / 2


def figures(received: dict[str, Any]) -> dict[str, Any]:
    """The receiving page's answer without its rows, but with what follows from them."""
    began, ended = received["began"], received["ended"]
    every = pictures(received["presented"])
    shown = [picture for picture in every if began <= picture.at <= ended]
    frozen = freezes([picture.at for picture in every], began, ended)
    latencies = [picture.latency_ms for picture in shown if picture.latency_ms is not None]
    sizes = Counter((picture.width, picture.height) for picture in shown)
    heard = [tone for tone in received["tones"] if began <= tone <= ended]
    samples = received["samples_received"]
    more: dict[str, Any] = {
        "frozen": sum(until - since for since, until in frozen) / (ended - began),
        "freezes": len(frozen),
        "fps": len(shown) * 1000 / (ended - began),
        "unreadable": sum(picture.clock is None for picture in shown),
        "concealed": received["samples_concealed"] / samples if samples else None,
        "lip_offset_ms": lip_offset_ms(shown, heard),
        "course": {
            "latency": [[_s(each.at - began), each.latency_ms] for each in shown],
            "height": [[_s(each.at - began), each.height] for each in shown],
            "freezes": [[_s(since - began), _s(until - began)] for since, until in frozen],
        },
    }
    if latencies:
        more |= {"latency_ms_p50": percentile(latencies, 0.5), "latency_ms_p95": percentile(latencies, 0.95)}
    if sizes:
        (more["width"], more["height"]), _ = sizes.most_common(1)[0]
    return {name: value for name, value in received.items() if name not in ("presented", "tones")} | more


def _s(time_ms: float) -> float:
    return round(time_ms / 1000, 3)
