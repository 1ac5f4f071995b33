from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.media import rtcp
from agent.media.transport_feedback import (
    TICKS_PER_S,
    ArrivalLog,
    SentPacketLog,
    TransportFeedback,
    parse_feedback,
)


def read(body: bytes) -> TransportFeedback:
    packet = rtcp.build_transport_feedback(1, 2, body)
    assert len(packet) % 4 == 0
    return parse_feedback(rtcp.parse_compound(packet)[0].body)


@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.integers(1, 30), st.integers(-100, 20_000)), min_size=1, max_size=80),
)
def test_what_came_is_what_is_read(start: int, steps: list[tuple[int, int]]) -> None:
    log, sequence, ticks, expected = ArrivalLog(), start, 4_000_000, {}
    for step, delay in steps:
        sequence, ticks = sequence + step, ticks + delay
        log.add(sequence & 0xFFFF, ticks / TICKS_PER_S)
        expected[sequence & 0xFFFF] = ticks
    feedback = read(log.build() or b"")
    base = feedback.arrivals.index(next(a for a in feedback.arrivals if a is not None))
    zero = feedback.arrivals[base] - expected[(feedback.base_sequence + base) & 0xFFFF]
    came = {
        (feedback.base_sequence + offset) & 0xFFFF: arrival - zero
        for offset, arrival in enumerate(feedback.arrivals)
        if arrival is not None
    }
    recent = {n: t for n, t in expected.items() if (sequence - n) & 0xFFFF <= 1000}
    assert came.keys() == recent.keys()
    assert all(abs(came[n] - recent[n]) <= 1 for n in came)


def test_reports_join_up_so_that_losses_between_them_show() -> None:
    log = ArrivalLog()
    log.add(10, 1.0)
    assert read(log.build()).arrivals == (4000,)
    assert log.build() is None
    log.add(13, 1.1)
    feedback = read(log.build())
    assert feedback.base_sequence == 11
    assert feedback.arrivals == (None, None, 4400)
    log.add(12, 1.2)  # late, after it was told as missing
    assert read(log.build()) == TransportFeedback(12, (4800, 4400))
    log.add(14, 1.3)
    assert read(log.build()) == TransportFeedback(14, (5200,))


@given(st.lists(st.lists(st.integers(-40, 700), min_size=1, max_size=30), min_size=2, max_size=12))
def test_report_after_report_says_what_came_and_keeps_no_more_than_one_may_span(
    batches: list[list[int]],
) -> None:
    """Numbers jump ahead and fall back; nothing of the last thousand is forgotten, nothing older kept."""
    log, number = ArrivalLog(), 30_000
    known: set[int] = set()
    for batch in batches:
        new = set()
        for step in batch:
            number += step
            new |= {number} - known
            log.add(number & 0xFFFF, 1.0)
        known |= new
        body = log.build()
        assert (body is None) == (not new)
        if body is None:
            continue
        feedback, oldest = read(body), max(known) - 1000
        last = feedback.base_sequence + len(feedback.arrivals) - 1
        assert last & 0xFFFF == max(known) & 0xFFFF
        told = {
            max(known) - last + feedback.base_sequence + i for i, at in enumerate(feedback.arrivals) if at
        }
        assert {n for n in new if n >= oldest} <= told <= {n for n in known if n >= oldest}
        assert log._ticks.keys() == {n for n in known if n >= oldest}
        known = set(log._ticks)


def test_run_length_and_both_vectors() -> None:
    head = bytes(8) + (5).to_bytes(2, "big")
    # A run of 3 small deltas, a 14-symbol vector with one bit each, then a 7-symbol one.
    chunks = (
        bytes([0x20, 3]) + (0x8000 | 0b10 << 12).to_bytes(2, "big") + (0xC000 | 2 << 12).to_bytes(2, "big")
    )
    body = head + (18).to_bytes(2, "big") + bytes([0, 0, 1, 0]) + chunks + bytes([1, 1, 1, 4]) + b"\xff\xff"
    feedback = parse_feedback(body)
    assert feedback.arrivals == (257, 258, 259, 263, *[None] * 13, 262)


@pytest.mark.parametrize(
    "body", [b"", bytes(11), bytes(10) + b"\x00\x05" + bytes(4), bytes(10) + b"\xff" * 200]
)
def test_broken_feedback_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="transport feedback"):
        parse_feedback(body)


@given(st.binary(max_size=120))
def test_a_stranger_can_only_cause_value_errors(body: bytes) -> None:
    try:
        feedback = parse_feedback(bytes(8) + body)
    except ValueError:
        return
    assert len(feedback.arrivals) <= 4096


def test_sent_packets_are_matched_once() -> None:
    log = SentPacketLog()
    numbers = [log.add(100 + index, 1.0 + index) for index in range(4)]
    first = log.results(TransportFeedback(numbers[0], (4000, None, 4010)))
    assert [(r.sent_at, r.arrived_at, r.size) for r in first] == [
        (1.0, 1.0, 100),
        (2.0, None, 101),
        (3.0, 1.0025, 102),
    ]
    again = log.results(TransportFeedback(numbers[0], (4000, None, 4010, None)))
    assert [(r.size, r.arrived_at) for r in again] == [(103, None)]
    late = log.results(TransportFeedback(numbers[1], (4400,)))
    assert [(r.size, r.arrived_at) for r in late] == [(101, 1.1)]


def test_running_numbers_wrap() -> None:
    log = SentPacketLog()
    log.next_sequence = 65535
    assert [log.add(1, 0.0), log.add(1, 0.0)] == [65535, 0]
