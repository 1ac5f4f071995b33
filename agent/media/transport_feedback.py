"""Transport-wide feedback in both directions (draft-holmer-rmcat-transport-wide-cc-extensions-01).

Every packet of a connection carries one running number. Who receives them reports when each came
(ArrivalLog); who sent them compares that with when each left (SentPacketLog), for congestion control.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from agent.media.rtp_packet import SequenceUnwrapper

TICKS_PER_S = 4000  # deltas are in units of 250 microseconds
REFERENCE_TICKS = 256  # the reference time is in units of 64 ms
MAX_STATUSES = 4096  # more in one report is no honest receiver's
_MAX_PENDING_SPAN = 1000  # packets one report may span; older gaps are not worth a report
_SENT_SIZE = 8192
_VECTOR_SYMBOLS = 7
_MAX_RUN = 0x1FFF


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Arrival ticks (250 microseconds, the receiver's clock) by packet, None where it has not come."""

    base_sequence: int
    arrivals: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class PacketResult:
    """What became of a packet: seconds when it left (our clock) and came (their clock; None: lost), bytes."""

    sent_at: float
    arrived_at: float | None
    size: int


def parse_feedback(body: bytes) -> TransportFeedback:
    """Read the feedback control information, sender and media SSRC included; ValueError if malformed."""
    try:
        base, count = struct.unpack_from("!HH", body, 8)
        ticks = int.from_bytes(body[12:15], "big", signed=True) * REFERENCE_TICKS
        if count > MAX_STATUSES:
            raise ValueError("transport feedback reports too many packets")
        symbols: list[int] = []
        position = 16
        while len(symbols) < count:
            symbols += _parse_chunk(struct.unpack_from("!H", body, position)[0])
            position += 2
        arrivals: list[int | None] = []
        for symbol in symbols[:count]:
            if symbol == 1:
                ticks, position = ticks + body[position], position + 1
            elif symbol == 2:
                ticks, position = ticks + struct.unpack_from("!h", body, position)[0], position + 2
            arrivals.append(ticks if symbol in (1, 2) else None)
    except (struct.error, IndexError) as error:
        raise ValueError("transport feedback is truncated") from error
    return TransportFeedback(base, tuple(arrivals))


def _parse_chunk(chunk: int) -> list[int]:
    if not chunk & 0x8000:
        return [chunk >> 13 & 3] * min(chunk & _MAX_RUN, MAX_STATUSES)
    if chunk & 0x4000:
        return [chunk >> shift & 3 for shift in range(12, -1, -2)]
    return [chunk >> shift & 1 for shift in range(13, -1, -1)]


def _build_chunks(symbols: list[int]) -> bytes:
    chunks = bytearray()
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        run = 1
        while position + run < len(symbols) and symbols[position + run] == symbol and run < _MAX_RUN:
            run += 1
        if run >= _VECTOR_SYMBOLS or position + run == len(symbols):
            chunks += struct.pack("!H", symbol << 13 | run)
            position += run
            continue
        vector = symbols[position : position + _VECTOR_SYMBOLS]
        vector += [0] * (_VECTOR_SYMBOLS - len(vector))
        value = 0xC000
        for index, each in enumerate(vector):
            value |= each << (12 - 2 * index)
        chunks += struct.pack("!H", value)
        position += _VECTOR_SYMBOLS
    return bytes(chunks)


class ArrivalLog:
    """The receiving side: notes arrivals, and makes a report of those since the last one."""

    def __init__(self) -> None:
        self._unwrap = SequenceUnwrapper().unwrap
        self._ticks: dict[int, int] = {}
        self._oldest = self._last = 0
        self._first_new: int | None = None
        self._next_base: int | None = None
        self._reports = 0

    def add(self, sequence: int, now: float) -> None:
        """A packet with this 16-bit running number came at `now` (seconds, monotonic)."""
        number = self._unwrap(sequence)
        if number in self._ticks:
            return
        if not self._ticks:
            self._oldest = self._last = number
        self._ticks[number] = int(now * TICKS_PER_S)
        self._oldest, self._last = min(self._oldest, number), max(self._last, number)
        if self._first_new is None or number < self._first_new:
            self._first_new = number

    def build(self) -> bytes | None:
        """The report's body without its SSRCs, or None when nothing has come since the last.

        A report that reaches back for a late packet says again what came beside it, or that would look lost.
        """
        if self._first_new is None:
            return None
        last, pending = self._last, self._ticks
        base = self._first_new if self._next_base is None else min(self._first_new, self._next_base)
        base = max(base, last - _MAX_PENDING_SPAN)
        self._forget(last - _MAX_PENDING_SPAN)
        first = next(sequence for sequence in range(base, last + 1) if sequence in pending)
        self._first_new = None
        self._next_base = last + 1
        reference = pending[first] // REFERENCE_TICKS
        ticks = reference * REFERENCE_TICKS
        symbols: list[int] = []
        deltas = bytearray()
        for sequence in range(base, last + 1):
            arrival = pending.get(sequence)
            delta = 0 if arrival is None else arrival - ticks
            if arrival is None or not -0x8000 <= delta <= 0x7FFF:
                symbols.append(0)
                continue
            small = 0 <= delta <= 0xFF
            symbols.append(1 if small else 2)
            deltas += delta.to_bytes(1 if small else 2, "big", signed=not small)
            ticks = arrival
        head = struct.pack("!HH", base & 0xFFFF, last + 1 - base) + (reference & 0xFFFFFF).to_bytes(3, "big")
        head += bytes([self._reports & 0xFF])
        self._reports += 1
        return head + _build_chunks(symbols) + bytes(deltas)

    def _forget(self, before: int) -> None:
        """Drop what is older. Twenty times a second: only the few that are, unless the numbers have jumped."""
        old = range(self._oldest, before)
        for number in old if len(old) <= len(self._ticks) else [n for n in self._ticks if n < before]:
            self._ticks.pop(number, None)
        self._oldest = max(self._oldest, before)


class SentPacketLog:
    """The sending side: gives out running numbers, and matches reports with what was sent."""

    def __init__(self) -> None:
        self.next_sequence = 1
        self._sent: list[tuple[int, float, int, int] | None] = [None] * _SENT_SIZE
        self._reported_lost = bytearray(_SENT_SIZE)
        self._bytes_sent = 0
        self._bytes_passed = 0

    @property
    def bytes_in_flight(self) -> int:
        """What left after the last packet that was reported to have come."""
        return self._bytes_sent - self._bytes_passed

    def add(self, size: int, now: float) -> int:
        """Note a packet of `size` bytes leaving now; returns its 16-bit running number."""
        sequence = self.next_sequence & 0xFFFF
        self.next_sequence = sequence + 1
        self._bytes_sent += size
        self._sent[sequence % _SENT_SIZE] = (sequence, now, size, self._bytes_sent)
        self._reported_lost[sequence % _SENT_SIZE] = 0
        return sequence

    def results(self, feedback: TransportFeedback) -> list[PacketResult]:
        """Each packet once as arrived, and at most once as lost before that."""
        results = []
        for offset, ticks in enumerate(feedback.arrivals):
            sequence = (feedback.base_sequence + offset) & 0xFFFF
            entry = self._sent[sequence % _SENT_SIZE]
            if entry is None or entry[0] != sequence:
                continue
            if ticks is None:
                if not self._reported_lost[sequence % _SENT_SIZE]:
                    self._reported_lost[sequence % _SENT_SIZE] = 1
                    results.append(PacketResult(entry[1], None, entry[2]))
                continue
            self._sent[sequence % _SENT_SIZE] = None
            self._bytes_passed = max(self._bytes_passed, entry[3])
            results.append(PacketResult(entry[1], ticks / TICKS_PER_S, entry[2]))
        return results
