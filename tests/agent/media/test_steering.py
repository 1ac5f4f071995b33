from __future__ import annotations

from agent.media.steering import FAST_AFTER_S, SLOW_AFTER_S, PartyLine, Steering


def lines(**rates: int) -> dict[str, PartyLine]:
    return {name: PartyLine(not name.startswith("old"), rate) for name, rate in rates.items()}


def settled(steering: Steering, start: float = 0.0, **rates: int):
    plan = steering.plan(lines(**rates), start)
    for tick in range(1, 300):
        plan = steering.plan(lines(**rates), start + tick * 0.05)
    return plan


def test_parties_alike_share_the_full_encoding_at_what_the_slowest_takes() -> None:
    plan = settled(Steering(1_500_000, may_split=True), a=2_000_000, b=1_500_000)
    assert plan.encodings == {"a": "full", "b": "full"}
    assert plan.targets.keys() == {"full"}
    assert plan.targets["full"].bit_rate == 1_500_000


def test_slow_ones_share_one_smaller_encoding_and_there_is_never_a_third() -> None:
    plan = settled(Steering(1_500_000, may_split=True), a=2_400_000, b=600_000, c=200_000, old=900_000)
    assert plan.encodings == {"a": "full", "b": "small", "c": "small", "old": "vp8"}
    assert plan.targets["full"].bit_rate == 2_400_000
    assert plan.targets["small"].bit_rate == 200_000
    assert plan.targets["vp8"].bit_rate == 900_000
    assert (plan.targets["full"].width, plan.targets["small"].width) == (1280, 640)


def test_a_line_that_thins_takes_nothing_from_the_others_even_before_it_is_moved() -> None:
    steering = Steering(1_500_000, may_split=True)
    settled(steering, a=2_000_000, b=1_900_000)
    for tick in range(20):
        target = steering.plan(lines(a=2_000_000, b=300_000), 20 + tick * 0.05).targets["full"]
        assert (target.bit_rate, target.width) == (2_000_000, 1280)


def test_one_alone_is_never_on_the_small_encoding() -> None:
    steering = Steering(1_500_000, may_split=True)
    assert settled(steering, a=2_000_000, b=300_000).encodings["b"] == "small"
    alone = steering.plan(lines(b=300_000), 100.0)
    assert alone.encodings == {"b": "full"}
    assert "small" not in alone.targets
    assert settled(Steering(1_500_000, may_split=False), a=2_000_000, b=300_000).encodings["b"] == "full"


def test_a_line_that_wavers_does_not_change_encodings() -> None:
    steering, changes, before = Steering(1_500_000, may_split=True), 0, "full"
    for tick in range(2000):
        now, rate = tick * 0.05, 900_000 if tick % 40 < 8 else 1_500_000
        given = steering.plan(lines(a=2_000_000, b=rate), now).encodings["b"]
        changes, before = changes + (given != before), given
    assert changes == 0
    steering.plan(lines(a=2_000_000, b=500_000), 200.0)
    assert steering.plan(lines(a=2_000_000, b=500_000), 200 + SLOW_AFTER_S).encodings["b"] == "small"
    assert steering.plan(lines(a=2_000_000, b=1_900_000), 202.0).encodings["b"] == "small"
    assert steering.plan(lines(a=2_000_000, b=1_900_000), 202 + FAST_AFTER_S).encodings["b"] == "full"


def test_pictures_are_skipped_only_where_every_line_is_backed_up() -> None:
    steering = Steering(1_500_000, may_split=True)
    waits, free = PartyLine(True, 1_000_000, is_backed_up=True), PartyLine(True, 1_000_000)
    assert steering.plan({"a": waits, "b": free}, 0.0).skips == frozenset()
    assert steering.plan({"a": waits, "b": waits}, 0.1).skips == {"full"}
    assert steering.plan({}, 0.2).skips == frozenset()


def test_the_self_view_alone_has_the_rate_that_a_call_starts_with() -> None:
    assert Steering(1_200_000, may_split=True).plan({}, 0.0).targets["full"].bit_rate == 1_200_000
