"""What make is told to do, it does."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_target_that_make_is_told_of_has_a_rule() -> None:
    # One that is only .PHONY is "done" at once, and says nothing.
    text = (Path(__file__).parents[1] / "Makefile").read_text()
    told = {name for line in re.findall(r"^\.PHONY:(.*)$", text, re.M) for name in line.split()}
    missing = {name for name in told if "$" not in name and not re.search(rf"^{name}(?::| )", text, re.M)}
    assert missing == set()


def test_no_end_to_end_test_is_left_out_by_make() -> None:
    tests = Path(__file__).parent
    marked = [file for file in tests.rglob("test_*.py") if "mark.end_to_end" in file.read_text()]
    assert [
        file.name
        for file in marked
        if file != Path(__file__)
        and file.parent.name != "end_to_end"
        and not file.name.endswith("_for_real.py")
    ] == []
