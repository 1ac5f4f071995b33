"""Trains over lines as arithmetic: loss is told from narrowness, and a line that is well is not accused."""

from __future__ import annotations

import pytest

from agent.media.line_figures import LATE_S, LineFigures, Train, figures_of, thin_figures
from agent.media.line_measure import LAST_S, THICK, THIN, Pace
from agent.probes.line import judge
from tests.bench.net.line import BurstLoss, Line, RandomLoss, Shape

FAR = {"delay_s": 0.03, "jitter_s": 0.01}


def ride(pace: Pace, there: Line, back: Line, began: float, until: float, stall_s: float = 0.0) -> Train:
    """Over both directions of a line; one may hold the reading machine up for a while in the middle."""
    train = Train(pace.size_bytes)
    middle = began + pace.for_s / 2
    for index in range(round(pace.per_s * pace.for_s)):
        number = train.sent(began + index / pace.per_s)
        out = there.send(train.sent_at[number], pace.size_bytes).arrives_at
        home = None if out is None else back.send(out, pace.size_bytes).arrives_at
        if home is not None and home < until:
            seen = middle + stall_s if middle <= home < middle + stall_s else home
            train.came(number, seen)
    return train


def measured(shape: Shape, seed: int = 1, stall_s: float = 0.0) -> LineFigures:
    there, back = Line(shape, seed), Line(shape, seed + 1000)
    ends = THIN.for_s + THICK.for_s + LAST_S + 2 * shape.delay_s
    thin = ride(THIN, there, back, 0.0, ends)
    return figures_of(thin, ride(THICK, there, back, THIN.for_s, ends, stall_s))


def said(shape: Shape, seed: int = 1) -> list[str]:
    return told(measured(shape, seed))


def told(figures: LineFigures) -> list[str]:
    return [verdict.instruction for verdict in judge(figures) if not verdict.ok]


@pytest.mark.parametrize("seed", range(12))
def test_lines_that_are_well_are_not_accused(seed: int) -> None:
    for shape in (
        Shape(**FAR),
        Shape(bit_rate=10_000_000, loss=RandomLoss(0.005), **FAR),
        Shape(bit_rate=3_000_000, loss=BurstLoss(0.003, 3), delay_s=0.3),
        Shape(bit_rate=1_600_000, delay_s=0.02),
    ):
        assert said(shape, seed) == []


@pytest.mark.parametrize("seed", range(12))
def test_loss_is_found_and_told_as_loss_alone(seed: int) -> None:
    assert said(Shape(loss=RandomLoss(0.04), **FAR), seed) == ["line_loss"]
    assert said(Shape(loss=BurstLoss(0.08, 2), delay_s=0.01), seed) == ["line_loss"]


@pytest.mark.parametrize("bit_rate", [200_000, 500_000, 900_000])
def test_a_narrow_line_is_found_with_its_rate_and_not_taken_for_a_lossy_one(bit_rate: int) -> None:
    figures = measured(Shape(bit_rate=bit_rate, delay_s=0.02))
    assert told(figures) == ["line_narrow"]
    # The line carries IP's and UDP's headers too.
    assert figures.bit_rate == pytest.approx(bit_rate, rel=0.1)


def test_a_line_that_is_both_is_told_both() -> None:
    assert said(Shape(bit_rate=700_000, loss=RandomLoss(0.08))) == ["line_narrow", "line_loss"]


def test_a_machine_that_was_busy_is_no_narrow_line() -> None:
    figures = measured(Shape(**FAR), stall_s=2 * LATE_S)
    assert told(figures) == []
    assert figures.bit_rate is not None and figures.bit_rate > 2_300_000


def test_a_machine_that_is_busy_all_the_time_sends_less_and_blames_nobody() -> None:
    thin, thick = Train(160), Train(1150)
    for index in range(100):
        thin.came(thin.sent(index * 0.01), index * 0.01 + 0.02)
    for index in range(150):  # 0.7 Mbit/s, read every 0.7 s
        at = 2 + index / 75
        thick.came(thick.sent(at), at + 0.02 + 0.7 - (at % 0.7))
    figures = figures_of(thin, thick)
    assert figures.bit_rate is not None and figures.bit_rate < 1_000_000
    assert told(figures) == []


def test_delay_and_its_spread_are_told_and_what_was_never_sent_counts_for_nothing() -> None:
    train = Train(160)
    for index in range(5):
        train.came(train.sent(index * 0.02), index * 0.02 + 0.05 + 0.004 * (index % 2))
    train.came(0, 9.0)
    train.came(7, 9.0)
    figures = thin_figures(train)
    assert figures == LineFigures(0.0, None, False, 50.0, pytest.approx(4.0))
    assert thin_figures(Train(160)) == LineFigures(0.0, None, False, 0.0, 0.0)


def test_nothing_that_comes_back_is_a_line_that_carries_nothing() -> None:
    thin, thick = Train(160), Train(1150)
    for index in range(100):
        thin.sent(index * 0.01)
        thick.sent(1 + index * 0.01)
    figures = figures_of(thin, thick)
    assert (figures.loss_share, figures.bit_rate) == (1.0, 0.0)
