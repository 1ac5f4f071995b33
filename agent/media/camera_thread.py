"""The camera's thread: opens the camera, hands its pictures on, and really closes it when it is switched off.

While it is off, or gone, a dark picture goes out twice a second, so that receivers neither freeze nor raise
an alarm. A camera that fails is reported and opened again, whether it fails at once or later. Its lamp is the
gate's (agent/media/camera_gate.py).

There may be a second camera, to be held in the hand: one of the two is open at a time. If it fails, the
first takes its place again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Event, Thread

from av import VideoFrame

from agent.media.camera import with_clock
from agent.media.device import Camera, DeviceError, RawPicture
from agent.media.pulse import Move, pulse
from agent.media.zoom import CameraName, CameraView, Zoom

log = logging.getLogger(__name__)

RETRY_S = 2.0
# A dark picture twice a second keeps receivers' decoders and freeze alarms content, for a few hundred bytes.
BLANK_INTERVAL_S = 0.5
JOIN_TIMEOUT_S = 3.0

Sink = Callable[[RawPicture], None]


@dataclass(frozen=True, slots=True)
class CameraStats:
    """Pictures captured, whether the device is open, the last fault, and when the last picture came."""

    frames_captured: int
    is_open: bool
    fault: DeviceError | None
    alive_at: float


class CameraThread:
    """Owns the cameras. Sinks and on_view are called in this thread.

    on_view tells what is shown whenever that is something new: after a wish was done, or could not be.
    """

    def __init__(
        self,
        camera: Camera,
        blank: VideoFrame,
        sinks: Sequence[Sink],
        burn_clock: bool = False,
        *,
        hand: Camera | None = None,
        on_view: Callable[[CameraView], None] = lambda _view: None,
    ) -> None:
        self._cameras: dict[CameraName, Camera] = {"main": camera, **({"hand": hand} if hand else {})}
        self._blank = blank
        self._on_view = on_view
        self._wish: tuple[CameraName, Zoom | None] = ("main", None)
        self._view = CameraView(has_hand=hand is not None)
        self._zooms: dict[CameraName, Zoom | None] = dict.fromkeys(self._cameras)
        self._still: Future[VideoFrame] | None = None
        self._sinks = tuple(sinks)
        self._burn_clock = burn_clock
        self._wanted = True
        self._stopping = False
        self._woken = Event()
        self._retry_at = 0.0
        self._captured = 0
        self._is_open = False
        self._fault: DeviceError | None = None
        self._alive_at = time.monotonic()
        self._move: Move = lambda works=True: None
        self.opened: Future[None] = Future()
        self.opened.set_running_or_notify_cancel()  # who no longer waits for it does not take it back
        self._thread = Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        """Open the camera in its thread; `opened` tells how that went the first time. It goes on in any case."""
        self._thread.start()

    def stop(self) -> None:
        """Close the camera and wait for its thread; blocks for up to one picture's time, or 3 s if the driver
        hangs."""
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_TIMEOUT_S)
            if self._thread.is_alive():
                log.error("the camera's driver does not answer; its device may still be open")

    def set_on(self, on: bool) -> None:
        """Open or really close the camera; it happens in the thread, within one picture's time."""
        self._retry_at = 0.0
        self._wanted = on
        self._woken.set()

    def look(self, camera: CameraName, zoom: Zoom | None) -> None:
        """Show this part of what this camera sees, from the next picture on."""
        self._wish = (camera if camera in self._cameras else "main", zoom)
        self._woken.set()

    def still(self) -> Future[VideoFrame]:
        """A whole picture of the sensor's size; DeviceError if the camera is off, or one is being taken."""
        asked: Future[VideoFrame] = Future()
        if (self._still is not None and not self._still.done()) or not self._is_open:
            asked.set_exception(_no_still())
        else:
            self._still = asked
        return asked

    def stats(self) -> CameraStats:
        """Counters, from any thread."""
        return CameraStats(self._captured, self._is_open, self._fault, self._alive_at)

    def _run(self) -> None:
        with pulse("camera", lasting=True) as self._move:
            while not self._stopping:
                self._move()
                if self._camera_due():
                    self._run_camera()
                else:
                    self._run_blank()

    def _run_camera(self) -> None:
        name = self._wish[0]
        camera = self._cameras[name]
        self._is_open = True
        try:
            self._zoom(camera, name)
            camera.open()
            if not self.opened.done():
                self.opened.set_result(None)
            while self._wanted and not self._stopping and self._wish[0] == name:
                self._move()
                self._zoom(camera, name)
                self._tell_view(name, camera)
                self._take_still(camera)
                self._hand_on(camera.read())
                self._fault = None
        except DeviceError as error:
            if name == "hand":
                self._back_to_main(error)
            else:
                self._failed(error)
        finally:
            camera.close()
            self._is_open = False
            self._refuse_still()

    def _zoom(self, camera: Camera, name: CameraName) -> None:
        wished, zoom = self._wish
        if wished == name and zoom != self._zooms[name]:
            self._zooms[name] = zoom
            camera.zoom(zoom)

    def _tell_view(self, name: CameraName, camera: Camera) -> None:
        wished, zoom = self._wish
        if wished != name:
            return
        view = CameraView(name, zoom, "hand" in self._cameras, camera.sensor)
        if view != self._view:
            self._view = view
            self._on_view(view)

    def _take_still(self, camera: Camera) -> None:
        asked = self._still
        if asked is None:
            return
        picture = camera.still()
        if self._still is asked:  # otherwise it was given up meanwhile, and somebody has asked anew
            self._still = None
        if asked.set_running_or_notify_cancel():
            asked.set_result(picture)

    def _refuse_still(self) -> None:
        asked, self._still = self._still, None
        if asked is not None and asked.set_running_or_notify_cancel():
            asked.set_exception(_no_still())

    def _back_to_main(self, error: DeviceError) -> None:
        log.error("%s; the room's own camera goes on", error)
        self._wish = ("main", None)
        self._view = replace(self._view, sensor=(0, 0))  # so that it is told who goes on

    def _failed(self, error: DeviceError) -> None:
        if self._fault is None:
            log.error("%s", error)
        self._fault = error
        self._retry_at = time.monotonic() + RETRY_S
        if not self.opened.done():
            self.opened.set_exception(error)

    def _run_blank(self) -> None:
        self._woken.clear()
        if not self._stopping and not self._camera_due():
            self._hand_on(RawPicture(self._blank, time.monotonic()))
            self._woken.wait(BLANK_INTERVAL_S)

    def _camera_due(self) -> bool:
        return self._wanted and time.monotonic() >= self._retry_at

    def _hand_on(self, picture: RawPicture) -> None:
        self._captured += 1
        self._alive_at = time.monotonic()
        if self._burn_clock:
            picture = with_clock(picture)
        for sink in self._sinks:
            sink(picture)


def _no_still() -> DeviceError:
    return DeviceError("camera", "it is off or busy", "Turn it on, or wait a moment")
