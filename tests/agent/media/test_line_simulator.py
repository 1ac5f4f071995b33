"""What congestion control makes of thin lines, in simulated time."""

from __future__ import annotations

import pytest

from agent.media.congestion import MAX_BIT_RATE, MIN_BIT_RATE
from tests.agent.media.line_simulator import LineCase, Simulation


def narrowed(at: float) -> float:
    return 400e3 if 6 <= at < 16 else 3e6


@pytest.mark.parametrize("queue_s", [0.3, 2.0])
def test_after_a_drop_the_line_is_filled_again_within_three_seconds_and_no_queue_stands(
    queue_s: float,
) -> None:
    seen = Simulation(LineCase(capacity=narrowed, queue_s=queue_s)).run(28)
    assert seen.settled(6, 0.7 * 400e3, 400e3) < 3
    assert 0.7 * 400e3 < seen.rate(9, 16) < 420e3
    assert seen.wait(0.95, 9, 16) < 0.25
    assert seen.frame_rate(8, 16) >= 10
    assert seen.settled(16, 1.5e6, MAX_BIT_RATE) < 12


@pytest.mark.parametrize("capacity", [300e3, 500e3, 1e6])
def test_a_narrow_line_is_used_without_a_standing_queue(capacity: float) -> None:
    seen = Simulation(LineCase(capacity=lambda _: capacity)).run(15)
    assert 0.75 * capacity < seen.rate(5, 15) < capacity
    assert seen.wait(0.5, 3) < 0.1
    assert seen.frame_rate(3, 15) >= 10


@pytest.mark.parametrize(
    "case",
    [
        LineCase(loss=0.02, back_loss=0.02),
        LineCase(loss=0.05, back_loss=0.05),
        LineCase(loss=0.10, burst=5, back_loss=0.10),
        LineCase(delay_s=0.05, jitter_s=0.03),
        LineCase(noise_s=0.02),
        LineCase(noise_s=0.02, stall_s=0.1),
    ],
    ids=["2 % loss", "5 % loss", "10 % in bursts", "30 ms jitter", "busy processor", "overloaded processor"],
)
def test_what_is_no_congestion_leaves_the_rate_whole(case: LineCase) -> None:
    seen = Simulation(case).run(12)
    assert seen.lowest(2, 12) > 1_200_000
    assert seen.rate(8, 12) > 1_900_000
    assert seen.frame_rate(2, 12) > 27


def test_an_encoder_that_pauses_on_a_busy_machine_does_not_starve_itself() -> None:
    run = Simulation(LineCase(stall_s=0.15, loss=0.10, burst=5, back_loss=0.10))

    def pause() -> None:
        run.encoder.skip_until = run.loop.now + 0.7
        run.loop.call_later(2.0, pause)

    run.loop.call_later(2.0, pause)
    assert run.run(15).lowest(2, 15) > 900e3


def test_loss_that_sending_less_does_cure_is_congestion() -> None:
    """A line that throws away what is too much, and queues nothing."""
    seen = Simulation(LineCase(capacity=lambda _: 600e3, queue_s=0.03)).run(15)
    assert seen.rate(8, 15) < 800e3


def test_half_of_all_lost_makes_the_rate_fall() -> None:
    assert Simulation(LineCase(loss=0.5)).run(15).rate(10, 15) < 700e3


def test_repeats_count_towards_the_rate() -> None:
    seen = Simulation(LineCase(capacity=lambda _: 1e6, loss=0.05)).run(15)
    assert seen.resent > 30
    assert seen.wait(0.95, 5) < 0.2


def test_reports_that_come_seldom_or_stop_do_not_flood_the_line() -> None:
    seen = Simulation(LineCase(capacity=lambda _: 1e6, feedback=lambda at: at < 4 or at > 9)).run(20)
    assert MIN_BIT_RATE <= seen.lowest(4, 9) < 200e3  # a fifth less for each 0.6 s of silence
    assert seen.rate(14, 20) > 500e3
