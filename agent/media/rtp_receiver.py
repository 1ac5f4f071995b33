"""The receiving side of one RTP stream: statistics, duplicates, holes, reports; nothing is held back."""

from __future__ import annotations

from agent.media.nack import NackGenerator
from agent.media.ntp import middle_32
from agent.media.rtcp import ReportBlock, SenderReport
from agent.media.rtp_packet import RtpPacket, SequenceUnwrapper

_SEEN_WINDOW = 2048


class IncomingStream:
    """One media SSRC of a remote sender (RFC 3550 section 6.4 and appendix A)."""

    def __init__(self, ssrc: int, clock_rate: int, *, repairable: bool) -> None:
        self.ssrc = ssrc
        self.nack = NackGenerator() if repairable else None
        self.packets = 0
        self.octets = 0
        self.duplicates = 0
        self.recovered = 0
        self._clock_rate = clock_rate
        self._unwrap = SequenceUnwrapper().unwrap
        self._seen: list[int] = [-1] * _SEEN_WINDOW
        self._base: int | None = None
        self._highest = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._expected_before = 0
        self._received_before = 0
        self._last_report: tuple[int, float] | None = None

    @property
    def jitter_s(self) -> float:
        """Interarrival jitter (RFC 3550 section 6.4.1)."""
        return self._jitter / self._clock_rate

    @property
    def packets_lost(self) -> int:
        """Expected less received, recovered ones counted as received."""
        return 0 if self._base is None else self._highest - self._base + 1 - self.packets

    def receive(
        self, packet: RtpPacket, now: float, arrived_at: float, *, repeated: bool
    ) -> list[int] | None:
        """Note a packet; None if it is a duplicate, otherwise the unwrapped numbers to ask for at once."""
        sequence = self._unwrap(packet.sequence_number)
        slot = sequence % _SEEN_WINDOW
        if self._seen[slot] == sequence or (
            self._base is not None and sequence <= self._highest - _SEEN_WINDOW
        ):
            self.duplicates += 1
            return None
        self._seen[slot] = sequence
        self.packets += 1
        self.octets += len(packet.payload)
        if self._base is None:
            self._base = self._highest = sequence
        elif sequence > self._highest:
            self._highest = sequence
        else:
            self._base = min(self._base, sequence)
        if repeated:
            self.recovered += 1
        else:
            self._measure_jitter(packet.timestamp, arrived_at)
        return self.nack.add(sequence, now) if self.nack else []

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < self._clock_rate:  # more than a second is a wrap or a new source, not jitter
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        self._last_report = (middle_32(report.ntp), now)

    def report(self, now: float) -> ReportBlock:
        """Our view since the last one (RFC 3550 section 6.4.1, appendix A.3)."""
        expected = 0 if self._base is None else self._highest - self._base + 1
        expected_now, received_now = expected - self._expected_before, self.packets - self._received_before
        self._expected_before, self._received_before = expected, self.packets
        lost_now = max(0, expected_now - received_now)
        fraction = min(255, lost_now * 256 // expected_now) if expected_now > 0 else 0
        last, delay = 0, 0
        if self._last_report is not None:
            last, delay = self._last_report[0], int((now - self._last_report[1]) * 65536)
        return ReportBlock(
            self.ssrc, fraction, self.packets_lost, self._highest & 0xFFFFFFFF, int(self._jitter), last, delay
        )
