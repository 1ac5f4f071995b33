"""The camera's thread: no dark lamp over an open camera, off means closed, a lost one comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from av import VideoFrame

from agent.media import camera_thread
from agent.media.camera_gate import GatedCamera
from agent.media.camera_thread import CameraThread
from agent.media.clock_pattern import read_clock
from agent.media.device import DeviceError, RawPicture
from agent.media.pixels import blank, planes
from agent.media.zoom import CameraView, Zoom


class FakeCamera:
    """Gives grey pictures; writes into a journal when it is opened and closed."""

    sensor = (640, 360)

    def __init__(self, journal: list[str], luma: int = 99) -> None:
        self.journal = journal
        self.fault: DeviceError | None = None
        self.luma = luma
        self._frame = blank(320, 180, luma=luma)

    def open(self) -> None:
        if self.fault:
            raise self.fault
        self.journal.append("opened")

    def read(self) -> RawPicture:
        if self.fault:
            raise self.fault
        time.sleep(0.002)
        return RawPicture(self._frame, time.monotonic())

    def zoom(self, part: Zoom | None) -> None:
        self.journal.append(f"zoom {part.width if part else None}")

    def still(self) -> VideoFrame:
        if self.fault:
            raise self.fault
        return blank(*self.sensor, luma=self.luma)

    def close(self) -> None:
        self.journal.append("closed")


class JournalGate:
    """Writes down when the lamp is lit."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal

    def camera_opens(self) -> None:
        self.journal.append("lamp on")

    def camera_closed(self) -> None:
        self.journal.append("lamp off")


class Stage:
    """A camera thread with its journal and the last picture it handed on."""

    def __init__(self, burn_clock: bool = False) -> None:
        self.journal: list[str] = []
        self.camera = FakeCamera(self.journal)
        self.hand = FakeCamera(self.journal, luma=55)
        self.views: list[CameraView] = []
        self.last: RawPicture | None = None
        self.thread = CameraThread(
            GatedCamera(self.camera, JournalGate(self.journal)),
            blank(320, 180),
            (self._take,),
            burn_clock,
            hand=GatedCamera(self.hand, JournalGate(self.journal)),
            on_view=self.views.append,
        )

    def _take(self, picture: RawPicture) -> None:
        self.last = picture

    def brightness(self) -> int:
        return -1 if self.last is None else int(planes(self.last.frame)[0].max())


def until(condition: Callable[[], bool], limit_s: float = 5.0) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        time.sleep(0.002)


def test_off_closes_the_camera_and_sends_dark_pictures_and_on_opens_it_again() -> None:
    stage = Stage()
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    stage.thread.set_on(False)
    until(lambda: stage.brightness() == 16)
    assert not stage.thread.stats().is_open
    stage.thread.set_on(True)
    until(lambda: stage.brightness() == 99)
    stage.thread.stop()
    once = ["lamp on", "opened", "closed", "lamp off"]
    assert stage.journal == once * 2
    assert not [thread for thread in threading.enumerate() if thread.name == "camera"]


def test_a_camera_missing_at_the_start_is_told_replaced_by_darkness_and_taken_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_thread, "RETRY_S", 0.05)
    stage = Stage()
    stage.camera.fault = DeviceError("camera", "it is not there", "Plug it in")
    stage.thread.start()
    with pytest.raises(DeviceError, match="Plug it in"):
        stage.thread.opened.result(timeout=5)
    until(lambda: stage.brightness() == 16)
    assert "it is not there" in str(stage.thread.stats().fault)
    assert stage.journal[:3] == ["lamp on", "closed", "lamp off"]
    stage.camera.fault = None
    until(lambda: stage.brightness() == 99 and stage.thread.stats().fault is None)
    stage.thread.stop()
    assert stage.journal[-1] == "lamp off"


def test_who_no_longer_waits_for_the_camera_leaves_it_well() -> None:
    stage = Stage()
    assert not stage.thread.opened.cancel()
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    stage.thread.stop()


def test_a_camera_lost_in_a_call_is_reported_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_thread, "RETRY_S", 0.05)
    stage = Stage()
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    stage.camera.fault = DeviceError("camera", "its cable is out", "Check its cable")
    until(lambda: stage.brightness() == 16)
    assert "its cable is out" in str(stage.thread.stats().fault)
    stage.camera.fault = None
    until(lambda: stage.brightness() == 99 and stage.thread.stats().fault is None)
    stage.thread.stop()
    assert stage.journal[-1] == "lamp off"


def test_the_clock_is_burnt_in_only_when_asked() -> None:
    for burn_clock in (False, True):
        stage = Stage(burn_clock)
        stage.thread.start()
        until(lambda stage=stage: stage.last is not None)
        stage.thread.stop()
        assert stage.last is not None
        assert (read_clock(planes(stage.last.frame)[0]) is not None) == burn_clock


PART = Zoom(0.25, 0.25, 0.5, 0.5)


def test_the_other_camera_is_opened_only_when_this_one_is_closed_and_what_is_shown_is_told() -> None:
    stage = Stage()
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    assert stage.views == [CameraView("main", None, True, (640, 360))]
    stage.thread.look("main", PART)
    until(lambda: len(stage.views) == 2)
    stage.thread.look("hand", None)
    until(lambda: stage.brightness() == 55)
    stage.thread.look("main", None)
    until(lambda: stage.brightness() == 99)
    stage.thread.stop()
    assert [(view.camera, view.zoom) for view in stage.views] == [
        ("main", None),
        ("main", PART),
        ("hand", None),
        ("main", None),
    ]
    devices = [entry for entry in stage.journal if entry in ("opened", "closed")]
    assert devices == ["opened", "closed"] * 3
    assert [entry for entry in stage.journal if entry.startswith("zoom")] == ["zoom 0.5", "zoom None"]


def test_a_hand_camera_that_fails_gives_its_place_back() -> None:
    stage = Stage()
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    stage.hand.fault = DeviceError("hand camera", "it is gone", "Plug it in")
    stage.thread.look("hand", PART)
    until(
        lambda: len(stage.views) == 2
    )  # the last picture stays as bright as it was: only a view told is new
    shown = stage.thread.stats().frames_captured
    until(lambda: stage.thread.stats().frames_captured > shown)
    assert stage.thread.stats().fault is None
    assert stage.brightness() == 99
    stage.thread.stop()
    assert [view.camera for view in stage.views] == ["main", "main"]


def test_a_still_is_of_the_sensors_size_and_refused_when_the_camera_is_off_or_gone() -> None:
    stage = Stage()
    with pytest.raises(DeviceError):
        stage.thread.still().result(1)
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    picture = stage.thread.still().result(5)
    assert (picture.width, picture.height) == (640, 360)
    stage.camera.fault = DeviceError("camera", "it is gone", "Plug it in")
    with pytest.raises(DeviceError):
        stage.thread.still().result(5)
    until(lambda: not stage.thread.stats().is_open)
    with pytest.raises(DeviceError):
        stage.thread.still().result(5)
    stage.thread.stop()


def test_a_still_asked_for_while_one_that_was_given_up_is_taken_comes_all_the_same() -> None:
    stage = Stage()
    taking, go_on, at_once = threading.Event(), threading.Event(), stage.camera.still

    def slowly() -> VideoFrame:
        taking.set()
        go_on.wait(5)
        return at_once()

    stage.camera.still = slowly  # type: ignore[method-assign]
    stage.thread.start()
    until(lambda: stage.brightness() == 99)
    given_up = stage.thread.still()
    assert taking.wait(5)
    assert given_up.cancel()
    wanted = stage.thread.still()
    go_on.set()
    assert wanted.result(2).width == 640
    stage.thread.stop()
