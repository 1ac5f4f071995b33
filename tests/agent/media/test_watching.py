"""A second of the camera in marks: what stands still, is covered, dark, or lit from behind."""

from __future__ import annotations

import numpy as np
import pytest
from av import VideoFrame

from agent.media import watching
from agent.media.device import RawPicture
from agent.media.pixels import blank, copied, planes
from agent.media.scene import Scene
from agent.media.watching import Seen, Watching

WIDTH, HEIGHT = 640, 360
NOISE = np.random.default_rng(7)


def room(light: float = 1.0, window: bool = False) -> VideoFrame:
    """The room that code draws, by so much of its light, perhaps with a window behind who sits there."""
    frame = copied(Scene(WIDTH, HEIGHT).draw(1e9, 1.0))
    luma = planes(frame)[0]
    if window:
        luma[:] = np.where(luma > 40, 40, luma)
        luma[: HEIGHT // 2] = 235
        luma[HEIGHT // 4 :, WIDTH // 3 : WIDTH * 2 // 3] = 50
    grain = NOISE.normal(0, 2, luma.shape)
    luma[:] = np.clip(16 + (luma.astype(np.float32) - 16) * light + grain, 16, 235).astype(np.uint8)
    return frame


def looks(*frames: VideoFrame, monkeypatch: pytest.MonkeyPatch) -> list[Seen | None]:
    """One after the other, a second apart, with others in between that are not looked at."""
    eyes, seen, now = Watching(), [], 100.0
    for frame in frames:
        for _ in range(3):
            now += 0.34
            monkeypatch.setattr(watching.time, "monotonic", lambda: now)
            eyes.take(RawPicture(frame, now))
        seen.append(eyes.seen)
    return seen


def marks(seen: Seen | None) -> set[str]:
    assert seen is not None
    return {name for name in ("still", "covered", "dark", "backlit") if getattr(seen, name)}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (room(), set()),
        (room(0.15), {"dark"}),
        (room(window=True), {"backlit"}),
        (blank(WIDTH, HEIGHT), {"covered", "dark"}),
        (blank(WIDTH, HEIGHT, luma=90), {"covered"}),
    ],
)
def test_what_is_seen(frame, expected, monkeypatch):
    assert marks(looks(frame, monkeypatch=monkeypatch)[0]) == expected


def test_a_picture_stands_still_when_nothing_at_all_changes(monkeypatch):
    one, other = room(), room()
    seen = looks(one, other, other, one, monkeypatch=monkeypatch)
    assert [each.still for each in seen if each] == [False, False, True, False]
