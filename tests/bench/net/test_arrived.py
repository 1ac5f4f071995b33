from __future__ import annotations

from typing import Any

import pytest

from agent.media.clock_pattern import MODULO_MS
from tests.bench.net.arrived import Picture, figures, freezes, lip_offset_ms, pictures
from tests.bench.net.footage import TONE_AT_PICTURE, TONE_EVERY_PICTURES

START = 1_763_776_543_000.0
INTERVAL = 1000 / 30


def _row(number: int, at: float, latency_ms: int = 80, clock: bool = True) -> list[Any]:
    moment = int(at - latency_ms) % MODULO_MS if clock else None
    return [at, at + 10, 640, 360, number, moment, number % 132]


def _times(count: int, interval: float = INTERVAL) -> list[float]:
    return [number * interval for number in range(count)]


def test_even_pictures_are_no_freeze_whatever_their_rate() -> None:
    assert freezes(_times(60), 0, 2000) == []
    assert freezes(_times(20, 200), 0, 4000) == []


def test_a_gap_of_the_usual_one_and_150_ms_is_a_freeze_and_a_little_less_is_none() -> None:
    times = _times(31)  # the last at 1000
    resumed = [1000 + INTERVAL + 151 + number * INTERVAL for number in range(30)]
    assert freezes([*times, *resumed], 0, 2100) == [(times[-1], resumed[0])]
    assert freezes([*times, *(at - 3 for at in resumed)], 0, 2100) == []


def test_a_freeze_is_cut_to_what_was_measured_and_may_still_last() -> None:
    times = _times(31)
    assert freezes([*times, 2000.0, 2033.0], 1500, 2050) == [(1500, 2000.0)]
    assert freezes(times, 500, 3000) == [(times[-1], 3000)]
    assert freezes(times, 2000, 3000) == [(2000, 3000)]
    assert freezes([], 0, 100) == [(0, 100)]


def test_the_same_moment_shown_twice_is_one_picture() -> None:
    rows = [_row(0, START), [START + 16, *_row(0, START)[1:]], _row(1, START + 33)]
    assert [picture.at for picture in pictures(rows)] == [START, START + 33]
    unreadable = [_row(0, START, clock=False), _row(1, START + 33, clock=False)]
    assert len(pictures(unreadable)) == 2


def test_latency_counts_over_the_clock_s_turn() -> None:
    picture = Picture(START, START, 640, 360, int(START + 200) % MODULO_MS, 0)
    assert picture.latency_ms == -200
    turning = Picture(float(MODULO_MS * 7 + 40), 0, 640, 360, MODULO_MS - 20, 0)
    assert turning.latency_ms == 60


def test_lips_are_compared_by_the_number_in_any_picture_near_the_tone() -> None:
    shown = [Picture(0, START + number * INTERVAL, 640, 360, None, number % 132) for number in range(200)]
    of_tone = START + (TONE_AT_PICTURE + TONE_EVERY_PICTURES) * INTERVAL
    assert lip_offset_ms(shown, [of_tone + 40]) == pytest.approx(40)
    assert lip_offset_ms(shown[:40], [of_tone - 25]) == pytest.approx(-25)
    assert lip_offset_ms(shown, []) is None
    assert lip_offset_ms([], [of_tone]) is None


def test_figures_of_a_run() -> None:
    rows = [_row(number, START + number * 100) for number in range(100)]
    del rows[60:70]
    received = {
        "began": START + 2000,
        "ended": START + 10_000,
        "presented": rows,
        "tones": [],
        "samples_received": 1000,
        "samples_concealed": 20,
    }
    found = figures(received)
    assert found["frozen"] == pytest.approx(1100 / 8000)
    assert found["freezes"] == 1
    assert found["fps"] == pytest.approx(70 / 8)
    assert found["latency_ms_p95"] == pytest.approx(80, abs=1)
    assert (found["width"], found["height"], found["concealed"]) == (640, 360, 0.02)
    assert found["course"]["freezes"] == [[3.9, 5.0]]
    assert "presented" not in found


def test_figures_of_a_run_in_which_nothing_came() -> None:
    received = {
        "began": 0,
        "ended": 1000,
        "presented": [],
        "tones": [],
        "samples_received": 0,
        "samples_concealed": 0,
    }
    found = figures(received)
    assert (found["frozen"], found["fps"], found["concealed"]) == (1.0, 0.0, None)
    assert "latency_ms_p50" not in found
