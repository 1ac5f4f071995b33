from __future__ import annotations

import random

import pytest

from agent.media.packet_trains import PacketTrains
from agent.media.transport_feedback import PacketResult


def feed(
    trains: PacketTrains, line: float, *, stalls: bool = False, start: float = 0.0, size: int = 4
) -> None:
    """Thirty pictures of `size` packets, of half a line's worth, over a line with some jitter."""
    rng, free_at = random.Random(1), start
    for picture in range(30):
        sent_at = start + picture * size * 1200 * 8 / line * 2
        for _ in range(size):
            free_at = max(free_at, sent_at) + 1200 * 8 / line
            came_at = free_at + 0.02 + rng.random() * 0.0005
            if stalls and picture % 4 == 0:
                came_at = free_at + 0.1  # all of it read at once, late
            trains.add(PacketResult(sent_at, came_at, 1200))


@pytest.mark.parametrize("line", [400e3, 3e6])
@pytest.mark.parametrize("stalls", [False, True])
def test_a_lines_rate_is_seen_though_only_half_of_it_is_used(line: float, stalls: bool) -> None:
    trains = PacketTrains()
    feed(trains, line, stalls=stalls)
    assert trains.bit_rate == pytest.approx(line, rel=0.2)


def test_a_line_that_widens_is_seen_within_two_seconds() -> None:
    trains = PacketTrains()
    feed(trains, 400e3)
    feed(trains, 3e6, start=10.0)
    assert trains.bit_rate == pytest.approx(3e6, rel=0.2)


def test_single_packets_and_broken_trains_say_nothing() -> None:
    trains = PacketTrains()
    feed(trains, 1e6, size=1)
    for number in range(200):
        trains.add(PacketResult(50 + number * 0.01, 50.1 + number * 0.01, 1200))
        trains.add(PacketResult(50 + number * 0.01, None, 1200))
    assert trains.bit_rate is None
