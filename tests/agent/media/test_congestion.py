from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.media.congestion import (
    MAX_BIT_RATE,
    MIN_BIT_RATE,
    START_BIT_RATE,
    CongestionController,
    encoding_target,
)
from agent.media.source import EncodingTarget
from agent.media.transport_feedback import PacketResult

PACKET = 1200
QUEUE_S = 0.5  # what the router keeps before it drops


def run(
    controller: CongestionController,
    seconds: float,
    capacity: Callable[[float], float],
    loss: float = 0.0,
    jitter_s: float = 0.0,
    busy_s: float = 0.0,
) -> list[int]:
    """An encoder that sends what it is asked to, over a queue that drains at `capacity` bit/s.

    For the first busy_s it sends a third of that, and its receiver wakes up late in a quarter of each second.
    """
    rng = random.Random(1)
    now, queue_free_at, pending, history = 100.0, 100.0, [], []
    reported = now
    end = now + seconds
    while now < end:
        busy = now < 100 + busy_s
        frame = controller.bit_rate / 30 / 8 / (3 if busy else 1)
        late_s = 0.08 * max(0.0, 1 - abs(now % 1 - 0.125) / 0.125) if busy else 0.0
        for _ in range(max(1, round(frame / PACKET))):
            if queue_free_at - now > QUEUE_S or rng.random() < loss:
                pending.append(PacketResult(now, None, PACKET))
                continue
            queue_free_at = max(queue_free_at, now) + PACKET * 8 / capacity(now - 100)
            pending.append(PacketResult(now, queue_free_at + 0.02 + late_s + rng.random() * jitter_s, PACKET))
        if now - reported >= 0.1:
            known = [p for p in pending if p.arrived_at is None or p.arrived_at <= now]
            pending = [p for p in pending if p not in known]
            controller.on_feedback(known, now)
            history.append(controller.bit_rate)
            reported = now
        now += 1 / 30
    return history


def test_starts_fast_and_grows_to_the_ceiling_on_an_open_line() -> None:
    controller = CongestionController()
    assert controller.bit_rate == START_BIT_RATE
    assert run(controller, 20, lambda _: 50e6, jitter_s=0.003)[-1] == MAX_BIT_RATE


@pytest.mark.parametrize("capacity", [500e3, 1e6])
def test_settles_below_a_narrow_line_and_uses_it(capacity: float) -> None:
    rates = run(CongestionController(), 40, lambda _: capacity)[200:]
    assert sum(rates) / len(rates) < capacity * 1.15
    assert sum(rates) / len(rates) > capacity * 0.6


def test_gives_way_when_the_line_narrows_and_comes_back() -> None:
    rates = run(CongestionController(), 60, lambda t: 400e3 if 10 < t < 25 else 5e6)
    assert min(rates[130:230]) < 500e3
    assert rates[-1] > 900e3


def test_two_percent_loss_is_no_congestion_but_fifteen_is() -> None:
    assert run(CongestionController(), 10, lambda _: 50e6, loss=0.02)[-1] >= START_BIT_RATE * 0.9
    assert run(CongestionController(), 10, lambda _: 50e6, loss=0.15)[-1] < START_BIT_RATE / 2


def test_remb_and_reported_loss_count_only_without_transport_feedback() -> None:
    old = CongestionController()
    old.on_remb(700_000)
    assert old.bit_rate == 700_000
    for second in range(5):
        old.on_loss(0.3, float(second))
    assert old.bit_rate < 700_000
    new = CongestionController()
    run(new, 1, lambda _: 50e6)
    before = new.bit_rate
    new.on_remb(200_000)
    new.on_loss(0.5, 200.0)
    assert new.bit_rate == before


@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(0, 1e6), st.one_of(st.none(), st.floats(-1e9, 1e9)), st.integers(0, 1500)),
            max_size=10,
        ),
        max_size=10,
    )
)
def test_whatever_is_reported_the_estimate_keeps_its_bounds(reports: list) -> None:
    controller = CongestionController()
    for index, results in enumerate(reports):
        controller.on_feedback([PacketResult(*r) for r in results], index * 0.1)
        assert MIN_BIT_RATE <= controller.bit_rate <= MAX_BIT_RATE


def test_size_and_frame_rate_give_way_before_quality() -> None:
    sizes = [encoding_target(rate) for rate in (2_500_000, 900_000, 600_000, 340_000, 250_000, 150_000)]
    assert [(t.width, t.height, t.frame_rate) for t in sizes] == [
        (1280, 720, 30.0),
        (1280, 720, 30.0),
        (960, 540, 30.0),
        (640, 360, 30.0),
        (640, 360, 20.0),
        (480, 270, 15.0),
    ]
    assert all(t.bit_rate < rate for t, rate in zip(sizes, (2_500_000, 900_000), strict=False))


def test_a_wavering_line_does_not_make_the_size_waver() -> None:
    target: EncodingTarget | None = None
    widths = []
    for rate in [700_000, 880_000, 820_000, 900_000, 840_000] * 4:
        target = encoding_target(rate, target)
        widths.append(target.width)
    assert set(widths) == {960}
    assert encoding_target(1_100_000, target).width == 1280


def test_a_smaller_camera_is_never_enlarged() -> None:
    target = encoding_target(2_500_000, None, 640, 25.0)
    assert (target.width, target.height, target.frame_rate) == (640, 360, 25.0)


def test_a_busy_processor_is_not_taken_for_a_thin_line() -> None:
    """The encoder gives a third of what it may, and the receiver wakes up late: nothing is lost, all arrives."""
    controller = CongestionController()
    seen = run(controller, 28, lambda _: 50e6, busy_s=20)
    assert min(seen) > START_BIT_RATE / 2
    assert seen[-1] > START_BIT_RATE
