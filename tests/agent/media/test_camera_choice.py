"""The choice of a camera's form: cost decides among those that suffice, nearness among the others."""

from __future__ import annotations

import pytest

from agent.media.camera_choice import CameraWish, camera_paths
from agent.media.v4l2 import CameraMode

WISH = CameraWish(1280, 720, 30, ("mjpeg", "yuyv422"))
USB2_WEBCAM = [
    CameraMode("YUYV", 1280, 720, 10.0),
    CameraMode("YUYV", 640, 480, 30.0),
    CameraMode("MJPG", 1280, 720, 30.0),
    CameraMode("MJPG", 1920, 1080, 30.0),
]


@pytest.mark.parametrize(
    ("modes", "chosen"),
    [
        (USB2_WEBCAM, ("mjpeg", 1280)),  # bare pictures come at 10 frames/s only
        ([CameraMode("YUYV", 1280, 720, 30.0), *USB2_WEBCAM], ("yuyv422", 1280)),  # over USB 3 they do not
        ([CameraMode("NV12", 1280, 720, 30.0), CameraMode("YUYV", 1280, 720, 30.0)], ("nv12", 1280)),
        ([CameraMode("H264", 1280, 720, 30.0), *USB2_WEBCAM], ("mjpeg", 1280)),
        ([CameraMode("H264", 1280, 720, 30.0), USB2_WEBCAM[0]], ("h264", 1280)),
        ([CameraMode("MJPG", 1280, 720, 29.97)], ("mjpeg", 1280)),
        ([CameraMode("YU12", 1280, 720, 0.0)], ("yuv420p", 1280)),  # a MIPI driver tells no rate
    ],
)
def test_the_cheapest_that_suffices_is_taken(modes: list[CameraMode], chosen: tuple[str, int]) -> None:
    best = camera_paths(modes, WISH)[0]
    assert (best.pixel_format, best.width) == chosen
    assert best.suffices


def test_a_camera_that_has_not_what_is_asked_gives_the_nearest_and_says_so() -> None:
    best = camera_paths(USB2_WEBCAM[:2], WISH)[0]
    assert (best.width, best.frame_rate) == (640, 30)  # rather than 1280 at 10 frames/s
    assert not best.suffices
    assert "less than what is asked for" in str(best)


def test_measured_costs_and_the_profile_s_preference_count() -> None:
    both = [CameraMode("YUYV", 1280, 720, 30.0), CameraMode("MJPG", 1280, 720, 30.0)]
    assert camera_paths(both, WISH, {"yuyv422": 9.0, "mjpeg": 3.0})[0].pixel_format == "mjpeg"
    alike = {"yuyv422": 3.0, "mjpeg": 3.3}
    assert camera_paths(both, WISH, alike)[0].pixel_format == "mjpeg"  # the profile names it first
    assert camera_paths(both, CameraWish(1280, 720, 30), alike)[0].pixel_format == "yuyv422"


def test_a_format_we_cannot_read_is_left_out() -> None:
    assert camera_paths([CameraMode("Z16 ", 1280, 720, 30.0)], WISH) == ()
