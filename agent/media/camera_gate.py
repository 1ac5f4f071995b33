"""What has to happen around every opening of a camera: its lamp is lit before, its shutter opens, and both after.

`make_camera` (agent/media/camera.py) puts every camera behind its gate, whoever opens it and for what: a call, the
self-test, a QR code, the camera in the hand. Nobody else can forget the lamp.
"""

from __future__ import annotations

from typing import Protocol

from av import VideoFrame

from agent.media.device import Camera, RawPicture
from agent.media.zoom import Zoom


class CameraGate(Protocol):
    """The panel (agent/room_panel.py). Called in the camera's thread. It counts: two may be open for a moment."""

    def camera_opens(self) -> None: ...
    def camera_closed(self) -> None: ...


class NoGate:
    """For benches and tests, which have no lamp."""

    def camera_opens(self) -> None: ...
    def camera_closed(self) -> None: ...


NO_GATE: CameraGate = NoGate()


class GatedCamera:
    """A camera behind its gate. Lit from open() until close(), which has to be called after an opening that
    failed, too."""

    def __init__(self, camera: Camera, gate: CameraGate) -> None:
        self._camera, self._gate = camera, gate
        self._is_lit = False

    @property
    def sensor(self) -> tuple[int, int]:
        return self._camera.sensor

    @property
    def path(self) -> str:
        """In which form its pictures are taken, where it is a real one."""
        return getattr(self._camera, "path", "")

    def open(self) -> None:
        if not self._is_lit:
            self._is_lit = True
            self._gate.camera_opens()
        self._camera.open()

    def read(self) -> RawPicture:
        return self._camera.read()

    def zoom(self, part: Zoom | None) -> None:
        self._camera.zoom(part)

    def still(self) -> VideoFrame:
        return self._camera.still()

    def close(self) -> None:
        self._camera.close()
        if self._is_lit:
            self._is_lit = False
            self._gate.camera_closed()
