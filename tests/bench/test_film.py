from __future__ import annotations

import json
from pathlib import Path

import av

from tests.bench.film import FILM_S, FRAME_RATE, film_for_page, write_film


def test_film_has_thirty_pictures_a_second_and_sound(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as film:
        video = film.streams.video[0]
        assert (video.width, video.height) == (1280, 720)
        assert video.frames == FILM_S * FRAME_RATE
        assert film.streams.audio[0].frames > 0
        first, second = (next(film.decode(video)) for _ in range(2))
        assert round(1 / (second.time - first.time)) == FRAME_RATE


def test_page_gets_the_same_pictures() -> None:
    film = json.loads(film_for_page())
    assert film["codec"].startswith("avc1.")
    assert film["pictures"][0]["key"]
    assert len(film["pictures"]) > FRAME_RATE
