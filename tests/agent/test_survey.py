"""The survey of encoders: once for a machine, in a process of its own, and never in a visit's way."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import survey as survey_module
from agent.contract.status import EncoderReport
from agent.store import Store
from agent.survey import Survey, Surveyor, machine_digest
from firmware.board import load_board

ANSWER = {
    "board": "pi4",
    "encoder": "libx264",
    "encoders": [
        {"name": "h264_v4l2m2m", "ok": False, "speed": 0.0, "picture_ms": 0.0, "reason": "no device"},
        {"name": "libx264", "ok": True, "speed": 2.5, "picture_ms": 13.3, "reason": ""},
    ],
    "camera_costs_ms": {"mjpeg": 7.5},
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(survey_module, "SETTLE_S", 0.02)
    monkeypatch.setattr(survey_module, "LOOK_S", 0.01)
    monkeypatch.setattr(survey_module, "RETRY_S", 0.01)
    return Store(tmp_path / "unit.db")


def says(text: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"print({text!r})")


async def asked(
    store: Store, command: tuple[str, ...], is_free: Callable[[], bool] = lambda: True, limit_s: float = 10.0
) -> list[Survey]:
    """What comes of a survey, until the first answer or limit_s."""
    found: list[Survey] = []
    answered = asyncio.Event()

    def on_found(survey: Survey) -> None:
        found.append(survey)
        answered.set()

    surveyor = Surveyor(store, "machine-1", command, is_free=is_free, on_found=on_found)
    surveyor.start()
    await asyncio.wait([asyncio.ensure_future(answered.wait())], timeout=limit_s)
    await surveyor.stop()
    return found


def test_what_was_found_is_kept_and_not_asked_again(store: Store) -> None:
    (first,) = asyncio.run(asked(store, says(json.dumps(ANSWER))))
    assert first.order(("h264_v4l2m2m", "libx264")) == ("libx264", "h264_v4l2m2m")
    assert first.encoders[1] == EncoderReport(name="libx264", ok=True, speed=2.5, picture_ms=13.3)
    assert first.camera_costs_ms == {"mjpeg": 7.5}
    (second,) = asyncio.run(asked(store, ("/nonexistent",)))
    assert second == first


def test_a_probe_that_crashes_is_tried_again_and_ends_nothing(store: Store, tmp_path: Path) -> None:
    mark = tmp_path / "crashed"
    script = (
        f"import os, pathlib; mark = pathlib.Path({str(mark)!r})\n"
        f"if not mark.exists(): mark.touch(); os.abort()\nprint({json.dumps(ANSWER)!r})"
    )
    (found,) = asyncio.run(asked(store, (sys.executable, "-S", "-c", script)))
    assert mark.exists()
    assert found.encoder == "libx264"


def test_a_visit_ends_the_probe_s_process(store: Store, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def is_free() -> bool:
        return not (mark.exists() and mark.read_text())

    assert asyncio.run(asked(store, (sys.executable, "-S", "-c", script), is_free, limit_s=0.6)) == []
    assert not Path(f"/proc/{mark.read_text()}").exists()


def test_another_ffmpeg_or_board_is_another_machine() -> None:
    pi4, pi5 = load_board("pi4"), load_board("pi5")
    digests = {machine_digest(pi4, "a"), machine_digest(pi4, "b"), machine_digest(pi5, "a")}
    assert len(digests) == 3
    assert machine_digest(pi4, "a") in digests
