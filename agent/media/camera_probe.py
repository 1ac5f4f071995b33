"""The room's camera is tried from closed: what came, in numbers (agent/probes/camera_verdict.py judges them). No
picture outlives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.media.camera import CameraSettings, make_camera
from agent.media.camera_gate import GatedCamera
from agent.media.footage import Footage
from agent.media.picture_look import Grid, PictureLook, look, moved, small
from agent.media.pixels import Plane, planes
from agent.media.pulse import Move, pulse
from agent.media.usual_view import View, view

PICTURES = 24
"""So many when all is well."""
LOOKED_AT_EACH = 6
SETTLED_BY = 3.0
"""Luma between two looks, below which a camera's own control of light has found its measure."""
LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What a second of pictures came to. rate: pictures a second. moved: share of the picture. form: how a real
    camera's pictures are taken."""

    rate: float
    stands_still: bool
    look: PictureLook
    moved: float
    view: View
    form: str = ""


def watch(settings: CameraSettings, stopped: Callable[[], bool] = lambda: False) -> Watched | None:
    """Open, look, close: about a second when all is well. None when it was stopped; raises DeviceError for a
    camera that gives nothing."""
    with pulse("camera's probe") as move:
        camera = make_camera(settings, _footage(settings))
        try:
            camera.open()
            return watch_open(camera, move, stopped)
        finally:
            camera.close()


def watch_open(
    camera: GatedCamera, move: Move, stopped: Callable[[], bool] = lambda: False
) -> Watched | None:
    """The same of a camera that is open. A camera's first pictures are often dark: looked at until they agree."""
    times: list[float] = []
    grids: list[Grid] = []
    before: Plane | None = None
    differ = False
    started = time.monotonic()
    while True:
        if stopped():
            return None
        move()
        picture = camera.read()
        luma = planes(picture.frame)[0]
        few = luma[::4, ::4].copy()
        differ = differ or (before is not None and not np.array_equal(before, few))
        before = few
        times.append(picture.captured_at)
        if len(times) % LOOKED_AT_EACH == 0:
            grids.append(small(luma))
        is_late = time.monotonic() - started > LIMIT_S and len(times) > 1
        if is_late or (len(times) >= PICTURES and differ and _is_settled(grids)):
            break
    grid = small(luma)
    return Watched(
        rate=_rate(times),
        stands_still=not differ,
        look=look(luma, grid),
        moved=max((moved(each, grid) for each in grids[1:]), default=0.0),
        view=view(grid),
        form=camera.path,
    )


def _rate(times: Sequence[float]) -> float:
    """Of the quickest half: a machine that was busy for a moment makes no camera slow."""
    half = len(times) // 2
    spans = [later - earlier for earlier, later in zip(times, times[half:], strict=False)]
    return half / min(spans) if half and min(spans) > 0 else 0.0


def _is_settled(grids: Sequence[Grid]) -> bool:
    return len(grids) < 2 or abs(float(grids[-1].mean() - grids[-2].mean())) < SETTLED_BY


def _footage(settings: CameraSettings) -> Footage | None:
    return Footage(settings.file) if settings.kind == "file" and settings.file else None
