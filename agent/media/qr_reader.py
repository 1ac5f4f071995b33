"""Looks for QR codes in the camera's pictures, a few times a second, with the help of a process of its own.

The camera's thread leaves its newest picture here; the event loop hands it to the process (agent.media.qr_process)
and takes back what was read. Each picture is gone with the next one, and none is kept at the end.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from agent.media.device import RawPicture
from agent.media.pixels import planes

log = logging.getLogger(__name__)

INTERVAL_S = 0.2
"""Five looks a second: whoever holds up a telephone holds it still for longer than that."""
FIRST_WITHIN_S = 15.0
"""Starting Python and OpenCV takes a small board some seconds."""
ANSWER_WITHIN_S = 5.0
STARTS_MAX = 3
COMMAND = (sys.executable, "-m", "agent.media.qr_process")
_WIDEST = 1920
_ANSWER_BYTES_MAX = 1 << 16


class QrReader:
    """Reads until it is stopped. `on_text` is called on the event loop for every code in every picture."""

    def __init__(self, on_text: Callable[[str], None], command: Sequence[str] = COMMAND) -> None:
        self._on_text = on_text
        self._command = tuple(command)
        self._newest: RawPicture | None = None
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._looks = 0

    def offer(self, picture: RawPicture) -> None:
        """The camera's newest picture; on any thread, never waits."""
        self._newest = picture

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="qr reader")

    async def stop(self) -> None:
        """End the process, and forget the last picture."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._newest = None

    async def _run(self) -> None:
        for _ in range(STARTS_MAX):
            try:
                await self._look_until_it_fails()
            except (OSError, TimeoutError, ValueError) as error:
                # Neither its text nor a picture's: only of which kind it was.
                log.warning("the reader of QR codes failed (%s); it is started again", type(error).__name__)
            finally:
                await self._end_process()
        log.error("QR codes cannot be read now; check in by code or by staff")

    async def _look_until_it_fails(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_ANSWER_BYTES_MAX
        )
        within_s = FIRST_WITHIN_S
        while True:
            await asyncio.sleep(INTERVAL_S)
            picture, self._newest = self._newest, None
            if picture is None:
                continue
            async with asyncio.timeout(within_s):
                texts = await self._ask(self._process, picture)
            within_s = ANSWER_WITHIN_S
            for text in texts:
                self._on_text(text)

    async def _ask(self, process: Process, picture: RawPicture) -> list[str]:
        assert process.stdin is not None
        assert process.stdout is not None
        luma = planes(picture.frame)[0]
        step = -(-luma.shape[1] // _WIDEST)
        luma = np.ascontiguousarray(luma[::step, ::step])
        # Small codes need the full size, all others are found sooner without: turn by turn.
        self._looks += 1
        height, width = luma.shape
        process.stdin.write(_header(width, height, in_full=self._looks % 2 == 0) + luma.tobytes())
        await process.stdin.drain()
        answer = await process.stdout.readline()
        if not answer:
            raise OSError("it has ended")
        texts = json.loads(answer)
        return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _header(width: int, height: int, *, in_full: bool) -> bytes:
    """As agent.media.qr_process reads it, which is not imported here: it brings OpenCV along."""
    return width.to_bytes(2, "big") + height.to_bytes(2, "big") + bytes([in_full])
