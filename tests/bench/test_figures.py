from __future__ import annotations

import math

from tests.bench.figures import Figure, compared, figure, finished, judged, medians, percentile

SAME = {"width": 1280, "height": 720, "fps": 30.0}


def test_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([float(value) for value in range(1, 101)], 0.95) == 95.0
    assert math.isnan(percentile([], 0.5))


def test_finished_adds_what_follows_and_nothing_for_a_run_without_pictures() -> None:
    run = finished({"latencies": [40.04, 50.0, 60.0], "fps": 30.0, "sender_cpu_pct": 30.0})
    assert (run["latency_ms_p50"], run["latency_ms_p95"]) == (50.0, 60.0)
    assert run["sender_cpu_ms_per_picture"] == 10.0
    assert run["latencies"][0] == 40.0
    assert finished({"latencies": [], "fps": 0.0, "sender_cpu_pct": 30.0}).keys() == {
        "latencies", "fps", "sender_cpu_pct",
    }  # fmt: skip


def test_ratios_are_taken_within_each_round() -> None:
    ours = [{**SAME, "cpu": 10.0}, {**SAME, "cpu": 40.0}, {**SAME, "cpu": 30.0}]
    theirs = [{**SAME, "cpu": 20.0}, {**SAME, "cpu": 40.0}, {**SAME, "cpu": 120.0}]
    assert compared(ours, theirs, "cpu") == Figure(0.5, 0.25, 1.0)
    assert compared(ours, theirs, "cpu", difference=True) == Figure(-10.0, -90.0, 0.0)


def test_rounds_that_are_not_alike_are_not_compared() -> None:
    ours, theirs = {**SAME, "cpu": 10.0}, {**SAME, "cpu": 20.0}
    assert compared([ours], [{**theirs, "width": 640}], "cpu") == "the pictures differ in size"
    assert "frames/s" in str(compared([{**ours, "fps": 20.0}], [theirs], "cpu"))
    assert compared([{"error": "TimeoutError"}], [theirs], "cpu") == "no round has both"
    assert compared([{**ours, "fps": 20.0}, ours], [theirs, theirs], "cpu") == Figure(0.5, 0.5, 0.5)


def test_a_verdict_says_by_how_much_a_target_is_missed() -> None:
    reached = judged("CPU", "x", 0.45, figure([0.4]))
    missed = judged("CPU", "x", 0.45, figure([0.5, 0.6, 0.7]))
    frames = judged("frames", "x", 0.9, figure([0.8]), at_least=True)
    unknown = judged("CPU", "x", 0.45, "the pictures differ in size")
    assert (reached.reached, reached.missed_by) == (True, 0.0)
    assert missed.reached is False
    assert round(missed.missed_by, 6) == 0.15
    assert frames.reached is False
    assert (unknown.reached, unknown.reason) == (None, "the pictures differ in size")


def test_medians_reach_into_the_receivers_of_a_run() -> None:
    runs = [{"kiosk": {"fps": 28.0, "codec": "H264"}, "lost": 1}, {"kiosk": {"fps": 30.0}, "lost": 3}]
    spread = {"median": 29.0, "least": 28.0, "greatest": 30.0}
    assert medians(runs) == {"kiosk": {"fps": spread}, "lost": {"median": 2, "least": 1, "greatest": 3}}
    assert medians([{"error": "TimeoutError"}]) == {}
