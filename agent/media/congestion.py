"""How much one line can carry. Pure: times come in as arguments.

Delay and loss together decide, after Google Congestion Control (draft-ietf-rmcat-gcc-02): the trend of the
delay says when, what arrives says how far (rate_control), loss is judged by loss_control, and a window on
what is on its way stops us within a round trip or two when a line suddenly narrows.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.media.acknowledged import Acknowledged
from agent.media.loss_control import LossControl
from agent.media.packet_trains import PacketTrains
from agent.media.rate_control import RateControl
from agent.media.transport_feedback import PacketResult
from agent.media.trendline import TrendlineEstimator, Usage

MIN_BIT_RATE = 150_000
MAX_BIT_RATE = 2_500_000
# Most clinics' lines carry this at once; ramping up would cost a blurred first minute.
START_BIT_RATE = 1_500_000
STRETCHED = 1.25  # packets come this much slower than they leave: a line that is too narrow, at once
STANDING_QUEUE_S = 0.02  # that never empties within a second is a line's; a busy processor's does
DEEP_QUEUE_S = 0.03  # and stretching makes it a narrow line, before a second has passed
DRAIN_FROM_S = 0.08  # a longer queue is let run dry before more is sent
DRAINED_S = 0.03
DRAIN_MAX_S = 1.5
WINDOW_S = 0.35  # so long a queue may stand on the way beyond the round trip, before pictures wait
WINDOW_BYTES_MIN = 12_000
FEEDBACK_TIMEOUT_S = 0.6
FEEDBACK_FRESH_S = 0.3  # an older report says nothing about what is on its way now
TIMEOUT_BACKOFF = 0.8
RESUME_SHARE = 0.5  # of the rate before the silence, with which a line is taken up again
_ROUND_TRIP_KEPT_S = 10.0  # the shortest of so long counts


class CongestionController:
    """The estimate for one connection, in bit/s, between MIN_BIT_RATE and MAX_BIT_RATE."""

    def __init__(self, start_bit_rate: int = START_BIT_RATE) -> None:
        self._rate = RateControl(start_bit_rate)
        self._trendline = TrendlineEstimator()
        self._acknowledged = Acknowledged()
        self._trains = PacketTrains()
        self._loss = LossControl()
        self._updated_at: float | None = None
        self._feedback_at: float | None = None
        self._bytes_in_flight = 0
        self._before_silence: float | None = None
        self._remb: int | None = None
        self._round_trip_s = 0.1
        self._round_trip_at = -1e9
        self._draining_until: float | None = None

    @property
    def bit_rate(self) -> int:
        """The estimate, sound and repeats included."""
        ceiling = MAX_BIT_RATE if self._remb is None else min(MAX_BIT_RATE, self._remb)
        return int(max(MIN_BIT_RATE, min(self._rate.bit_rate, ceiling)))

    @property
    def known_bit_rate(self) -> int:
        """The estimate when the receiver was last heard of: where a rebuilt connection may begin."""
        return self.bit_rate if self._before_silence is None else int(self._before_silence)

    @property
    def is_full(self) -> bool:
        """Whether the estimate is about all that the line carries, as a queue has shown."""
        return self._rate.is_near_capacity(self._trains.bit_rate)

    @property
    def round_trip_s(self) -> float:
        """The shortest lately, so that a queue does not count."""
        return self._round_trip_s

    @property
    def fraction_lost(self) -> float:
        """Of the last two seconds, 0 to 1, before anything is repaired."""
        return self._loss.loss

    @property
    def is_draining(self) -> bool:
        """Pictures wait, since a queue on the way is to run dry first."""
        return self._draining_until is not None

    def may_send(self, now: float) -> bool:
        """Whether pictures may leave, or too much is on its way; a silent receiver is no reason to wait."""
        if self._feedback_at is None or now - self._feedback_at > FEEDBACK_FRESH_S:
            return True
        if self._draining_until is not None and now < self._draining_until:
            return False
        return self._bytes_in_flight <= self._window_bytes

    @property
    def _window_bytes(self) -> float:
        return max(WINDOW_BYTES_MIN, self.bit_rate / 8 * (self._round_trip_s + WINDOW_S))

    def on_feedback(self, results: Sequence[PacketResult], now: float, bytes_in_flight: int = 0) -> None:
        """Transport-wide feedback came at `now` (seconds), when so much had left after what it reports."""
        if not results:
            return
        self._feedback_at, self._bytes_in_flight = now, bytes_in_flight
        self._remb = None
        if self._before_silence is not None:
            self._rate.bit_rate = max(self._rate.bit_rate, RESUME_SHARE * self._before_silence)
            self._before_silence = None
        ordered = sorted(results, key=lambda result: result.sent_at)
        self._note_round_trip(now - ordered[-1].sent_at, now)
        self._trendline.add(ordered)
        for result in ordered:
            self._acknowledged.add(result)
            self._trains.add(result)
        self._acknowledged.note_rate()
        self._loss.add(sum(result.arrived_at is None for result in ordered), len(ordered), now)
        self._update(now)

    def _note_round_trip(self, measured_s: float, now: float) -> None:
        if measured_s < self._round_trip_s or now - self._round_trip_at > _ROUND_TRIP_KEPT_S:
            self._round_trip_s, self._round_trip_at = max(0.0, measured_s), now

    def on_loss(self, fraction: float, now: float) -> None:
        """A receiver report's loss, 0 to 1; only heeded from those who send no transport-wide feedback."""
        if self._feedback_at is None:
            self._loss.set(fraction, now)
            self._update(now)

    def on_remb(self, bit_rate: int) -> None:
        """The receiver's own estimate, from those who send no transport-wide feedback."""
        if self._feedback_at is None:
            self._remb = bit_rate

    def tick(self, now: float) -> None:
        """Call it every 20 to 30 ms: a receiver that has fallen silent gets less and less."""
        if self._draining_until is not None and now >= self._draining_until:
            self._draining_until = None
            self._acknowledged.forget_base()  # what does not run dry is no queue: the way has grown longer
        if self._feedback_at is None or now - self._feedback_at <= FEEDBACK_TIMEOUT_S:
            return
        if self._before_silence is None:
            self._before_silence = self._rate.bit_rate
        if self._updated_at is None or now - self._updated_at > FEEDBACK_TIMEOUT_S:
            self._updated_at = now
            self._rate.bit_rate = max(MIN_BIT_RATE, self._rate.bit_rate * TIMEOUT_BACKOFF)

    def _update(self, now: float) -> None:
        elapsed = 0.0 if self._updated_at is None else now - self._updated_at
        self._updated_at = now
        rate, carried = self._rate, self._acknowledged.bit_rate
        self._end_drain()
        bound = self._loss.bound(rate.bit_rate, now)
        if bound is not None:
            rate.bit_rate = bound
        if self._trendline.usage is Usage.OVERUSE or self._is_narrow:
            self._on_overuse(now)
        elif self._trendline.usage is Usage.NORMAL and not self._loss.is_high and not self.is_draining:
            rate.increase(elapsed, carried, self._trains.bit_rate, now)
        rate.bit_rate = max(MIN_BIT_RATE, min(rate.bit_rate, MAX_BIT_RATE))

    def _on_overuse(self, now: float) -> None:
        """The delay grows: of a line that is too narrow, or of a processor that is late; the latter passes."""
        seen = self._acknowledged
        is_narrow = self._is_narrow
        is_real = is_narrow or seen.standing_queue_s > STANDING_QUEUE_S
        if not is_real or self.is_draining or not self._rate.may_decrease(now):
            return
        line, before = seen.recent_bit_rate if is_narrow else seen.best_bit_rate, self._rate.bit_rate
        self._rate.decrease(line, now)
        if seen.queue_s > DRAIN_FROM_S and line is not None and before > line:
            self._draining_until = now + DRAIN_MAX_S

    @property
    def _is_narrow(self) -> bool:
        seen = self._acknowledged
        return seen.stretch > STRETCHED and seen.queue_s > DEEP_QUEUE_S and seen.grows_in_steps

    def _end_drain(self) -> None:
        if self._draining_until is not None and self._acknowledged.queue_s < DRAINED_S:
            self._draining_until = None
