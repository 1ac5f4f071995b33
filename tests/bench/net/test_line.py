from __future__ import annotations

from itertools import groupby, pairwise

import pytest

from tests.bench.net.line import (
    IP_UDP_HEADER_BYTES,
    QUEUE_S,
    BurstLoss,
    Change,
    Line,
    Loss,
    Outcome,
    RandomLoss,
    Shape,
)

KILOBYTE = 1000 - IP_UDP_HEADER_BYTES  # with its headers, 8 ms at 1 Mbit/s


def _lost(loss: Loss, count: int, seed: int = 1) -> list[bool]:
    line = Line(Shape(loss=loss), seed)
    return [line.send(number / 100, 100).fate == "lost" for number in range(count)]


def test_a_clean_line_gives_at_once_what_it_gets() -> None:
    assert Line(Shape(), seed=1).send(5.0, 1200) == Outcome("passed", 5.0, 0.0)


def test_a_limited_line_serves_one_after_the_other() -> None:
    line = Line(Shape(1_000_000, delay_s=0.02), seed=1)
    outcomes = [line.send(0.0, KILOBYTE) for _ in range(3)]
    assert [each.arrives_at for each in outcomes] == pytest.approx([0.028, 0.036, 0.044])
    assert [each.queued_s for each in outcomes] == pytest.approx([0.0, 0.008, 0.016])
    assert line.send(1.0, KILOBYTE).arrives_at == pytest.approx(1.028)


def test_a_full_queue_turns_away_and_takes_again_when_it_has_drained() -> None:
    line = Line(Shape(1_000_000), seed=1)
    fates = [line.send(0.0, KILOBYTE).fate for _ in range(100)]
    assert fates.count("passed") == int(QUEUE_S / 0.008) + 1
    assert fates[-1] == "queue_full"
    assert line.send(0.1, KILOBYTE).fate == "passed"


def test_what_stands_in_the_queue_when_the_rate_falls_goes_out_at_the_new_rate() -> None:
    line = Line(Shape(1_000_000), seed=1, changes=[Change(0.012, 100_000), Change(1.0, None)])
    first, second, third = (line.send(0.0, KILOBYTE) for _ in range(3))
    assert first.arrives_at == pytest.approx(0.008)
    assert second.arrives_at == pytest.approx(0.012 + 0.04)  # half of it at a tenth of the rate
    assert third.arrives_at == pytest.approx(0.012 + 0.04 + 0.08)
    assert line.bit_rate(0.5) == 100_000
    assert line.bit_rate(2.0) is None
    assert line.send(2.0, KILOBYTE).arrives_at == 2.0


def test_changes_may_come_after_the_first_datagram() -> None:
    line = Line(Shape(1_000_000), seed=1)
    line.send(0.0, KILOBYTE)
    line.follow([Change(1.0, 100_000)])
    assert line.send(1.0, KILOBYTE).arrives_at == pytest.approx(1.08)


def test_random_loss_has_its_share_and_no_bursts() -> None:
    lost = _lost(RandomLoss(0.05), 20_000)
    assert sum(lost) / len(lost) == pytest.approx(0.05, rel=0.1)
    assert _mean_burst(lost) < 1.2


def test_burst_loss_has_its_share_and_its_mean_burst() -> None:
    lost = _lost(BurstLoss(0.10, 5), 20_000)
    assert sum(lost) / len(lost) == pytest.approx(0.10, rel=0.1)
    assert _mean_burst(lost) == pytest.approx(5, rel=0.1)


def _mean_burst(lost: list[bool]) -> float:
    bursts = [len(list(group)) for is_lost, group in groupby(lost) if is_lost]
    return sum(bursts) / len(bursts)


def test_the_same_seed_loses_the_same() -> None:
    assert _lost(BurstLoss(0.1, 5), 500) == _lost(BurstLoss(0.1, 5), 500)
    assert _lost(BurstLoss(0.1, 5), 500) != _lost(BurstLoss(0.1, 5), 500, seed=2)


def test_loss_can_begin_later() -> None:
    line = Line(Shape(loss=RandomLoss(1.0)), seed=1)
    line.loss = None
    assert line.send(0.0, 100).fate == "passed"
    line.loss = RandomLoss(1.0)
    assert line.send(0.1, 100).fate == "lost"


@pytest.mark.parametrize("in_order", [True, False])
def test_jitter_changes_the_order_only_if_it_may(in_order: bool) -> None:
    line = Line(Shape(delay_s=0.05, jitter_s=0.015, in_order=in_order), seed=1)
    sent = [number * 0.002 for number in range(500)]
    arrived = [line.send(now, 100).arrives_at or 0.0 for now in sent]
    delays = [at - now for at, now in zip(arrived, sent, strict=True)]
    assert 0.035 <= min(delays) < 0.04 < 0.06 < max(delays) <= 0.065
    assert all(before < after for before, after in pairwise(arrived)) == in_order
