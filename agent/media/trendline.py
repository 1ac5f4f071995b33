"""Is a queue growing on the way? (draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4, libwebrtc's trendline)"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum

from agent.media.transport_feedback import PacketResult

BURST_S = 0.005  # packets that left within this are one group
WINDOW_GROUPS = 20
SMOOTHING = 0.9
GAIN = 4.0
MAX_DELTAS = 60
OVERUSE_TIME_MS = 10.0
THRESHOLD_START_MS, THRESHOLD_MIN_MS, THRESHOLD_MAX_MS = 12.5, 6.0, 600.0
THRESHOLD_UP, THRESHOLD_DOWN = 0.0087, 0.039


class Usage(Enum):
    NORMAL = "normal"
    OVERUSE = "overuse"
    UNDERUSE = "underuse"


class TrendlineEstimator:
    """Fits a line through the queueing delay of packet groups, and judges its slope by a moving threshold."""

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self._group: tuple[float, float, float] | None = None  # first left, last left, last came
        self._previous: tuple[float, float] | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW_GROUPS)
        self._accumulated_ms = 0.0
        self._smoothed_ms = 0.0
        self._deltas = 0
        self._first_arrival: float | None = None
        self._threshold_ms = THRESHOLD_START_MS
        self._threshold_at: float | None = None
        self._overuse_ms = 0.0
        self._last_trend = 0.0

    def add(self, results: Sequence[PacketResult]) -> None:
        """Take in packets in the order in which they left; lost ones are skipped."""
        for result in results:
            if result.arrived_at is None:
                continue
            group = self._group
            if group is not None and result.sent_at - group[0] <= BURST_S:
                self._group = (group[0], result.sent_at, max(group[2], result.arrived_at))
                continue
            if group is not None:
                self._close_group(group[1], group[2])
            self._group = (result.sent_at, result.sent_at, result.arrived_at)

    def _close_group(self, sent_at: float, arrived_at: float) -> None:
        previous, self._previous = self._previous, (sent_at, arrived_at)
        if previous is None:
            return
        sent_ms, came_ms = (sent_at - previous[0]) * 1000, (arrived_at - previous[1]) * 1000
        if abs(came_ms - sent_ms) > 3000:  # a clock that jumped, or a line that slept
            self._points.clear()
            return
        self._deltas = min(self._deltas + 1, MAX_DELTAS)
        if self._first_arrival is None:
            self._first_arrival = arrived_at
        self._accumulated_ms += came_ms - sent_ms
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._accumulated_ms
        self._points.append(((arrived_at - self._first_arrival) * 1000, self._smoothed_ms))
        if len(self._points) == WINDOW_GROUPS:
            self._judge(self._slope(), sent_ms, arrived_at)

    def _slope(self) -> float:
        count = len(self._points)
        mean_x = sum(x for x, _ in self._points) / count
        mean_y = sum(y for _, y in self._points) / count
        spread = sum((x - mean_x) ** 2 for x, _ in self._points)
        if not spread:
            return 0.0
        return sum((x - mean_x) * (y - mean_y) for x, y in self._points) / spread

    def _judge(self, slope: float, interval_ms: float, now: float) -> None:
        trend = slope * self._deltas * GAIN
        if trend > self._threshold_ms:
            self._overuse_ms += interval_ms
            if self._overuse_ms > OVERUSE_TIME_MS and trend >= self._last_trend:
                self._overuse_ms = 0.0
                self.usage = Usage.OVERUSE
        else:
            self._overuse_ms = 0.0
            self.usage = Usage.UNDERUSE if trend < -self._threshold_ms else Usage.NORMAL
        self._last_trend = trend
        self._adapt_threshold(abs(trend), now)

    def _adapt_threshold(self, trend: float, now: float) -> None:
        last, self._threshold_at = self._threshold_at, now
        if last is None or trend > self._threshold_ms + 15:
            return
        gain = THRESHOLD_DOWN if trend < self._threshold_ms else THRESHOLD_UP
        step_ms = min((now - last) * 1000, 100.0)
        moved = self._threshold_ms + gain * (trend - self._threshold_ms) * step_ms
        self._threshold_ms = min(max(moved, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS)
