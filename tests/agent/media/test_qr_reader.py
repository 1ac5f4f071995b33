"""QR codes photographed as people hold them, through the process that reads them; and that process failing."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from agent.media import qr_reader
from agent.media.device import RawPicture
from agent.media.pixels import planes
from agent.media.qr_process import HEADER, TEXT_MAX, Reader, serve
from agent.media.qr_reader import QrReader
from tests.system.qr_film import Held, link, room_with

TOKEN = "0123456789abcdef" * 2
READER = Reader()


def read(text: str, held: Held, *, in_full: bool = False) -> list[str]:
    return READER.read(planes(room_with(text, held))[0], in_full=in_full)


@pytest.mark.parametrize(
    "held",
    [
        Held(),
        Held(turned=20, tilted=20),
        Held(turned=170),
        Held(tilted=40, side=340),
        Held(side=170),
        Held(side=620),
        Held(blur=2),
        Held(noise=20),
        Held(light=0.35, noise=6),
        Held(side=200, at=(0.1, 0.85), turned=-8),
    ],
    ids=lambda held: str(held)[5:-1],
)
def test_a_code_is_read_as_people_hold_it(held: Held) -> None:
    assert read(link(TOKEN), held) == [link(TOKEN)]


def test_a_small_code_is_read_in_full_size() -> None:
    small = Held(side=140)
    assert read(link(TOKEN), small) == []
    assert read(link(TOKEN), small, in_full=True) == [link(TOKEN)]


def test_an_empty_room_and_a_code_beyond_reading_give_nothing() -> None:
    assert READER.read(planes(room_with(None))[0], in_full=True) == []
    assert read(link(TOKEN), Held(side=40)) == []


def test_a_long_text_is_cut_where_it_is_too_long_to_be_ours() -> None:
    assert [len(text) for text in read("x" * 400, Held(side=600, blur=0), in_full=True)] == [TEXT_MAX + 1]


def test_the_process_answers_picture_by_picture_and_ends_with_them() -> None:
    luma = np.ascontiguousarray(planes(room_with(TOKEN))[0])
    one = HEADER.pack(1280, 720, False) + luma.tobytes()
    answers = io.BytesIO()
    serve(io.BytesIO(one + one + one[:100]), answers)
    assert answers.getvalue() == f'["{TOKEN}"]\n'.encode() * 2


def test_the_agent_itself_never_loads_opencv() -> None:
    modules = "agent.media.scan_camera, agent.scanning"
    program = f"import sys, {modules}; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


async def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit, "it never came about"
        await asyncio.sleep(0.01)


def picture(text: str | None = TOKEN) -> RawPicture:
    return RawPicture(room_with(text), time.monotonic())


def test_pictures_go_through_a_process_of_its_own_which_ends_with_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(qr_reader, "INTERVAL_S", 0.01)

    async def scenario() -> None:
        texts: list[str] = []
        reader = QrReader(texts.append)
        reader.start()
        reader.offer(picture())
        await until(lambda: texts == [TOKEN])
        process = reader._process
        assert process is not None
        await reader.stop()
        assert process.returncode is not None
        assert reader._newest is None
        reader.offer(picture())
        await reader.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("program", "kind", "within_s"),
    [
        ("import sys; sys.exit(1)", "OSError|BrokenPipeError|ConnectionResetError", 60),
        ("import sys; sys.stdin.buffer.read(9); print('no json', flush=True); sys.stdin.read()", "JSON", 60),
        ("import time; time.sleep(60)", "TimeoutError", 0.1),
    ],
)
def test_a_process_that_fails_is_started_again_and_then_given_up(
    program: str,
    kind: str,
    within_s: float,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(qr_reader, "INTERVAL_S", 0.001)
    monkeypatch.setattr(qr_reader, "FIRST_WITHIN_S", within_s)

    async def scenario() -> None:
        reader = QrReader(lambda _text: None, (sys.executable, "-c", program))
        reader.start()
        while "cannot be read now" not in caplog.text:
            reader.offer(picture())
            await asyncio.sleep(0.005)
        await reader.stop()

    asyncio.run(asyncio.wait_for(scenario(), 120))
    assert caplog.text.count("is started again") == qr_reader.STARTS_MAX
    assert any(name in caplog.text for name in kind.split("|"))
