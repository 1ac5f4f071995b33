from __future__ import annotations

from typing import Any

import pytest

from tests.bench.net.plan import verdicts
from tests.bench.net.table import print_report


def _run(**more: Any) -> dict[str, Any]:
    return {
        "frozen": 0.125, "fps": 29.97, "width": 960, "height": 540, "latency_ms_p50": 71.4, "latency_ms_p95": 90.0,
        "ssim": 0.9512, "concealed": 0.004, "lip_offset_ms": -12.0, "sent_kbit_per_s": 1234.5, "used": None,
        "sender_cpu_ms_per_picture": 14.2, **more,
    }  # fmt: skip


def test_medians_and_spread_are_printed_and_a_failed_run_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = {
        "drop": {
            "unit": [
                _run(settled_s=2.2),
                _run(settled_s=2.4, fps=20.0),
                {"error": "TimeoutError: nothing came"},
            ],
            "chromium": [_run(settled_s=None)] * 3,
            "kiosk": [{"error": "TimeoutError: nothing came"}] * 3,
        }
    }
    print_report({"conditions": ["Quiet."]}, results, {"drop": "a line that falls"}, verdicts(results))
    said = capsys.readouterr().out
    unit = next(line for line in said.splitlines() if line.startswith("unit → Chromium"))
    for cell in ("12.5", "25.0 (20.0-30.0)", "960x540", "71", "0.951", "0.4", "-12", "2.3 (2.2-2.4)"):
        assert f" {cell} " in unit
    assert "drop: a line that falls" in said
    assert "Quiet." in said
    assert "drop: unit at the new bitrate" in said
