from __future__ import annotations

from typing import Any

import pytest

from tests.bench.figures import Figure, Verdict
from tests.bench.net.cases import CASES, chosen
from tests.bench.net.plan import Results, verdicts


def _run(frozen: float, p95: float, **more: Any) -> dict[str, Any]:
    return {"frozen": frozen, "latency_ms_p95": p95, "fps": 30.0, "width": 1280, "height": 720, **more}


def _verdict(results: Results, name: str) -> Verdict:
    (found,) = [verdict for verdict in verdicts(results) if name in verdict.name]
    return found


def test_cases_are_chosen_by_name_and_an_unknown_one_is_named() -> None:
    assert chosen([]) == list(CASES)
    assert [case.name for case in chosen(["reorder", "drop"])] == ["reorder", "drop"]
    with pytest.raises(ValueError, match=r"'snow'.*clean.*reorder"):
        chosen(["snow"])


def test_only_the_dropping_line_has_a_drop() -> None:
    assert {case.name: case.drop for case in CASES if case.drop} == {"drop": (8.0, 22.0, 400_000)}


def test_no_freeze_against_none_is_reached_and_any_against_none_is_missed() -> None:
    results = {"loss2": {"unit": [_run(0.0, 80)], "chromium": [_run(0.0, 100)], "kiosk": [_run(0.01, 110)]}}
    assert _verdict(results, "frozen, unit").reached
    assert _verdict(results, "frozen, kiosk").missed_by == pytest.approx(1.0)
    assert _verdict(results, "p95, unit").reached
    assert _verdict(results, "p95, kiosk").missed_by == pytest.approx(0.1)


def test_ratios_are_taken_within_a_round_and_failed_runs_are_left_out() -> None:
    results = {
        "clean": {
            "unit": [_run(0, 50), {"error": "TimeoutError"}, _run(0, 200)],
            "chromium": [_run(0, 100), _run(0, 1), _run(0, 100)],
        }
    }
    value = _verdict(results, "p95, unit").value
    assert value is not None
    assert (value.least, value.greatest) == (0.5, 2.0)


def test_a_run_in_which_no_picture_came_is_frozen_and_not_left_out() -> None:
    dark = {"frozen": 1.0, "fps": 0.0}
    results = {"loss5": {"unit": [dark, _run(0.0, 80)], "chromium": [_run(0.2, 100), _run(0.0, 100)]}}
    assert _verdict(results, "frozen, unit").missed_by == pytest.approx(40.0)
    assert "1 of 2" in _verdict(results, "p95, unit").reason


def test_rounds_that_others_disturbed_are_judged_only_where_there_are_no_others() -> None:
    busy, late = _run(0.5, 300, others_cpu_pct=80.0), _run(0.5, 300, late_ms_p95=9.0)
    fine = _run(0.0, 100, others_cpu_pct=3.0, late_ms_p95=0.4)
    mixed = {"clean": {"unit": [busy, fine, late], "chromium": [fine, fine, fine]}}
    assert _verdict(mixed, "frozen, unit - Chromium").value == Figure(0.0, 0.0, 0.0)
    only = {"clean": {"unit": [busy], "chromium": [fine]}}
    assert _verdict(only, "frozen, unit - Chromium (disturbed)").missed_by == pytest.approx(50.0)


def test_settling_is_judged_only_if_it_always_settled() -> None:
    once = {"drop": {"unit": [_run(0, 1, settled_s=2.0), _run(0, 1, settled_s=None)]}}
    always = {"drop": {"unit": [_run(0, 1, settled_s=2.0)]}}
    assert "1 of 2" in _verdict(once, "new bitrate").reason
    assert _verdict(always, "new bitrate").reached


def test_a_usable_picture_on_300_kbit_per_s() -> None:
    results = {"300k": {"unit": [{**_run(0, 1), "width": 320, "fps": 9.0}]}}
    assert _verdict(results, "width").reached
    assert _verdict(results, "frames/s").missed_by == 1.0
