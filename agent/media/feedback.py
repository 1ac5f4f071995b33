"""What we tell a sender about the line to us, so that its own congestion control works.

Transport-wide feedback where that was negotiated; from senders that only stamp their packets with a time we
make the estimate ourselves and tell it (REMB, draft-alvestrand-rmcat-remb-03).
"""

from __future__ import annotations

from agent.media.congestion import MAX_BIT_RATE, CongestionController
from agent.media.rtp_packet import RtpPacket, extension_value
from agent.media.transport_feedback import ArrivalLog, PacketResult

INTERVAL_MIN_S, INTERVAL_MAX_S = 0.05, 0.25
SHARE = 0.05  # of our own way out may be taken up by feedback
OVERHEAD_BYTES = 28 + 12 + 8 + 14  # IP and UDP, RTCP headers with the empty report, SRTCP's index and tag
ESTIMATE_INTERVAL_S = 0.1
TELL_INTERVAL_S = 1.0
WAITING_MAX = 500  # packets between two estimates; more come from no honest sender
TELL_FALL = 0.97  # a lower estimate than this share of the last is told at once
_SEND_TIME_WRAP_S = 64.0  # absolute send time is in 6.18 bits of seconds


class SendTimes:
    """Estimates what a sender may send from the times it stamps on its packets."""

    def __init__(self) -> None:
        self._controller = CongestionController()
        self._waiting: list[PacketResult] = []
        self._last: float | None = None
        self._estimated_at = 0.0
        self._told = (-TELL_INTERVAL_S, 0)

    def add(self, stamp: bytes, size: int, arrived_at: float) -> None:
        """A packet with this absolute send time (3 bytes) came."""
        sent_at = int.from_bytes(stamp, "big") / (1 << 18)
        if self._last is not None:
            laps = round((self._last - sent_at) / _SEND_TIME_WRAP_S)
            sent_at += laps * _SEND_TIME_WRAP_S
        self._last = sent_at
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(PacketResult(sent_at, arrived_at, size))

    def due(self, now: float) -> int | None:
        """The estimate to tell now, bit/s, if it is time to."""
        if not self._waiting or now - self._estimated_at < ESTIMATE_INTERVAL_S:
            return None
        self._estimated_at = now
        self._controller.on_feedback(self._waiting, now)
        self._waiting = []
        bit_rate = min(MAX_BIT_RATE, self._controller.bit_rate)
        told_at, told = self._told
        if now - told_at < TELL_INTERVAL_S and bit_rate > TELL_FALL * told:
            return None
        self._told = now, bit_rate
        return bit_rate


class Feedback:
    """Times are seconds of the event loop's clock; arrival times are the socket's."""

    def __init__(self) -> None:
        self._arrivals = ArrivalLog()
        self._send_times = SendTimes()
        self._running_number_id = self._send_time_id = 0
        self._sent_at = 0.0
        self._interval_s = INTERVAL_MIN_S

    def use(self, running_number_id: int, send_time_id: int) -> None:
        """Negotiated identifiers of the header extensions, 0 for none."""
        self._running_number_id, self._send_time_id = running_number_id, send_time_id

    def add(self, packet: RtpPacket, arrived_at: float) -> None:
        """Note any packet that came, padding and unknown ones included."""
        number = extension_value(packet, self._running_number_id)
        if number is not None and len(number) == 2:
            self._arrivals.add(number[0] << 8 | number[1], arrived_at)
        elif not self._running_number_id:
            stamp = extension_value(packet, self._send_time_id)
            if stamp is not None and len(stamp) == 3:
                self._send_times.add(stamp, len(packet.payload) + 20, arrived_at)

    def due_report(self, now: float, own_bit_rate: int | None) -> bytes | None:
        """The body of the transport-wide feedback that is due, if it is.

        own_bit_rate: what our own way out carries; on a thin one reports come more seldom.
        """
        if now - self._sent_at < self._interval_s - 0.001:
            return None
        body = self._arrivals.build()
        if body is None:
            return None
        self._sent_at = now
        if own_bit_rate is not None:
            interval_s = (len(body) + OVERHEAD_BYTES) * 8 / (SHARE * own_bit_rate)
            self._interval_s = min(INTERVAL_MAX_S, max(INTERVAL_MIN_S, interval_s))
        return body

    def due_estimate(self, now: float) -> int | None:
        """What to tell a sender without transport-wide feedback, bit/s, if it is time to."""
        return self._send_times.due(now) if not self._running_number_id else None
