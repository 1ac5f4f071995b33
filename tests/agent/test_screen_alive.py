"""The one reading of whether the touchscreen lives."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.screen_alive import ALIVE_WITHIN_S, MARK, ScreenAlive


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_screen_is_alive_for_a_while_after_it_painted(clock: Clock) -> None:
    screen = ScreenAlive(monotonic_s=clock)
    assert (screen.silent_s, screen.is_alive) == (None, False)
    screen.painted()
    clock.now_s += ALIVE_WITHIN_S
    assert (screen.silent_s, screen.is_alive) == (ALIVE_WITHIN_S, True)
    clock.now_s += 0.1
    assert not screen.is_alive
    screen.painted()
    assert (screen.silent_s, screen.is_alive) == (0.0, True)


def test_each_word_changes_the_files_time_and_a_missing_folder_stops_nothing(tmp_path: Path) -> None:
    screen, mark = ScreenAlive(tmp_path), tmp_path / MARK
    screen.painted()
    assert stat.S_IMODE(mark.stat().st_mode) & 0o007 == 0
    os.utime(mark, ns=(0, 0))
    screen.painted()
    assert mark.stat().st_mtime_ns > 0
    assert mark.read_bytes() == b""
    nowhere = ScreenAlive(tmp_path / "nowhere")
    nowhere.painted()
    assert nowhere.is_alive


def test_the_browsers_version_is_told_when_it_is_another(tmp_path: Path) -> None:
    screen, told = ScreenAlive(tmp_path), []
    screen.on_browser = lambda: told.append(screen.browser)
    for version in ("", "156.0.8078.79", "", "156.0.8078.79", "157.0.1.2"):
        screen.painted(version)
    assert told == ["156.0.8078.79", "157.0.1.2"]
