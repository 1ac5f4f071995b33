"""What congestion control means for one connection: the pace, when pictures wait, and what is left for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.media.congestion import CongestionController
from agent.media.playout_delay import PlayoutDelay
from agent.media.rtp_link import RtpLink
from agent.media.rtp_stream import RtpStream
from agent.media.transport_feedback import parse_feedback

AUDIO_BIT_RATE = 45_000  # Opus with its headers, taken off the estimate
PACKET_SHARE = 0.97  # of what is left is the picture, the rest its headers
FULL_SHARE = 0.9  # on a full line: what is left free keeps its queue, and with it everybody's delay, short
BACKED_UP_S = 0.15  # a picture that waits for so long comes late: better that the next is not even encoded
REPEATS_INTERVAL_S = 0.5
LOSSY = 0.02  # of the packets: from here on repeats are sent twice, where the line has room
REPEATS_SHARE_MAX = 0.4  # of the estimate may be counted off for repeats


class Sending:
    """Joins one connection's controller to its link. Times are seconds of the event loop's clock."""

    def __init__(
        self, controller: CongestionController, link: RtpLink, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.controller = controller
        self._link, self._loop = link, loop
        self._playout = PlayoutDelay()
        self._repeated_bytes = 0
        self._repeated_at = loop.time()
        self._repeated_bit_rate = 0.0
        if link.pacer is not None:
            link.pacer.may_send = self.may_send
        self._pace()

    def may_send(self) -> bool:
        """Whether pictures may leave now, or the line has more than enough on its way."""
        return self.controller.may_send(self._loop.time())

    @property
    def is_backed_up(self) -> bool:
        """Pictures wait for a line that is full."""
        return self._link.queue_s > BACKED_UP_S or not self.may_send()

    @property
    def picture_bit_rate(self) -> int:
        """What an encoder may make for this connection, bit/s: the estimate without sound and repeats."""
        estimate = self.controller.bit_rate
        repeats = min(self._repeated_bit_rate, REPEATS_SHARE_MAX * estimate)
        share = FULL_SHARE if self.controller.is_full else PACKET_SHARE
        return int((estimate - AUDIO_BIT_RATE - repeats) * share)

    def on_transport_feedback(self, body: bytes, now: float) -> None:
        """Feedback control information came; malformed is dropped."""
        try:
            feedback = parse_feedback(body)
        except ValueError:
            return
        log = self._link.sent_log
        results = log.results(feedback)
        self.controller.on_feedback(results, now, log.bytes_in_flight)
        self._pace()

    def on_loss(self, fraction: float, now: float) -> None:
        """A receiver report told of lost pictures, 0 to 1."""
        self.controller.on_loss(fraction, now)
        self._pace()

    def tick(self, streams: Sequence[RtpStream], now: float) -> None:
        """Call it every 20 to 30 ms."""
        self.controller.tick(now)
        self._pace()
        lossy = self.controller.fraction_lost >= LOSSY
        self._link.repeats_twice = lossy and not self.controller.is_full
        elapsed = now - self._repeated_at
        if elapsed >= REPEATS_INTERVAL_S:
            total = sum(stream.bytes_resent for stream in streams)
            bit_rate = (total - self._repeated_bytes) * 8 / elapsed
            self._repeated_bit_rate += (bit_rate - self._repeated_bit_rate) / 2
            self._repeated_bytes, self._repeated_at = total, now
            self._hold_back(streams, now)

    def _hold_back(self, streams: Sequence[RtpStream], now: float) -> None:
        delay_ms = self._playout.update(self.controller.fraction_lost, self.controller.round_trip_s, now)
        for stream in streams:
            stream.hold_back(delay_ms)

    def _pace(self) -> None:
        if self._link.pacer is not None:
            self._link.pacer.set_bit_rate(self.controller.bit_rate, is_full=self.controller.is_full)
