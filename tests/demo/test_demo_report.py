"""What the demo holds to be wrong, and how it reckons."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.probes import OFFICE_TONE_HZ, ROOM_TONE_HZ, direction
from tests.demo.report import BEFORE_IT, KINDS, count, faults

SIDE = {
    "before": {
        "at": 1000.0,
        "video": {"framesDecoded": 10},
        "audio": {
            "totalAudioEnergy": 0.0,
            "totalSamplesDuration": 1.0,
            "totalSamplesReceived": 0,
            "concealedSamples": 0,
        },
    },
    "after": {
        "at": 11000.0,
        "latencies": [30.0, 40.0, 90.0],
        "tones": {str(ROOM_TONE_HZ): 30.0, str(OFFICE_TONE_HZ): 2.0},
        "video": {
            "framesDecoded": 260,
            "frameWidth": 1280,
            "frameHeight": 720,
            "packetsLost": 1,
            "freezeCount": 0,
        },
        "audio": {
            "totalAudioEnergy": 0.1,
            "totalSamplesDuration": 11.0,
            "totalSamplesReceived": 1000,
            "concealedSamples": 20,
            "packetsLost": 2,
        },
    },
}


COVERED = {
    "found_s": 6.0,
    "told_s": 66.0,
    "listed": True,
    "on_screen": True,
    "well_s": 30.0,
    "told_well_s": 91.0,
}


def good() -> dict[str, Any]:
    seen = {"fps": 25.0, "width": 640, "height": 360, "frames_decoded": 9, "audio_level": 0.1}
    seen |= {"latency_ms_p50": 50.0, "tone_hz": 700}
    return {
        "covered": dict(COVERED),
        "to_clinician": dict(seen),
        "to_kiosk": dict(seen),
        "to_interpreter": dict(seen),
        "still": (1920, 1080),
        "still_was_told": True,
        "setup_ms": {"clinician": 500, "kiosk": 600},
        "agent_cpu_pct": 40.0,
        "agent_rss_mib": 150.0,
        "agent_ready_s": 1.5,
        "events": [*KINDS[:2], *BEFORE_IT, *KINDS[2:]],
        "log_verified": True,
        "quality": {"unit": 3, "touchscreen": 2, "clinician's page": 3},
        "search_works": True,
        "findings": [],
    }


def test_figures_of_one_direction() -> None:
    seen = direction(SIDE, ROOM_TONE_HZ)
    assert (seen.fps, seen.frames_decoded, seen.packets_lost) == (25.0, 260, 3)
    assert (seen.latency_ms_p50, seen.latency_ms_p95, seen.tone_hz) == (40.0, 90.0, ROOM_TONE_HZ)
    assert (seen.audio_level, seen.audio_concealed_ratio) == (0.1, 0.02)


def test_another_tone_than_the_senders_is_not_taken_for_it() -> None:
    assert direction(SIDE, OFFICE_TONE_HZ).tone_hz is None


def test_a_visit_as_it_should_be_has_no_fault() -> None:
    assert list(faults(good())) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"setup_ms": {"clinician": None, "kiosk": 600}}, "setup_ms"),
        ({"agent_rss_mib": 0.0}, "agent_rss_mib"),
        ({"events": list(KINDS[:-1])}, "events"),
        ({"events": [KINDS[1], KINDS[0], *KINDS[2:]]}, "events"),
        ({"log_verified": False}, "chain"),
        ({"search_works": False}, "search"),
        ({"findings": [{"canary": "one-time code", "file": "unit/unit.db"}]}, "not wiped: one-time code"),
    ],
)
def test_each_fault_is_said(change: dict[str, Any], says: str) -> None:
    (said,) = faults(good() | change)
    assert says in said


def test_who_told_of_the_call_is_counted_and_who_did_not_is_a_fault() -> None:
    unit, page = {"source": "unit", "parties": [{"shown": {}}]}, {"source": "c41f"}
    assert count([unit, page, page]) == {"unit": 1, "touchscreen": 1, "clinician's page": 2}
    report = good() | {"quality": count([unit])}
    assert list(faults(report)) == ["no quality figures from the clinician's page"]


def test_a_drawn_scene_has_no_lens_to_cover() -> None:
    assert list(faults(good() | {"covered": None, "events": list(KINDS)})) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"found_s": None}, "the region was not told of it"),
        ({"listed": False}, "the page of rooms that are not ready had no such room with what to do"),
        ({"on_screen": False}, "staff's page of the touchscreen did not say what to do"),
        ({"told_s": None}, "no notice of it came"),
        ({"well_s": None}, "the room did not find itself well after it"),
        ({"told_well_s": None}, "no notice came that the room is ready again"),
    ],
)
def test_what_did_not_come_of_a_covered_camera_is_said(change: dict[str, Any], says: str) -> None:
    assert list(faults(good() | {"covered": COVERED | change})) == [f"covered camera: {says}"]


@pytest.mark.parametrize("field", ["fps", "width", "frames_decoded", "audio_level"])
def test_nothing_received_is_a_fault(field: str) -> None:
    report = good()
    report["to_kiosk"][field] = 0
    assert list(faults(report)) == [f"to_kiosk: {field} is 0"]
