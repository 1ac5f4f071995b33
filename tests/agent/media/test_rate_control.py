from __future__ import annotations

import pytest

from agent.media.rate_control import APPLICATION_LIMIT, BACKOFF, RateControl


def grown(
    rate: RateControl, seconds: float, start: float = 0.0, carried: float | None = None, **room
) -> float:
    for tick in range(int(seconds * 20)):
        seen = rate.bit_rate if carried is None else carried
        rate.increase(0.05, seen, room.get("room"), start + tick / 20)
    return rate.bit_rate


def test_an_unknown_line_is_tried_by_shares_and_faster_the_longer_it_bears_it() -> None:
    assert 1_080_000 < grown(RateControl(1e6), 1.0, start=100.0) < 1_310_000
    assert grown(RateControl(1e6), 10.0) > 2e6


def test_near_what_the_line_carried_growth_is_slow() -> None:
    rate = RateControl(1e6)
    rate.decrease(1e6, 0.0)
    assert rate.bit_rate == BACKOFF * 1e6
    assert 860e3 < grown(rate, 4.0, start=0.5) < 950e3


def test_an_encoder_that_sends_little_is_no_proof_of_a_wide_line() -> None:
    assert grown(RateControl(300e3), 60.0, carried=300e3) == pytest.approx(APPLICATION_LIMIT * 300e3)


def test_the_spacing_of_packets_makes_it_bold_until_that_was_wrong() -> None:
    rate = RateControl(400e3)
    rate.decrease(470e3, 0.0)
    assert grown(rate, 4.0, start=1.5, room=3e6) > 1_500_000
    rate = RateControl(400e3)
    for turn in range(4):
        rate.decrease(400e3, turn * 20.0)
        grown(rate, 1.0, start=turn * 20.0 + 10, room=3e6)
        rate.decrease(400e3, turn * 20.0 + 11)
    after_fall = rate.bit_rate
    assert grown(rate, 1.0, start=75.0, room=3e6) < 1.3 * after_fall


def test_a_fall_goes_below_what_arrives_and_never_up() -> None:
    rate = RateControl(2e6)
    rate.decrease(400e3, 0.0)
    assert rate.bit_rate == BACKOFF * 400e3
    rate.decrease(1e6, 1.0)
    assert rate.bit_rate == BACKOFF * 400e3
    rate.decrease(None, 2.0)
    assert rate.bit_rate == pytest.approx(BACKOFF * BACKOFF * 400e3)
