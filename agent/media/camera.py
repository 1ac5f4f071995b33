"""Cameras: drawn by code, played from a film, or a real one through V4L2."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import av
from av import VideoFrame
from av.codec.context import Flags
from av.container import InputContainer
from av.video.reformatter import VideoReformatter

from agent.media.camera_choice import COSTS_MS, CameraPath, CameraWish, camera_paths, largest_size
from agent.media.camera_gate import NO_GATE, CameraGate, GatedCamera
from agent.media.clock_pattern import draw_clock
from agent.media.device import Camera, DeviceError, Pace, RawPicture
from agent.media.footage import Footage, looped_pictures
from agent.media.pixels import blank, copied, fitted, planes, whole, zoomed
from agent.media.scene import Motif, Scene
from agent.media.v4l2 import CameraAbilities, CameraMode, camera_abilities
from agent.media.zoom import Zoom

log = logging.getLogger(__name__)

SETTLES_S = 0.4
AskAbilities = Callable[[str, int, int], CameraAbilities]


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Which camera, and what is asked of it: size in pixels, frames/s.

    Of a real camera's forms the cheapest is taken that gives size and rate (see camera_choice). pixel_formats:
    FFmpeg's names of V4L2 input formats, of which the earlier is taken where two cost alike. costs_ms: what each
    costs here, if that was measured. sensor: the size of the largest picture, for zoom and stills; a real camera
    that lists its sizes need not be told. motif: what a drawn camera sees. burn_clock draws the machine-readable
    clock of clock_pattern into each picture; for benches and the demo only. gate: the camera's lamp and
    shutter.
    """

    kind: Literal["scene", "file", "v4l2"] = "scene"
    device: str = "/dev/video0"
    file: Path | None = None
    width: int = 1280
    height: int = 720
    sensor: tuple[int, int] | None = None
    motif: Motif = "room"
    frame_rate: int = 30
    pixel_formats: tuple[str, ...] = field(default=("mjpeg", "yuyv422"))
    costs_ms: Mapping[str, float] = field(default_factory=lambda: COSTS_MS)
    burn_clock: bool = False
    gate: CameraGate = field(default=NO_GATE, compare=False)


class SceneCamera:
    """Draws the room of agent.media.scene in real time."""

    def __init__(self, settings: CameraSettings) -> None:
        self._settings = settings
        self.sensor = settings.sensor or (settings.width, settings.height)
        self._scene: Scene | None = None
        self._part: Zoom | None = None
        self._pace = Pace(1 / settings.frame_rate)
        self._opened_at = 0.0
        self._scaler = VideoReformatter()

    def open(self) -> None:
        self._draw_anew()
        self._opened_at = time.monotonic()
        self._pace = Pace(1 / self._settings.frame_rate)

    def _draw_anew(self) -> None:
        whole = (self._settings.width, self._settings.height)
        self._scene = Scene(*(whole if self._part is None else self.sensor), self._settings.motif)

    def read(self) -> RawPicture:
        captured_at = self._pace.wait()
        frame = self._drawn(captured_at)
        if self._part is not None:
            frame = zoomed(frame, self._part, (self._settings.width, self._settings.height), self._scaler)
        return RawPicture(frame, captured_at)

    def _drawn(self, at: float) -> VideoFrame:
        if self._scene is None:
            raise DeviceError("drawn camera", "it is not open", "Open it first")
        return self._scene.draw(_unix_s(at), at - self._opened_at)

    def zoom(self, part: Zoom | None) -> None:
        was, self._part = self._part, part
        if self._scene is not None and (was is None) != (part is None):
            self._draw_anew()

    def still(self) -> VideoFrame:
        now = time.monotonic()
        return Scene(*self.sensor, self._settings.motif).draw(_unix_s(now), now - self._opened_at)

    def close(self) -> None:
        self._scene = None


LOOK_AT_FILE_S = 0.5


class FileCamera:
    """A film in a loop, at the asked rate: the picture that is due by the film's own clock is given at every
    tick.

    Pictures are decoded before they are due, so that decoding adds nothing to the latency. A film that is replaced
    while it runs is shown from its beginning within a second; one that is taken away is a camera that is gone.
    """

    def __init__(self, settings: CameraSettings, footage: Footage) -> None:
        self._settings = settings
        self._footage = footage
        self._number = 0
        self._looked_at = 0.0
        self.sensor = (settings.width, settings.height)
        self._pictures: Iterator[tuple[float, VideoFrame]] | None = None
        self._pace = Pace(1 / settings.frame_rate)
        self._current: VideoFrame | None = None
        self._film: VideoFrame | None = None
        self._upcoming: tuple[float, VideoFrame] = (0.0, blank(2, 2))
        self._started_at = 0.0
        self._part: Zoom | None = None
        self._scaler = VideoReformatter()

    def open(self) -> None:
        self._number = self._footage.number()
        self._started_at = self._footage.started_at()
        self._pictures = looped_pictures(self._footage, time.monotonic() - self._started_at)
        self._upcoming = next(self._pictures)
        self._current = self._film = None
        self.sensor = (self._upcoming[1].width, self._upcoming[1].height)
        self._pace = Pace(1 / self._settings.frame_rate)

    def read(self) -> RawPicture:
        if self._pictures is None:
            raise DeviceError(f"film {self._footage.path}", "it is not open", "Open it first")
        self._look_at_file()
        while self._film is None or self._upcoming[0] <= self._pace.next_due - self._started_at:
            self._film, self._current = self._upcoming[1], None
            self._upcoming = next(self._pictures)
        if self._current is None:
            self._current = self._shown(self._film)
        return RawPicture(self._current, self._pace.wait())

    def _look_at_file(self) -> None:
        if self._pace.next_due - self._looked_at < LOOK_AT_FILE_S:
            return
        self._looked_at = self._pace.next_due
        if self._footage.is_another(self._number):
            part = self._part
            self.close()
            self.open()
            self._part = part

    def _shown(self, film: VideoFrame) -> VideoFrame:
        width, height = self._settings.width, self._settings.height
        if self._part is None:
            return fitted(film, width, height, self._scaler)
        return zoomed(film, self._part, (width, height), self._scaler)

    def zoom(self, part: Zoom | None) -> None:
        self._part, self._current = part, None

    def still(self) -> VideoFrame:
        if self._film is None:
            self.read()
        assert self._film is not None
        return whole(self._film)

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()  # type: ignore[attr-defined]  # a generator: closes its file
        self._pictures = None
        self._current = self._film = None


class V4l2Camera:
    """A real camera through the kernel's V4L2, taken in the cheapest form that gives the asked size and rate.

    See camera_choice; where the driver refuses what it has listed, the next best is tried. Zoomed, or for a still,
    it is taken in its largest form, if that is another: opened anew, which takes some cameras half a second.
    """

    def __init__(self, settings: CameraSettings, abilities: AskAbilities = camera_abilities) -> None:
        self._settings = settings
        self._abilities = abilities
        self.sensor = settings.sensor or (settings.width, settings.height)
        self._container: InputContainer | None = None
        self._frames: Iterator[VideoFrame] | None = None
        self._part: Zoom | None = None
        self._scaler, self._converter = VideoReformatter(), VideoReformatter()
        self.path = ""

    def open(self) -> None:
        settings = self._settings
        plain = (settings.width, settings.height)
        modes = listed = self._modes(plain)
        if settings.sensor is not None:
            # A driver that gives a range of sizes lists the one it is asked about.
            listed = (*modes, *self._modes(settings.sensor))
        self.sensor = largest_size(listed, self._wish(*plain), settings.sensor)
        if self._part is None:
            self._open(modes, plain)
        else:
            self._reopen(self.sensor)

    def _modes(self, size: tuple[int, int]) -> tuple[CameraMode, ...]:
        return self._abilities(self._settings.device, *size).modes

    def _wish(self, width: int, height: int) -> CameraWish:
        return CameraWish(width, height, self._settings.frame_rate, self._settings.pixel_formats)

    def _open(self, modes: Sequence[CameraMode], size: tuple[int, int]) -> None:
        refusals: list[str] = []
        for path in self._paths(modes, size):
            try:
                self._container = av.open(self._settings.device, format="v4l2", options=v4l2_options(path))
            except (av.FFmpegError, OSError) as error:
                refusals.append(f"{path.pixel_format}: {error.strerror or error}")
                continue
            stream = self._container.streams.video[0]
            stream.thread_count = 1
            # H.264 otherwise waits for pictures that might have to be put in another order.
            stream.codec_context.flags |= Flags.low_delay
            self._frames = self._container.decode(stream)
            if self.path != str(path):
                self.path = str(path)
                log.info("camera %s: %s", self._settings.device, self.path)
            return
        raise DeviceError(f"camera {self._settings.device}", "; ".join(refusals), _v4l2_instruction(refusals))

    def _paths(self, modes: Sequence[CameraMode], size: tuple[int, int]) -> tuple[CameraPath, ...]:
        """What the driver lists, best first; the profile's formats in order if it lists nothing usable."""
        settings = self._settings
        return camera_paths(modes, self._wish(*size), settings.costs_ms) or tuple(
            CameraPath("(driver lists none)", name, *size, settings.frame_rate, 0.0, True)
            for name in settings.pixel_formats
        )

    def _reopen(self, size: tuple[int, int]) -> None:
        self.close()
        self._open(self._modes(size), size)

    @property
    def _is_larger(self) -> bool:
        return self.sensor != (self._settings.width, self._settings.height)

    def read(self) -> RawPicture:
        frame = self._next()
        captured_at = v4l2_captured_at(frame.time, time.monotonic())
        width, height = self._settings.width, self._settings.height
        if self._part is None:
            shown = fitted(frame, width, height, self._scaler)
            # What is neither decoded nor scaled lies in the driver's own memory, which is gone as soon as the
            # camera is closed, while an encoder may still read it.
            return RawPicture(copied(frame) if shown is frame else shown, captured_at)
        part = zoomed(frame, self._part, (width, height), self._scaler, self._converter)
        return RawPicture(part, captured_at)

    def _next(self) -> VideoFrame:
        if self._frames is None:
            raise DeviceError(f"camera {self._settings.device}", "it is not open", "Open it first")
        try:
            return next(self._frames)
        except (av.FFmpegError, OSError, StopIteration) as error:
            reason = f"it stopped giving pictures ({error or 'end of stream'})"
            raise DeviceError(f"camera {self._settings.device}", reason, "Check its cable") from error

    def zoom(self, part: Zoom | None) -> None:
        was, self._part = self._part, part
        if self._frames is None or (was is None) == (part is None) or not self._is_larger:
            return
        try:
            self._reopen(self.sensor if part is not None else (self._settings.width, self._settings.height))
        except DeviceError:
            # Zoomed out of the plain picture there is less to see, but there is something.
            self._reopen((self._settings.width, self._settings.height))

    def still(self) -> VideoFrame:
        if self._part is not None or not self._is_larger:
            return whole(self._next())
        try:
            self._reopen(self.sensor)
            until = time.monotonic() + SETTLES_S
            frame = self._next()
            # The first pictures of a camera that was opened are often dark: its exposure finds itself.
            while time.monotonic() < until:
                frame = self._next()
            return whole(frame)
        finally:
            self._reopen((self._settings.width, self._settings.height))

    def close(self) -> None:
        # First what may hold a buffer of the driver's: it is given back to a device that is still open.
        self._frames = None
        if self._container is not None:
            self._container.close()
        self._container = None


def make_camera(settings: CameraSettings, footage: Footage | None = None) -> GatedCamera:
    """The camera that settings ask for, behind its gate and not yet open. Kind "file" without footage raises
    DeviceError."""
    return GatedCamera(_camera(settings, footage), settings.gate)


def _camera(settings: CameraSettings, footage: Footage | None) -> Camera:
    if settings.kind == "v4l2":
        return V4l2Camera(settings)
    if settings.kind == "file":
        if footage is None:
            raise DeviceError("file camera", "no film is given", "Give camera.file in the board profile")
        return FileCamera(settings, footage)
    return SceneCamera(settings)


def with_clock(picture: RawPicture) -> RawPicture:
    """The picture with its time of capture drawn into it, in memory of its own."""
    frame = copied(picture.frame)
    draw_clock(*planes(frame), unix_ms=round(_unix_s(picture.captured_at) * 1000))
    return RawPicture(frame, picture.captured_at)


def v4l2_options(path: CameraPath) -> dict[str, str]:
    """Options of FFmpeg's video4linux2 input device: what to ask the driver for."""
    options = {"input_format": path.pixel_format, "video_size": f"{path.width}x{path.height}"}
    return {**options, "framerate": f"{path.frame_rate:g}"} if path.frame_rate else options


def v4l2_captured_at(stamp_s: float | None, now: float) -> float:
    """Capture time from the kernel's stamp where that runs on the monotonic clock, otherwise the time of
    arrival.

    UVC drivers stamp with CLOCK_MONOTONIC; a stamp that is not within the last second is of another clock.
    """
    if stamp_s is not None and 0 <= now - stamp_s < 1.0:
        return stamp_s
    return now


def _v4l2_instruction(refusals: list[str]) -> str:
    text = " ".join(refusals).lower()
    if "no such" in text:
        return "Plug the camera in, or correct camera.device in the board profile"
    if "busy" in text:
        return "Another program holds the camera: end it"
    if "denied" in text or "permitted" in text:
        return "Let the service's user belong to the group video"
    return "Correct size, frame rate or pixel formats in the board profile"


def _unix_s(monotonic_s: float) -> float:
    return time.time() - (time.monotonic() - monotonic_s)
