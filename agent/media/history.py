"""What was sent, kept for those who lost it (RFC 4585 NACK, answered with RFC 4588 RTX)."""

from __future__ import annotations

from typing import NamedTuple

HISTORY_PACKETS = 1024  # at 2.5 Mbit/s about 4 s of video
MAX_RESENDS = 10  # of one packet
MAX_AGE_S = 3.0  # older pictures are of no use to a call


class OutgoingPacket(NamedTuple):
    """A packet but for what its connection adds; marker_and_type is the header's second byte."""

    marker_and_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


class PacketHistory:
    """A ring of the last packets of one stream. Times are seconds of any one clock."""

    def __init__(self, capacity: int = HISTORY_PACKETS) -> None:
        self._capacity = capacity
        self._packets: list[tuple[OutgoingPacket, float] | None] = [None] * capacity
        self._resent: dict[int, tuple[int, float]] = {}

    def add(self, packet: OutgoingPacket, now: float) -> None:
        """Keep a packet that is being sent now; a packet kept already under its number is replaced."""
        sequence = packet.sequence_number
        self._packets[sequence % self._capacity] = (packet, now)
        if self._resent:
            self._resent.pop(sequence, None)

    def clear(self) -> None:
        """Forget everything: it was never sent, or is of no use any more."""
        self._packets = [None] * self._capacity
        self._resent.clear()

    def resend(self, sequence: int, now: float, round_trip_s: float) -> OutgoingPacket | None:
        """The packet, if it is here and not on its way already, and its tries are not used up."""
        entry = self._packets[sequence % self._capacity]
        if entry is None or entry[0].sequence_number != sequence or now - entry[1] > MAX_AGE_S:
            return None
        count, last = self._resent.get(sequence, (0, -1.0))
        if count >= MAX_RESENDS or (count and now - last < round_trip_s * 0.8):
            return None
        if len(self._resent) > self._capacity:
            self._resent.clear()
        self._resent[sequence] = (count + 1, now)
        return entry[0]
