"""What lies before the lens is found to be that, with the room's sound; mails are told apart by when they came."""

from __future__ import annotations

import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import av
import numpy as np

from agent.media.camera_probe import Watched
from agent.media.picture_look import look, small
from agent.media.pixels import planes
from agent.media.usual_view import view
from agent.probes.camera_verdict import judge
from tests.demo.covered import COVERED, Lens, Post, write_cover
from tests.system.stack import footage


def test_the_film_before_the_lens_is_a_covered_camera_with_the_rooms_sound(tmp_path: Path) -> None:
    with av.open(str(write_cover(footage(), tmp_path / "hand.mp4"))) as film, av.open(str(footage())) as room:
        first, second = (
            planes(frame)[0].copy() for frame, _ in zip(film.decode(video=0), "12", strict=False)
        )
        sound, before = film.streams.audio[0], room.streams.audio[0]
        assert (sound.codec_context.sample_rate, sound.layout) == (
            before.codec_context.sample_rate,
            before.layout,
        )
        grid = small(first)
        differ = not np.array_equal(first[::4, ::4], second[::4, ::4])
        seen = Watched(30.0, stands_still=not differ, look=look(first, grid), moved=0.0, view=view(grid))
    assert differ  # a camera that is covered still has noise; without it, it would be one that hangs
    assert judge(seen, 30, None, at_night=False).instruction == COVERED


def test_a_mail_is_known_by_its_words_and_by_when_it_came() -> None:
    post = Post()
    early = time.monotonic()
    post.append(_mail("Hälsorum 1: Kameran är täckt – nästa besök 14.00"))
    late = time.monotonic()
    post.append(_mail("Hälsorum 1 är klart igen"))
    assert post.about("Kameran är täckt", early) == post.came_at[0]
    assert post.about("klart igen", late) == post.came_at[1]
    assert post.about("Kameran är täckt", post.came_at[1]) is None
    assert post.about("Mikrofonen", early) is None


def test_mails_come_in_by_the_settings_that_the_region_is_given(tmp_path: Path) -> None:
    lens = Lens(tmp_path / "room.mp4", footage())
    with lens.with_mail() as settings:
        server = smtplib.SMTP(
            settings["HALSORUM_SMTP__HOST"], int(settings["HALSORUM_SMTP__PORT"]), timeout=5
        )
        with server:
            mail = _mail("Hälsorum 1 är klart igen")
            mail["From"], mail["To"] = settings["HALSORUM_SMTP__SENDER"], "reception@example.org"
            server.send_message(mail)
    assert lens.post.about("klart igen", 0.0) is not None
    assert len(lens.post) == len(lens.post.came_at) == 1


def _mail(subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = subject
    mail.set_content("Öppna kamerans lucka.")
    return mail
