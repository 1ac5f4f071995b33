from __future__ import annotations

import pytest

from agent.media.acknowledged import Acknowledged
from agent.media.transport_feedback import PacketResult


def feed(
    seen: Acknowledged, start: float, seconds: float, sent: float, line: float, skew: float = 0.0
) -> None:
    """Packets of 1000 bytes at `sent` bit/s over a line of `line` bit/s, whose clock runs `skew` faster."""
    free_at, at = start, start
    while at < start + seconds:
        free_at = max(free_at, at) + 8000 / line
        seen.add(PacketResult(at, (free_at + 0.03) * (1 + skew) - 5000, 1000))
        at += 8000 / sent


def test_a_line_with_room_shows_what_is_sent_and_no_queue() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 3.0, 1e6, 10e6)
    assert seen.bit_rate == pytest.approx(1e6, rel=0.05)
    assert seen.stretch == pytest.approx(1.0, abs=0.02)
    assert seen.queue_s < 0.001
    assert seen.standing_queue_s < 0.001


def test_a_line_that_narrowed_shows_its_own_rate_soon_and_its_queue() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 2.0, 2e6, 10e6)
    feed(seen, 2.0, 0.1, 2e6, 400e3)
    assert seen.stretch > 1.5
    assert seen.recent_bit_rate == pytest.approx(400e3, rel=0.1)
    assert seen.queue_s > 0.2
    assert seen.standing_queue_s < 0.01


def test_a_queue_grows_little_by_little_and_a_late_processor_all_at_once() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 2.0, 2e6, 10e6)
    feed(seen, 2.0, 0.1, 2e6, 400e3)
    assert seen.grows_in_steps
    seen = Acknowledged()
    feed(seen, 0.0, 2.0, 2e6, 10e6)
    for number in range(6):
        seen.add(PacketResult(2.0 + number * 0.004, 2.2 - 5000 + number * 0.0003, 1000))
    assert not seen.grows_in_steps


def test_a_pause_of_ours_does_not_make_the_line_look_thin() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 1.0, 2e6, 10e6)
    seen.note_rate()
    feed(seen, 1.0, 1.0, 50e3, 10e6)
    seen.note_rate()
    assert seen.bit_rate < 100e3
    assert seen.best_bit_rate == pytest.approx(2e6, rel=0.05)


def test_a_queue_that_stays_for_a_second_stands_until_the_way_is_learnt_anew() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 2.0, 1e6, 10e6)
    feed(seen, 2.0, 0.2, 2e6, 1e6)
    for number in range(200):
        seen.add(PacketResult(2.4 + number * 0.008, 2.63 + number * 0.008 - 5000, 1000))
    assert seen.standing_queue_s == pytest.approx(0.2, abs=0.03)
    seen.forget_base()
    seen.add(PacketResult(5.0, 5.23 - 5000, 1000))
    assert seen.standing_queue_s == 0.0


def test_clocks_that_drift_apart_are_no_queue_and_one_that_jumps_begins_anew() -> None:
    seen = Acknowledged()
    feed(seen, 0.0, 60.0, 200e3, 10e6, skew=50e-6)
    assert seen.standing_queue_s < 0.002
    seen.add(PacketResult(61.0, 9000.0, 1000))
    assert (seen.queue_s, seen.bit_rate) == (0.0, None)


def test_nothing_yet() -> None:
    seen = Acknowledged()
    assert (seen.bit_rate, seen.recent_bit_rate, seen.stretch, seen.queue_s) == (None, None, 1.0, 0.0)
