from __future__ import annotations

import pytest

from tests.soak.measure import Held, Sample
from tests.soak.verdict import GROWTH_MAX_MIB, Part, course


def samples(*rss_mib: float, every_s: float = 5.0) -> list[Sample]:
    return [Sample(index * every_s, rss, rss, 20, 30) for index, rss in enumerate(rss_mib)]


def half_an_hour(growth_mib: float, at_start_mib: float = 20.0) -> list[Sample]:
    """It swings by 1 MiB; what was loaded in the first five minutes does not count."""
    return samples(
        *(100 + at_start_mib * min(1, n / 50) + max(0, n - 60) / 300 * growth_mib + n % 2 for n in range(361))
    )


@pytest.mark.parametrize("growth_mib", [0.0, 4.0])
def test_flat_after_the_first_minutes_is_well(growth_mib: float) -> None:
    part = Part("in call", half_an_hour(growth_mib), {})
    assert part.problems == []
    assert part.growth_mib == pytest.approx(growth_mib, abs=0.3)


def test_growth_is_a_problem_and_so_is_what_is_left_or_stood_still() -> None:
    left = {"threads": ["encoder-1"]}
    part = Part("in call", half_an_hour(GROWTH_MAX_MIB + 2), left, still=["clinician at 60 s"])
    assert len(part.problems) == 3
    assert "encoder-1" in part.problems[0]
    assert "grew by" in part.problems[-1]


def test_too_few_samples_are_no_proof() -> None:
    assert "too short" in Part("in call", samples(1.0, 1.0), {}).problems[0]
    assert Part("in call", [], {}).problems


def test_short_calls_settle_by_number_not_by_time() -> None:
    part = Part("short calls", samples(*[80.0] * 4, *[100.0] * 26), {}, settle_s=None, took_s=[4.0, 9.0])
    assert part.growth_mib == 0
    assert part.row()["a call took, s"] == "6.5, most 9.0"


def test_what_is_left_is_told_by_name_and_number() -> None:
    before = Held(tasks=["a", "b"], threads=["main"], descriptors=["UDP", "pipe"])
    after = Held(tasks=["a", "a"], threads=["main"], descriptors=["UDP", "UDP"], processes=["pw-record"])
    assert after.beyond(before) == {"tasks": ["a"], "descriptors": ["UDP"], "processes": ["pw-record"]}
    assert before.beyond(before) == {}


def test_the_course_shows_where_it_grew() -> None:
    line = course(samples(*[10.0] * 30, *[20.0] * 30))
    assert line.startswith("▁" * 30)
    assert line.endswith("10.0 to 20.0 MiB")
    assert course([]) == ""
