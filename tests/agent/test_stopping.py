"""Parts that stop, that hang and that fail: the loop goes on, the next part gets its turn."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from agent.stopping import give_time, stop_on_thread


def test_the_loop_answers_while_a_part_stops() -> None:
    """A web thread that ends may wait for an answer of the loop's."""

    async def scenario() -> str:
        loop = asyncio.get_running_loop()
        answers: list[str] = []

        async def answer() -> str:
            return "answered"

        def stop() -> None:
            answers.append(asyncio.run_coroutine_threadsafe(answer(), loop).result(timeout=10))

        await stop_on_thread("screen", stop, within_s=20)
        return answers[0]

    assert asyncio.run(scenario()) == "answered"


def test_a_part_that_hangs_is_left_behind_and_named(caplog: pytest.LogCaptureFixture) -> None:
    hung, left = threading.Event(), threading.Event()

    def stop() -> None:
        hung.wait(20)
        left.set()

    asyncio.run(stop_on_thread("link", stop, within_s=0.01))
    assert "the link has not stopped within 0.01 s" in caplog.text
    assert not left.is_set()
    hung.set()
    assert left.wait(20)


def test_a_part_that_fails_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def stop() -> None:
        raise ValueError("kanarie")

    asyncio.run(stop_on_thread("link", stop, within_s=20))
    assert "the link did not stop in order: ValueError at stopping.py" in caplog.text
    assert "kanarie" not in caplog.text


def test_work_of_the_loop_that_takes_too_long_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    broken_off: list[bool] = []

    async def closing() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            broken_off.append(True)
            raise

    asyncio.run(give_time("camera", closing(), 0.01))
    assert broken_off == [True]
    assert "the camera has not stopped" in caplog.text
