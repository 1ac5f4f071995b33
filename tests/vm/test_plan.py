from __future__ import annotations

import pytest

from tests.vm.plan import Scene, plan


def scene(name: str, *, short: bool = True, fresh: bool = False, rank: int = 50) -> Scene:
    return Scene(name, lambda _lab: None, short, fresh, rank)


ALL = [
    scene("update", short=False, fresh=True),
    scene("cuts", fresh=True),
    scene("disk"),
    scene("call", rank=1),
]


def names(scenes: list[Scene]) -> list[str]:
    return [each.name for each in scenes]


def test_the_short_form_leaves_out_what_takes_long_and_shares_a_machine_first() -> None:
    assert names(plan(ALL, [], everything=False)) == ["call", "disk", "cuts"]
    assert names(plan(ALL, [], everything=True)) == ["call", "disk", "cuts", "update"]


def test_what_is_named_is_played_whatever_its_form() -> None:
    assert names(plan(ALL, ["update", "call"], everything=False)) == ["call", "update"]


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match=r"No scene cust\. There are: call, cuts, disk, update\."):
        plan(ALL, ["cust", "call"], everything=False)
