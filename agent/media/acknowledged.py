"""What arrived, seen over short windows: the rate a line carries and the delay of its queue. Pure."""

from __future__ import annotations

import itertools
from collections import deque

from agent.media.transport_feedback import PacketResult

WINDOW_S = 0.5
SHORT_WINDOW_S = 0.15  # while a queue stands, packets come at the line's own pace, and few of them tell it
LEAST_SPAN_S = 0.06
STANDING_WINDOW_S = 1.0
BASE_WINDOW_S = 20.0  # the least delay of so long is the empty line's; clocks drift apart meanwhile by 1 ms
BASE_SLOTS = 10
LATEST_PACKETS = 5
STEP_PACKETS, STEP_SHARE = 12, 0.5
BEST_WINDOW_S = 2.0
RESTART_S = 3.0  # a clock that jumped, or a line that slept


class Acknowledged:
    """Takes the packets that came in, in the order in which they left; lost ones are not given to it."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, float, int]] = deque()  # came, left, bytes
        self._delays: deque[tuple[float, float]] = deque()  # came, delay
        self._rates: deque[tuple[float, float]] = deque()
        self._bases: deque[tuple[float, float]] = deque(maxlen=BASE_SLOTS)  # slot's begin, least delay

    def add(self, result: PacketResult) -> None:
        """Note a packet that arrived; an arrival time that jumped makes everything begin anew."""
        came = result.arrived_at
        if came is None:
            return
        if self._window and abs(came - self._window[-1][0]) > RESTART_S:
            for past in (self._window, self._delays, self._rates, self._bases):
                past.clear()
        delay = came - result.sent_at
        self._window.append((came, result.sent_at, result.size))
        self._delays.append((came, delay))
        while came - self._window[0][0] > WINDOW_S:
            self._window.popleft()
        while came - self._delays[0][0] > STANDING_WINDOW_S:
            self._delays.popleft()
        if not self._bases or came - self._bases[-1][0] > BASE_WINDOW_S / BASE_SLOTS:
            self._bases.append((came, delay))
        elif delay < self._bases[-1][1]:
            self._bases[-1] = (self._bases[-1][0], delay)

    def forget_base(self) -> None:
        """From now on the shortest delay is that of what comes."""
        self._bases.clear()
        self._delays.clear()

    @property
    def bit_rate(self) -> float | None:
        """What came in over the last half second, bit/s, or None before that is known."""
        return self._rate_since(WINDOW_S)

    @property
    def recent_bit_rate(self) -> float | None:
        """What came in over the shortest time that tells: the line's own rate, while its queue stands."""
        return self._rate_since(SHORT_WINDOW_S) or self.bit_rate

    def _rate_since(self, window_s: float) -> float | None:
        if not self._window:
            return None
        end = self._window[-1][0]
        begin, octets = end, 0
        first = 0
        for came, _, size in reversed(self._window):
            if end - came > window_s:
                break
            begin, first = came, size
            octets += size
        return (octets - first) * 8 / (end - begin) if end - begin >= LEAST_SPAN_S else None

    @property
    def stretch(self) -> float:
        """How much slower packets came than they left: over 1 a queue grows, under 1 it drains."""
        if len(self._window) < LATEST_PACKETS:
            return 1.0
        (came, left, _), (came_last, left_last, _) = self._window[0], self._window[-1]
        return (came_last - came) / (left_last - left) if left_last - left >= LEAST_SPAN_S / 2 else 1.0

    @property
    def _base(self) -> float:
        return min((delay for _, delay in self._bases), default=0.0)

    @property
    def best_bit_rate(self) -> float | None:
        """The most that came in over half a second, of the last two: what the line carried, though we paused."""
        return max((rate for _, rate in self._rates), default=None)

    @property
    def grows_in_steps(self) -> bool:
        """Whether the delay of the last packets grew little by little, as before a narrow line.

        A processor that wakes up late adds it all at once, to the first packet of many.
        """
        latest = [self._delays[-1 - index][1] for index in range(min(STEP_PACKETS, len(self._delays)))]
        growth = max(latest, default=0.0) - min(latest, default=0.0)
        steps = [newer - older for newer, older in itertools.pairwise(latest)]
        return max(steps, default=0.0) < STEP_SHARE * growth

    def note_rate(self) -> None:
        """Remember what came in; call it once for each report."""
        rate = self.bit_rate
        if rate is not None and self._window:
            came = self._window[-1][0]
            self._rates.append((came, rate))
            while abs(came - self._rates[0][0]) > BEST_WINDOW_S:
                self._rates.popleft()

    @property
    def queue_s(self) -> float:
        """The queue that the latest packets met: the least of the last few, seconds over the empty line."""
        if not self._delays:
            return 0.0
        latest = [self._delays[-1 - index][1] for index in range(min(LATEST_PACKETS, len(self._delays)))]
        return min(latest) - self._base

    @property
    def standing_queue_s(self) -> float:
        """The queue that was there all through the last second; a processor that is late now and then has
        none."""
        return min(delay for _, delay in self._delays) - self._base if self._delays else 0.0
