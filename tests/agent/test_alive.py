"""The watchdog is fed while all parts move; each stall is said and kept before systemd's patience is over."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from agent import __main__ as wiring
from agent.alive import Alive, Limits, Stall, any_of, keep, media_stand, runtime_folder, take_kept, watchdog_s
from agent.alive_screen import PagesAnswer, answers, feeds_move
from agent.controller import Controller
from agent.media import pulse
from agent.media.camera_thread import CameraThread
from agent.media.device import RawPicture, RawSound
from agent.media.encoder import EncoderSettings, VideoEncoder
from agent.media.microphone import FRAME_SAMPLES
from agent.media.pixels import blank
from agent.media.sound import SoundSource
from agent.media.video_codec import PictureForm, open_encoder

LIMITS = Limits.of(20.0)
PICTURE = blank(320, 180)


class Hang:
    """A driver that does not come back until it is let go."""

    def __init__(self):
        self.reached, self.over = threading.Event(), threading.Event()

    def __call__(self):
        self.reached.set()
        self.over.wait(10)


class Watched:
    """An Alive with a clock of its own, and what systemd heard."""

    def __init__(self, folder, **checks):
        self.now, self.told = time.monotonic(), []
        self.folder = folder
        self.alive = Alive(self.told.append, kept=folder, limits=LIMITS, clock=lambda: self.now, **checks)

    @property
    def fed(self):
        return self.told.count("WATCHDOG=1")

    def after(self, seconds, *, beats=True):
        """Time passes, second by second; one look at the end."""
        self.now += seconds
        if beats:
            self.alive.beat()
        return self.alive.look()


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


@pytest.fixture
def none_of_others(monkeypatch):
    monkeypatch.setattr(pulse, "_pulses", [])


def test_all_that_moves_is_fed(watched):
    for _ in range(5):
        assert watched.after(LIMITS.look_every_s) is None
    assert watched.told == ["WATCHDOG=1"] * 5
    assert take_kept(watched.folder) is None


def test_a_blocked_event_loop_is_said_with_its_place_and_kept_and_not_fed(watched, caplog):
    stall = watched.after(LIMITS.loop_s + 1, beats=False)
    assert stall is not None and stall.part == "loop"
    assert "stands since 9 s" in stall.reason
    assert "test_alive.py:" in stall.reason
    assert watched.fed == 0
    assert json.loads((watched.folder / "stalled.json").read_text())["part"] == "loop"
    assert [record.halsorum_stalled for record in caplog.records] == ["loop"]
    assert caplog.records[0].levelno == logging.CRITICAL
    assert take_kept(watched.folder) == stall
    assert take_kept(watched.folder) is None


@pytest.mark.parametrize("patience_s", [20.0, 2.5])
def test_it_is_on_record_before_systemd_ends_the_process(patience_s):
    """The last meal is at most a look before the limit; then comes one look that tells, then the end."""
    limits = Limits.of(patience_s)
    for within_s in (limits.loop_s, limits.media_s, limits.screen_s):
        stands_at = 0.0
        told_by = stands_at + within_s + limits.look_every_s
        fed_last_at_the_earliest = stands_at
        assert told_by < fed_last_at_the_earliest + patience_s


def test_what_moves_again_in_time_is_fed_again_and_forgotten(watched):
    watched.after(LIMITS.loop_s + 1, beats=False)
    assert watched.after(1) is None
    assert watched.fed == 1
    assert take_kept(watched.folder) is None
    assert watched.told[-1] == "STATUS="


def test_work_that_fails_for_long_counts_and_a_full_disk_does_not(watched):
    for _ in range(int(LIMITS.unit_s) + 1):
        watched.now += 1
        watched.alive.beat(False)
    stall = watched.alive.look()
    assert stall is not None and stall.part == "unit"

    def fails_with(error):
        def work():
            raise error

        return wiring.passed(work)

    assert not fails_with(KeyError("19121212-1212"))
    assert fails_with(OSError(28, "No space left on device"))


@contextmanager
def hung_camera(hang):
    class Camera:
        sensor = (320, 180)

        def open(self): ...
        def zoom(self, part): ...
        def close(self): ...
        def read(self):
            hang()
            return RawPicture(PICTURE, time.monotonic())

    thread = CameraThread(Camera(), PICTURE, (), lambda _on: None)
    thread.start()
    yield "camera"
    hang.over.set()
    thread.stop()


@contextmanager
def hung_microphone(hang):
    class Microphone:
        missing = None

        def open(self): ...
        def close(self): ...
        def read(self):
            hang()
            return RawSound(pytest.importorskip("numpy").zeros(FRAME_SAMPLES, "int16"), time.monotonic())

    loop = asyncio.new_event_loop()
    source = SoundSource(loop, Microphone())
    source.start()
    yield "microphone"
    hang.over.set()
    source.stop()
    loop.close()


@contextmanager
def hung_encoder(hang):
    def opener(kind, form, rate):
        hang()
        return open_encoder(kind, form, rate)

    loop = asyncio.new_event_loop()
    settings = EncoderSettings(("libx264",), PictureForm(320, 180, 30, 1_000_000), 500_000)
    encoder = VideoEncoder(loop, settings, opener)
    unsubscribe = encoder.subscribe(lambda _frame: None)
    encoder.offer(RawPicture(PICTURE, 1.0))
    yield "encoder H264"
    hang.over.set()
    unsubscribe()
    encoder.stop()
    loop.close()


@pytest.mark.parametrize("hung", [hung_camera, hung_microphone, hung_encoder])
def test_a_thread_that_its_driver_holds_is_named_with_its_place(watched, none_of_others, hung):
    hang = Hang()
    with hung(hang) as name:
        assert hang.reached.wait(5)
        watched.now = time.monotonic()
        assert watched.after(0) is None  # it is given its time
        stall = watched.after(LIMITS.media_s + 1)
        assert stall is not None and stall.part == "media"
        assert stall.reason.startswith(f"{name} stands since")
        assert "test_alive.py" in stall.reason
        assert watched.fed == 1
    assert media_stand(time.monotonic() + 100, 0.0) == ""  # let go, it has ended in order


def test_an_encoder_that_has_nothing_to_do_stands_still_with_reason(watched, none_of_others):
    loop = asyncio.new_event_loop()
    encoder = VideoEncoder(loop, EncoderSettings(("libx264",), PictureForm(320, 180, 30, 1_000_000), 500_000))
    encoder.subscribe(lambda _frame: None)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not pulse._pulses:
        time.sleep(0.001)
    assert [each.name for each in pulse._pulses] == ["encoder H264"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and pulse._pulses[0].moved_at is not None:
        time.sleep(0.001)
    assert watched.after(1000) is None
    encoder.stop()
    loop.close()


def test_a_page_s_feed_that_is_asked_no_more_stands_still(tmp_path, none_of_others):
    loop = asyncio.new_event_loop()
    controller = Controller(loop, None, None, None)
    watched = Watched(tmp_path, screen=feeds_move(controller.oldest_asked_at))
    assert watched.after(1000) is None  # no page is open: there is nothing to feed
    page = controller.subscribe()
    watched.now = time.monotonic()
    assert watched.after(LIMITS.screen_s + 1).part == "screen"
    page.get(0)
    watched.now = time.monotonic()
    assert watched.after(0) is None
    page.close()
    loop.close()


def test_a_server_of_pages_that_answers_nobody_stands_still(tmp_path, none_of_others):
    answering = [True]
    pages = PagesAnswer(8400, time.monotonic(), lambda _port, _within_s: answering[0])
    watched = Watched(tmp_path, screen=any_of((lambda _now, _within_s: "", pages)))
    assert watched.after(60) is None
    answering[0] = False
    assert watched.after(LIMITS.screen_s - 1) is None  # a machine may be busy
    stall = watched.after(2)
    assert stall == Stall("screen", "the pages' server does not answer since 11 s")


def test_a_door_that_is_shut_or_silent_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not answers(silent.getsockname()[1], 0.02)
        shut = silent.getsockname()[1]
    assert not answers(shut, 0.02)


def test_what_is_kept_and_torn_is_not_told(tmp_path):
    (tmp_path / "stalled.json").write_text('{"part": "lo')
    assert take_kept(tmp_path) is None
    keep(tmp_path, Stall("media", "camera stands"))
    (tmp_path / "stalled.json").write_text('{"part": "elsewhere", "reason": ""}')
    assert take_kept(tmp_path) is None


def test_systemds_patience_and_folder_are_taken_from_it(tmp_path):
    assert (
        watchdog_s({"WATCHDOG_USEC": "15000000"}),
        watchdog_s({}),
        watchdog_s({"WATCHDOG_USEC": "x"}),
    ) == (
        15.0,
        20.0,
        20.0,
    )
    assert (
        runtime_folder(tmp_path, {"RUNTIME_DIRECTORY": "/run/halsorum:/run/x"}).as_posix() == "/run/halsorum"
    )
    assert runtime_folder(tmp_path, {}) == tmp_path / "run"


def test_the_region_hears_what_the_last_run_was_ended_for(house):
    house.unit.resume(house.boot + 1, stalled=Stall("media", "camera stands since 11 s at camera.py:12"))
    told = house.unit.outbox.pending()[-1]
    assert (told.kind, told.fields["stalled"]) == ("unit_started", "media")
    assert told.fields["reason"] == "camera stands since 11 s at camera.py:12"
