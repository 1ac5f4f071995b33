"""From notes to figures."""

from __future__ import annotations

import pytest

from tests.recovery.figures import Played, resumed_s, seen, table

FINE, BROKEN, GONE = (
    {"line": line, "text": text}
    for line, text in (("fine", ""), ("reconnecting", "Vänta kvar."), ("lost", "Ring."))
)


@pytest.mark.parametrize(
    ("times", "resumed"),
    [
        (list(range(1000, 7400, 100)), 0.0),
        ([1100, 1200, 1300], None),
        ([1100, 5500, 5600, 6500], 0.5),
        ([1100, 5500, 7000], 2.0),
        ([1100, 5100, 5200], None),
        ([1100], None),
        ([], None),
    ],
)
def test_what_comes_again_counts_from_the_end_of_the_last_gap(times, resumed):
    assert resumed_s(times, lost_at_ms=1000, back_at_ms=5000, end_at_ms=7400) == resumed


def test_a_page_is_judged_by_what_it_said_and_showed():
    notes = {
        "pictures": [900, 5900],
        "sounds": [900, 5400],
        "words": [[500, FINE], [3500, BROKEN], [4500, GONE], [6000, FINE]],
    }
    side = seen(notes, 1000, 5000, 6000)
    assert (side.noticed_s, side.said, side.told_to_call_s) == (2.5, "Vänta kvar.", 3.5)
    assert (side.picture_s, side.sound_s, side.fine_s) == (0.9, 0.4, 1.0)
    assert seen({**notes, "words": [[500, FINE]]}, 1000, 5000, 6000).noticed_s is None
    assert seen({**notes, "words": [[500, FINE], [3500, BROKEN]]}, 1000, 5000, 6000).fine_s is None


def test_the_table_has_a_line_per_case_and_says_what_never_came_back():
    notes = {
        "pictures": [900, 5900],
        "sounds": [900, 5400],
        "words": [[500, FINE], [3500, BROKEN], [6000, FINE]],
    }
    good = seen(notes, 1000, 5000, 6000)
    bad = seen({**notes, "sounds": []}, 1000, 5000, 6000)
    text = table(
        [
            Played("cut", {"touchscreen": good, "clinician": good}),
            Played("cut", {"touchscreen": good, "clinician": bad}),
        ]
    )
    [line] = [line for line in text.splitlines() if line.startswith("cut")]
    assert "never" in line
    assert "2.5 / 2.5" in line
