"""The touchscreen's page and its touch, where the board says that there are any."""

from __future__ import annotations

import asyncio

import pytest

from agent import selftest
from agent.probes.screen import FEED_STANDS_AFTER_S, FIRST_PAGE_WITHIN_S, ScreenProbe
from agent.screen_alive import ALIVE_WITHIN_S, ScreenAlive
from agent.selftest import Context
from firmware.board import ScreenProfile


class Place:
    """A screen with a clock of its own, which a pause moves on."""

    def __init__(self, sys, *, kiosk=True, touch=False):
        self.now_s, self.asked_at = 1000.0, None
        self.alive = ScreenAlive(monotonic_s=lambda: self.now_s)
        profile = ScreenProfile(
            width_px=1280, height_px=800, width_mm=217, height_mm=136, kiosk=kiosk, touch=touch
        )
        self.probe = ScreenProbe(lambda: profile, self.alive, lambda: self.asked_at, sys, lambda: self.now_s)

    def said(self):
        return [verdict.instruction for verdict in asyncio.run(self.probe.run(Context()))]


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = []

    async def pass_by(seconds):
        made[-1].now_s += seconds

    monkeypatch.setattr(selftest.asyncio, "sleep", pass_by)

    def make(**kinds):
        made.append(Place(tmp_path, **kinds))
        return made[-1]

    return make


def test_a_page_that_paints_is_well_and_one_that_stopped_is_not(place):
    screen = place()
    screen.alive.painted()
    assert screen.said() == [""]
    screen.now_s += ALIVE_WITHIN_S + 1
    assert screen.said() == ["screen_page"]


def test_a_page_whose_feed_stands_shows_what_was(place):
    screen = place()
    screen.asked_at = screen.now_s
    screen.now_s += FEED_STANDS_AFTER_S + 1
    screen.alive.painted()
    assert screen.said() == ["screen_page"]


def test_a_browser_has_its_time_to_start_and_no_more(place):
    screen = place()
    assert screen.said() == []
    screen.now_s += FIRST_PAGE_WITHIN_S
    assert screen.said() == ["screen_page"]


def test_a_board_of_code_needs_no_page_and_no_touch(place):
    screen = place(kiosk=False)
    screen.now_s += FIRST_PAGE_WITHIN_S
    assert screen.said() == []


def test_what_feels_a_touch_is_looked_for_where_it_is_to_be(place, tmp_path):
    screen = place(kiosk=False, touch=True)
    assert screen.said() == ["screen_touch"]
    device = tmp_path / "class/input/event3/device"
    (device / "capabilities").mkdir(parents=True)
    (device / "properties").write_text("2\n")
    (device / "capabilities/abs").write_text("260800000000003\n")
    assert screen.said() == [""]
