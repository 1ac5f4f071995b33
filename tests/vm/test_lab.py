"""What the laboratory writes down; no machine is started here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vm import __main__ as runner
from tests.vm.lab import Lab
from tests.vm.plan import Scene


class Stack:
    """A region that says one thing."""

    def log(self, _part: str) -> str:
        return "INFO region: hears"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made: Any = Stack()
    return Lab(tmp_path, tmp_path / "image", made)


def test_a_trial_is_a_row_with_what_was_seen(lab: Lab) -> None:
    lab.scene = "camera"
    with lab.trial("unbound", "back") as trial:
        trial.seen = "back after 4 s"
    [row] = lab.rows
    assert (row.scene, row.did, row.expected, row.seen, row.ok) == (
        "camera",
        "unbound",
        "back",
        "back after 4 s",
        True,
    )


def test_a_trial_that_fails_is_a_row_too_and_the_next_one_is_tried(lab: Lab) -> None:
    with lab.trial("unbound", "back"):
        raise AssertionError("the counter stays")
    with lab.trial("again", "back"):
        pass
    assert [(row.ok, row.seen) for row in lab.rows] == [(False, "the counter stays"), (True, "")]
    [kept] = lab.folder.glob("failed-*")
    assert "the counter stays" in (kept / "error.txt").read_text()
    assert (kept / "region.txt").read_text() == "INFO region: hears"


def test_a_scene_that_breaks_outside_of_its_trials_is_a_failed_row(lab: Lab) -> None:
    def play(_lab: Lab) -> None:
        raise RuntimeError("no such driver")

    runner._play_one(lab, Scene("sound", play, short=True, fresh=True))
    assert [(row.scene, row.ok, row.seen) for row in lab.rows] == [("sound", False, "no such driver")]


def test_every_scene_says_what_the_plan_needs() -> None:
    scenes = runner.found()
    assert {"call", "camera", "cuts", "enrolment"} <= {scene.name for scene in scenes}
    assert all(isinstance(scene.short, bool) and isinstance(scene.fresh, bool) for scene in scenes)


def test_bookings_that_only_have_to_be_there_never_clash(lab: Lab) -> None:
    first, second = lab.free_time(), lab.free_time()
    assert (second - first).total_seconds() >= 300
