from __future__ import annotations

from typing import Any

import pytest

from tests.bench.net.settling import kbit_per_s, queue_ms, settled_after_s, used_share


def _course(
    sent: list[float], queue_ms: list[float] | None = None, line: float | None = 400.0
) -> dict[str, Any]:
    return {
        "bin_s": 0.1,
        "sent_kbit_per_s": sent,
        "passed_kbit_per_s": sent,
        "line_kbit_per_s": [line] * len(sent),
        "queue_ms": queue_ms or [0.0] * len(sent),
    }


def test_settled_when_a_whole_second_fits_the_line() -> None:
    course = _course([2000.0] * 20 + [300.0] * 100)
    # Ten bins after the sender came down, the last second holds none of before.
    assert settled_after_s(course, 2.0, 12.0, 400_000) == pytest.approx(1.0)


def test_a_full_queue_is_not_settled_however_little_is_sent() -> None:
    course = _course([300.0] * 120, [0.0] * 20 + [300.0] * 25 + [100.0] * 75)
    assert settled_after_s(course, 2.0, 12.0, 400_000) == pytest.approx(2.6)


def test_what_does_not_hold_three_seconds_has_not_settled() -> None:
    sawtooth = ([300.0] * 29 + [3000.0] * 10) * 4
    assert settled_after_s(_course(sawtooth), 0.0, 12.0, 400_000) is None
    assert settled_after_s(_course([500.0] * 120), 2.0, 12.0, 400_000) is None


def test_used_of_what_was_there() -> None:
    assert used_share(_course([300.0] * 10)) == 0.75
    assert used_share(_course([300.0] * 10, line=None)) is None
    assert kbit_per_s(_course([300.0, 500.0])) == 400.0
    assert kbit_per_s(_course([])) == 0.0
    assert queue_ms(_course([300.0] * 4, [0.0, 10.0, 20.0, 30.0])) == 15.0
