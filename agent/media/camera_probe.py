"""The room's camera is tried from closed: what came, in numbers, and what that says. No picture outlives it.

watch() blocks for about a second when all is well, in a thread of its own; judge() is pure.
"""

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
from agent.media.usual_view import View, agreement, view
from agent.verdict import Verdict, found, well

PICTURES = 24
"""So many when all is well."""
LOOKED_AT_EACH = 6
SETTLED_BY = 3.0
"""Luma between two looks, below which a camera's own control of light has found its measure."""
LIMIT_S = 2.0
LOWEST_RATE_RATIO = 0.6
"""Many cameras slow down in poor light; below this it is not the camera that was asked for."""
NOTHING_SEEN = 4.0
"""Luma over the clearest edges: a lens that is covered gives below 2, a room in an eighth of its light above 8."""
DARK, BRIGHT = 48.0, 215.0
"""Mean luma; 16 is black, 235 white."""
WINDOW = 1 / 20
"""Share of white blocks, from which a dark picture is one against a window."""
WASHED_OUT = 0.4
"""Share of blocks that are white."""
BLURRED = 0.33
"""Sharpness: a smooth ramp has 0.15 and noise adds to it; footage of 640x272 that was made large has 0.41."""
MOVED_SHARE = 0.01
MUCH_MOVED = 0.2
"""Share of the picture; where it points is not judged while somebody stands close before it or carries it."""
TURNED_BELOW = 0.68
"""Agreement with the usual view: with other light, noise or a person in the chair it is above 0.8, turned by a
third of the picture below 0.6."""


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
    """Open, look, close. None when it was stopped; raises DeviceError for a camera that gives nothing."""
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
        if is_late or (len(times) >= PICTURES and _is_settled(grids)):
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


def judge(seen: Watched, asked_rate: float, usual: Sequence[float] | None, *, at_night: bool) -> Verdict:
    """The one thing that is wrong, if anything is. usual: the view that this camera has had. at_night: nobody has
    to have the light on, so that a dark picture says nothing."""
    picture = seen.look
    is_dark = picture.light < DARK and picture.bright < WINDOW
    is_nothing = picture.structure < NOTHING_SEEN
    if seen.stands_still and not (is_dark and is_nothing):  # black is the same each time from some cameras
        reason = "all pictures are the same to the last bit"
        return found("camera_frozen", seen.rate, "frames/s", reason=reason)
    if at_night and is_dark:
        return well("camera", seen.rate, "frames/s")
    if seen.rate < asked_rate * LOWEST_RATE_RATIO and not is_dark:  # in the dark they expose for longer
        reason = f"{seen.rate:.0f} of {asked_rate:.0f} frames/s"
        return found("camera_slow", seen.rate, "frames/s", reason=reason)
    return _of_light(picture) or _of_sight(seen, usual) or well("camera", seen.rate, "frames/s")


def _of_light(picture: PictureLook) -> Verdict | None:
    if picture.structure < NOTHING_SEEN:
        reason = f"nothing is to be seen (edges of {picture.structure:.1f} at a luma of {picture.light:.0f})"
        return found("camera_covered", picture.structure, "luma", reason=reason)
    if picture.light < DARK and picture.bright < WINDOW:
        return found("camera_dark", picture.light, "luma", reason=f"mean luma {picture.light:.0f}")
    if picture.light > BRIGHT or picture.bright > WASHED_OUT:
        reason = f"mean luma {picture.light:.0f}, {picture.bright:.0%} white"
        return found("camera_bright", picture.light, "luma", reason=reason)
    return None


def _of_sight(seen: Watched, usual: Sequence[float] | None) -> Verdict | None:
    sharp = seen.look.sharpness
    if sharp is None or sharp < BLURRED:
        reason = "there is no clear edge" if sharp is None else f"edges are climbed by {sharp:.2f} at once"
        return found("camera_blurred", sharp or 0.0, "of an edge", reason=reason)
    same = 1.0 if usual is None or seen.moved > MUCH_MOVED else agreement(usual, seen.view)
    if same < TURNED_BELOW:
        return found("camera_turned", same, "agreement", reason=f"agrees by {same:.2f} with the usual view")
    return None


def _footage(settings: CameraSettings) -> Footage | None:
    return Footage(settings.file) if settings.kind == "file" and settings.file else None
