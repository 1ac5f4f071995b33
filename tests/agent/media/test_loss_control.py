from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.media.loss_control import INHERENT_MAX, LossControl


def play(lost_at: Callable[[float], float], seconds: float, bit_rate: float = 1e6) -> float:
    """The rate after so long, where `lost_at` tells the share lost at a rate; nothing but loss changes it."""
    control, owed = LossControl(), 0.0
    for tick in range(int(seconds * 20)):
        owed += lost_at(bit_rate) * 20
        control.add(int(owed), 20, tick / 20)
        owed -= int(owed)
        bit_rate = control.bound(bit_rate, tick / 20) or bit_rate
    return bit_rate


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.05])
def test_a_radios_loss_costs_nothing(loss: float) -> None:
    assert play(lambda _: loss, 20) == 1e6


def test_ten_per_cent_are_tried_against_once_and_then_borne() -> None:
    assert 900e3 < play(lambda _: INHERENT_MAX, 30) < 1e6


def test_a_full_queues_loss_brings_the_rate_down_to_what_the_line_takes() -> None:
    assert play(lambda rate: max(0.0, 1 - 500e3 / rate), 20) < 550e3


def test_what_no_call_can_bear_keeps_falling() -> None:
    assert play(lambda _: 0.4, 20) < 200e3


def test_a_few_packets_are_no_measure() -> None:
    control = LossControl()
    control.add(5, 10, 0.0)
    assert (control.loss, control.bound(1e6, 0.0)) == (0.0, None)
