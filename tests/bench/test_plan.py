from __future__ import annotations

from typing import Any

from tests.bench.figures import Verdict
from tests.bench.plan import GROUPS, Results, verdicts


def _run(fps: float, cpu: float, p50: float) -> dict[str, Any]:
    return {"width": 1280, "height": 720, "fps": fps, "sender_cpu_pct": cpu, "latency_ms_p50": p50}


def _results() -> Results:
    results: Results = {name: [] for group in GROUPS for name in group}
    results["unit"] = [_run(30, 30, 50)]
    results["aiortc"] = [_run(30, 75, 70)]
    results["chromium"] = [_run(30, 60, 60)]
    results["kiosk"] = [_run(30, 10, 80)]
    results["parties_1"], results["parties_3"] = [_run(30, 30, 0)], [_run(30, 36, 0)]
    line = {"clinician": {"fps": 30.0}, "kiosk": {"fps": 12.0}}
    results["line_clean"] = [line]
    results["line_lossy"] = [{"clinician": {"fps": 28.5}, "kiosk": {"fps": 12.0}}]
    return results


def _verdict(name: str) -> Verdict:
    (found,) = [verdict for verdict in verdicts(_results()) if name in verdict.name]
    return found


def test_each_target_is_judged_from_its_own_runs() -> None:
    assert _verdict("stock aiortc").reached
    assert _verdict("CPU, unit / Chromium (WebCodecs)").reached
    assert _verdict("kiosk - direct").missed_by == 5.0
    assert _verdict("3 parties").reached
    assert _verdict("clinician").reached


def test_what_was_not_measured_or_was_too_slow_is_not_judged() -> None:
    assert _verdict("CPU, unit / Chromium (canvas)").reached is None
    at_kiosk = _verdict("frames at the kiosk")
    assert at_kiosk.reached is None
    assert "clean line" in at_kiosk.reason
