"""A file that stands in for a camera is replaced and taken away while it runs, as a bench or a demo does."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from agent.media import camera as camera_module
from agent.media.camera import CameraSettings, FileCamera
from agent.media.device import DeviceError
from agent.media.footage import Footage
from agent.media.pixels import blank, planes

SMALL = CameraSettings(width=160, height=96, frame_rate=50)


def put_still(path: Path, luma: int) -> None:
    """A PNG of one grey, by renaming over what was there."""
    new = path.with_suffix(".new.png")
    with av.open(str(new), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "rgb24"
        for packet in [*stream.encode(blank(160, 96, luma).reformat(format="rgb24")), *stream.encode()]:
            container.mux(packet)
    new.rename(path)


def put_y4m(path: Path, luma: int) -> None:
    new = path.with_suffix(".new")
    picture = np.full(160 * 96 * 3 // 2, luma, np.uint8).tobytes()
    new.write_bytes(b"YUV4MPEG2 W160 H96 F25:1 Ip A1:1 C420\n" + 25 * (b"FRAME\n" + picture))
    new.rename(path)


def brightness(camera: FileCamera) -> float:
    return float(planes(camera.read().frame)[0].mean())


@pytest.mark.parametrize(("name", "put"), [("room.png", put_still), ("room.y4m", put_y4m)])
def test_a_file_that_is_replaced_is_shown_and_one_taken_away_is_a_camera_that_is_gone(
    tmp_path, monkeypatch, name, put
):
    assert camera_module.LOOK_AT_FILE_S <= 0.5
    monkeypatch.setattr(camera_module, "LOOK_AT_FILE_S", 0.0)
    path = tmp_path / name
    put(path, 160)
    camera = FileCamera(SMALL, Footage(path))
    camera.open()
    assert brightness(camera) == pytest.approx(160, abs=3)
    put(path, 40)
    assert brightness(camera) == pytest.approx(40, abs=3)
    away = path.with_suffix(".away")
    path.rename(away)
    with pytest.raises(DeviceError):
        camera.read()
    with pytest.raises(DeviceError):
        camera.open()
    away.rename(path)
    camera.open()
    assert brightness(camera) == pytest.approx(40, abs=3)
    camera.close()
