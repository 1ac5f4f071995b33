from __future__ import annotations

import io

from rich.console import Console

from tests.vm.report import MAX_SEEN, Row, as_json, is_ok, print_table, why

GOOD = Row("camera", "unloaded in a call", "back within 30 s", "back after 4 s", 61.4, ok=True)
BAD = Row("cuts", "power cut", "nothing lost", "[journal] is gone", 9.9, ok=False)


def test_one_failure_fails_all_and_so_does_nothing_tried() -> None:
    assert is_ok([GOOD])
    assert not is_ok([GOOD, BAD])
    assert not is_ok([])


def test_the_file_holds_every_row() -> None:
    told = as_json([GOOD, BAD], {"seconds": 71})
    assert (told["ok"], told["seconds"]) == (False, 71)
    assert [row["scene"] for row in told["rows"]] == ["camera", "cuts"]


def test_the_table_shows_what_was_seen_as_it_is() -> None:
    told = io.StringIO()
    print_table([GOOD, BAD], Console(file=told, width=200))
    assert "[journal] is gone" in told.getvalue()
    assert "FAILED" in told.getvalue() and "61" in told.getvalue()


def test_an_error_is_told_in_a_line_of_some_length() -> None:
    assert why(ValueError("two\n  lines")) == "two lines"
    assert why(AssertionError()) == "AssertionError"
    assert len(why(ValueError("x" * 1000))) == MAX_SEEN + 2
