"""Thinning out to a lower frame rate: the right number of pictures, evenly, whatever the jitter."""

from __future__ import annotations

import random

import pytest

from agent.media.frame_rate import FrameRateLimiter


@pytest.mark.parametrize(
    ("rate", "kept"), [(30, 300), (60, 300), (25, 250), (20, 200), (15, 150), (7.5, 75), (1, 10)]
)
def test_ten_seconds_keep_the_asked_number_of_pictures(rate: float, kept: int) -> None:
    limiter, jitter = FrameRateLimiter(30), random.Random(1)
    limiter.set_rate(rate)
    times = [100 + index / 30 + jitter.uniform(0, 0.008) for index in range(300)]
    assert sum(limiter.keeps(time) for time in times) == pytest.approx(kept, abs=1)
    assert limiter.rate == min(rate, 30)


def test_half_the_rate_is_every_second_picture_also_after_a_gap() -> None:
    limiter = FrameRateLimiter(30)
    limiter.set_rate(15)
    assert [limiter.keeps(index / 30) for index in range(6)] == [True, False] * 3
    assert [limiter.keeps(20 + index / 30) for index in range(6)] == [True, False] * 3
