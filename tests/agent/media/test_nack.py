from __future__ import annotations

from agent.media.nack import GIVE_UP_S, MAX_MISSING, MAX_TRIES, NackGenerator


def test_a_hole_is_asked_for_at_once_then_each_round_trip_until_it_is_filled() -> None:
    nack = NackGenerator()
    assert nack.add(10, 0.0) == []
    assert nack.add(13, 0.0) == [11, 12]
    assert nack.due(0.05, 0.1) == []
    assert nack.due(0.12, 0.1) == [11, 12]
    assert nack.add(11, 0.13) == []
    assert nack.due(0.25, 0.1) == [12]
    nack.add(12, 0.26)
    assert not nack.waiting


def test_tries_and_time_are_limited() -> None:
    nack = NackGenerator()
    nack.add(1, 0.0)
    nack.add(3, 0.0)
    asked = 1 + sum(len(nack.due(0.03 * step, 0.0)) for step in range(1, 100))
    assert asked == MAX_TRIES
    assert (nack.given_up, nack.waiting) == (1, False)
    nack.add(5, 10.0)
    assert nack.due(10.0 + GIVE_UP_S + 0.01, 5.0) == []
    assert not nack.waiting


def test_an_outage_is_not_asked_for_packet_by_packet() -> None:
    nack = NackGenerator()
    nack.add(1, 0.0)
    assert nack.add(MAX_MISSING + 10, 0.0) == []
    assert nack.overflowed
    assert nack.add(MAX_MISSING + 12, 0.0) == [MAX_MISSING + 11]
