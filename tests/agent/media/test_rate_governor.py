"""The governor: excess is asked back, much of it leaves pictures out, a collapsed line still gets some."""

from __future__ import annotations

from agent.media.rate_governor import LOWEST_SHARE, MOST_S, SKIP_S, RateGovernor

TARGET = 300_000
PICTURE_S = 1 / 30


def test_an_even_stream_is_asked_for_what_the_line_takes() -> None:
    governor = RateGovernor()
    for index in range(60):
        governor.passed(index * PICTURE_S, TARGET)
        assert governor.asked(TARGET) == TARGET
        assert not governor.skips(TARGET)
        governor.spent(round(TARGET * PICTURE_S))


def test_a_keyframe_is_followed_by_less_and_then_by_the_whole_rate_again() -> None:
    governor = RateGovernor()
    governor.passed(0.0, TARGET)
    governor.spent(round(TARGET * 0.2))
    asked = []
    for index in range(1, 30):
        governor.passed(index * PICTURE_S, TARGET)
        assert not governor.skips(TARGET)
        asked.append(governor.asked(TARGET))
        governor.spent(round(asked[-1] * PICTURE_S))
    assert asked == sorted(asked)
    assert LOWEST_SHARE * TARGET <= asked[0] < 0.7 * TARGET
    assert asked[-1] > 0.9 * TARGET


def test_much_excess_leaves_pictures_out_until_it_has_drained() -> None:
    governor = RateGovernor()
    governor.passed(0.0, 1_800_000)
    governor.spent(180_000)  # a tenth of a second, until the line falls to a sixth
    skipped = [index for index in range(1, 30) if _skips_at(governor, index * PICTURE_S)]
    assert skipped == list(range(1, len(skipped) + 1))
    assert abs(len(skipped) * PICTURE_S - (0.6 - SKIP_S)) < 2 * PICTURE_S


def test_a_line_that_collapsed_still_gets_pictures() -> None:
    governor = RateGovernor()
    governor.passed(0.0, 2_500_000)
    governor.spent(1_000_000)
    assert _skips_at(governor, 0.01, 20_000)
    assert not _skips_at(governor, 0.02 + MOST_S - SKIP_S, 20_000)


def _skips_at(governor: RateGovernor, now: float, target: int = TARGET) -> bool:
    governor.passed(now, target)
    return governor.skips(target)
