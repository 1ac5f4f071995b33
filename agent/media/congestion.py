"""How much one line can carry, and what the encoder should make of that. Pure: times come in as arguments.

Delay and loss together decide, after Google Congestion Control (draft-ietf-rmcat-gcc-02).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from agent.media.source import EncodingTarget
from agent.media.transport_feedback import PacketResult
from agent.media.trendline import TrendlineEstimator, Usage

MIN_BIT_RATE = 150_000
MAX_BIT_RATE = 2_500_000
START_BIT_RATE = (
    1_500_000  # most clinics' lines carry this at once; ramping up would cost a blurred first minute
)
AUDIO_BIT_RATE = 45_000  # Opus with its headers, taken off the estimate
BACKOFF = 0.85
GROWTH_PER_S = 1.08
REGAIN_PER_S = 1.3  # back to what the line carried before a decrease, when it is quiet again
REGAIN_AFTER_S = 1.5
REGAIN_SHARE = 0.85
DECREASES_APART_S = 3.0  # closer ones are one fall, and the rate before it is what the line carried
KEPT_UP = 0.9  # a line that delivers this share of what is sent is not what holds the rate down
KEPT_UP_FLOOR = 850_000  # delay alone, on a line that keeps up, is a busy processor: the picture stays whole
LOSS_LOW, LOSS_HIGH = 0.02, 0.10
RATE_WINDOW_S = 0.5
LOSS_WINDOW_S = 1.0
DECREASE_INTERVAL_S = 0.3
APPLICATION_LIMIT = 1.5  # never believe more than this times what was really carried


class CongestionController:
    """The estimate for one connection, in bit/s, between MIN_BIT_RATE and MAX_BIT_RATE."""

    def __init__(self, start_bit_rate: int = START_BIT_RATE) -> None:
        self._estimate = float(start_bit_rate)
        self._trendline = TrendlineEstimator()
        self._carried: deque[tuple[float, int]] = deque()
        self._sent: deque[tuple[float, int]] = deque()
        self._before_decrease = 0.0
        self._outcomes: deque[tuple[float, int, int]] = deque()
        self._grown_at: float | None = None
        self._decreased_at = -1.0
        self._remb: int | None = None
        self._has_transport_feedback = False

    @property
    def bit_rate(self) -> int:
        """The estimate, sound included."""
        ceiling = MAX_BIT_RATE if self._remb is None else min(MAX_BIT_RATE, self._remb)
        return int(max(MIN_BIT_RATE, min(self._estimate, ceiling)))

    def on_feedback(self, results: Sequence[PacketResult], now: float) -> None:
        """Transport-wide feedback came at `now` (seconds)."""
        if not results:
            return
        self._has_transport_feedback = True
        self._remb = None
        ordered = sorted(results, key=lambda result: result.sent_at)
        self._trendline.add(ordered)
        carried = sum(result.size for result in ordered if result.arrived_at is not None)
        lost = sum(result.arrived_at is None for result in ordered)
        self._carried.append((now, carried))
        self._sent.append((ordered[-1].sent_at, sum(result.size for result in ordered)))
        self._outcomes.append((now, lost, len(ordered)))
        while self._carried and now - self._carried[0][0] > RATE_WINDOW_S:
            self._carried.popleft()
        while len(self._sent) > len(self._carried):
            self._sent.popleft()
        while self._outcomes and now - self._outcomes[0][0] > LOSS_WINDOW_S:
            self._outcomes.popleft()
        self._update(self._recent_loss(), now)

    def on_loss(self, fraction: float, now: float) -> None:
        """A receiver report's loss, 0 to 1; only heeded from those who send no transport-wide feedback."""
        if not self._has_transport_feedback:
            self._update(fraction, now)

    def on_remb(self, bit_rate: int) -> None:
        """The receiver's own estimate, from those who send no transport-wide feedback."""
        if not self._has_transport_feedback:
            self._remb = bit_rate

    def _recent_loss(self) -> float:
        total = sum(count for _, _, count in self._outcomes)
        return sum(lost for _, lost, _ in self._outcomes) / total if total >= 20 else 0.0

    def _line_bit_rate(self) -> float | None:
        """What the line carries now, where it shows: a line that keeps up with what little we send does not."""
        carried, sent = _bit_rate(self._carried), _bit_rate(self._sent)
        if carried is None or sent is None:
            return carried
        return None if carried >= KEPT_UP * sent else carried

    def _update(self, loss: float, now: float) -> None:
        if self._trendline.usage is Usage.OVERUSE or loss > LOSS_HIGH:
            self._decrease(loss, now)
            return
        last, self._grown_at = self._grown_at, now
        if last is None or self._trendline.usage is Usage.UNDERUSE or loss > LOSS_LOW * 2:
            return
        grown = self._estimate * self._growth_per_s(now) ** min(now - last, 1.0)
        carried = _bit_rate(self._carried)
        if carried is not None:
            grown = min(grown, max(self._estimate, carried * APPLICATION_LIMIT))
        self._estimate = min(grown, MAX_BIT_RATE)

    def _growth_per_s(self, now: float) -> float:
        quiet = now - self._decreased_at > REGAIN_AFTER_S
        return (
            REGAIN_PER_S if quiet and self._estimate < REGAIN_SHARE * self._before_decrease else GROWTH_PER_S
        )

    def _decrease(self, loss: float, now: float) -> None:
        self._grown_at = now
        if now - self._decreased_at < DECREASE_INTERVAL_S:
            return
        if now - self._decreased_at > DECREASES_APART_S:
            self._before_decrease = self._estimate
        self._decreased_at = now
        lower = self._estimate * (1 - 0.5 * loss) if loss > LOSS_HIGH else self._estimate
        if self._trendline.usage is Usage.OVERUSE:
            line = self._line_bit_rate()
            basis = self._estimate if line is None else min(line, self._estimate)
            floor = min(KEPT_UP_FLOOR, self._estimate) if line is None else 0.0
            lower = min(lower, max(basis * BACKOFF, floor))
        self._estimate = max(MIN_BIT_RATE, lower)


def _bit_rate(window: deque[tuple[float, int]]) -> float | None:
    if len(window) < 3:
        return None
    span = window[-1][0] - window[0][0]
    return sum(size for _, size in list(window)[1:]) * 8 / span if span > 0.1 else None


@dataclass(frozen=True, slots=True)
class _Step:
    least_bit_rate: int
    width: int
    height: int
    frame_rate: float


# From libx264 superfast: below these rates a talking head at the next larger size breaks into blocks.
_LADDER = (
    _Step(800_000, 1280, 720, 30.0),
    _Step(450_000, 960, 540, 30.0),
    _Step(280_000, 640, 360, 30.0),
    _Step(190_000, 640, 360, 20.0),
    _Step(0, 480, 270, 15.0),
)
UPGRADE_MARGIN = 1.2  # a larger picture costs a keyframe: only when there is room


def encoding_target(
    bit_rate: int, previous: EncodingTarget | None = None, width_max: int = 1280, frame_rate_max: float = 30.0
) -> EncodingTarget:
    """What to encode for a line of `bit_rate`, sound included: rate and size give way before quality."""
    video = max(MIN_BIT_RATE - AUDIO_BIT_RATE, bit_rate - AUDIO_BIT_RATE)
    chosen = next(step for step in _LADDER if video >= step.least_bit_rate)
    if previous is not None and (chosen.width, chosen.frame_rate) > (previous.width, previous.frame_rate):
        chosen = next(step for step in _LADDER if video >= step.least_bit_rate * UPGRADE_MARGIN)
    if previous is not None and (chosen.width, chosen.frame_rate) < (previous.width, previous.frame_rate):
        same = [
            step for step in _LADDER if (step.width, step.frame_rate) == (previous.width, previous.frame_rate)
        ]
        if same and video >= same[0].least_bit_rate:
            chosen = same[0]
    width = min(chosen.width, width_max)
    height = chosen.height * width // chosen.width & ~1
    return EncodingTarget(video, min(chosen.frame_rate, frame_rate_max), width, height)
