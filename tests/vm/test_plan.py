from __future__ import annotations

import re
from pathlib import Path

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


def test_every_target_that_make_is_told_of_has_a_rule() -> None:
    # One that is only .PHONY is "done" at once, and says nothing.
    text = (Path(__file__).parents[2] / "Makefile").read_text()
    told = {name for line in re.findall(r"^\.PHONY:(.*)$", text, re.M) for name in line.split()}
    missing = {name for name in told if "$" not in name and not re.search(rf"^{name}(?::| )", text, re.M)}
    assert missing == set()


def test_no_end_to_end_test_is_left_out_by_make() -> None:
    tests = Path(__file__).parents[1]
    marked = [file for file in tests.rglob("test_*.py") if "mark.end_to_end" in file.read_text()]
    assert [
        file.name
        for file in marked
        if file != Path(__file__)
        and file.parent.name != "end_to_end"
        and not file.name.endswith("_for_real.py")
    ] == []
