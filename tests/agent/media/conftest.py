"""A film made on the spot: one second of a bright bar that moves, with a tone, at 25 frames/s."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from agent.media.pixels import blank

FILM_TONE_HZ = 440


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        video.options = {"preset": "ultrafast", "g": "5"}
        audio = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for index in range(25):
            frame = blank(160, 96, luma=16 + 8 * index)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        wave = 8000 * np.sin(2 * np.pi * FILM_TONE_HZ * np.arange(48000) / 48000)
        sound = av.AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        sound.sample_rate, sound.pts = 48000, 0
        container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path
