from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.media.allowance import FLOOD_S, Allowance


def test_a_burst_at_once_then_so_much_a_second() -> None:
    allowance = Allowance(per_s=10, burst=5)
    assert [allowance.take(0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert allowance.refused == 2
    assert [allowance.take(0.2) for _ in range(3)] == [True, True, False]


def test_twice_the_rate_is_refused_without_being_a_flood_and_ten_times_is_one_within_two_seconds() -> None:
    hasty, flood = Allowance(per_s=100, burst=50), Allowance(per_s=100, burst=50)
    for n in range(200 * 20):
        hasty.take(n / 200)
    assert hasty.refused > 1000
    assert not hasty.flooded
    for n in range(1000 * 2):
        flood.take(n / 1000)
    assert flood.flooded


def test_who_stops_is_forgiven() -> None:
    allowance = Allowance(per_s=100, burst=50)
    for _ in range(1000):
        allowance.take(0.0)
    assert allowance.flooded
    allowance.take(2 * FLOOD_S)
    assert not allowance.flooded


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e4))))
def test_never_more_than_burst_and_rate_give_also_when_the_clock_steps(asked: list) -> None:
    allowance = Allowance(per_s=10, burst=5)
    taken, elapsed, last = 0.0, 0.0, None
    for now, amount in asked:
        elapsed += max(0.0, now - last) if last is not None else 0.0
        last = now
        if allowance.take(now, amount):
            taken += amount
    assert taken <= (5 + 10 * elapsed) * (1 + 1e-9) + 1e-6
