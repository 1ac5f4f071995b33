"""Which encoder works on this machine: asked of a process of its own, once, and kept.

A driver that crashes or hangs while it is tried takes that process along and not the agent, and the agent's
start does not wait for it. The answer holds until FFmpeg, the board's profile or the kernel is another.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.contract.status import EncoderReport
from agent.store import Store
from firmware.board import Board

log = logging.getLogger(__name__)

STORE_KEY = "survey"
SETTLE_S = 5.0  # the start, the first self-test and the screen come first
LOOK_S = 0.5
LIMIT_S = 60.0
RETRY_S = 600.0


class Survey(BaseModel):
    """What was found, and for which machine (a digest)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    machine: str = ""
    encoder: str | None = None
    encoders: tuple[EncoderReport, ...] = ()
    camera_costs_ms: dict[str, float] = Field(default_factory=dict)

    def order(self, names: Sequence[str]) -> tuple[str, ...]:
        """The encoders in order of use: those that failed here come last."""
        failed = {report.name for report in self.encoders if not report.ok}
        return tuple(sorted(names, key=lambda name: name in failed))


def machine_digest(board: Board, ffmpeg: str) -> str:
    """What the answer depends on."""
    parts = (board.model_dump_json(), ffmpeg, os.uname().release, os.uname().machine)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Surveyor:
    """Asks once, when nobody is in the room. Used on the event loop."""

    def __init__(
        self,
        store: Store,
        machine: str,
        command: Sequence[str],
        *,
        is_free: Callable[[], bool],
        on_found: Callable[[Survey], None],
    ) -> None:
        self._store, self._machine, self._command = store, machine, tuple(command)
        self._is_free = is_free
        self._on_found = on_found
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Give what is kept, or find out in the background."""
        kept = _read(self._store.get(STORE_KEY))
        if kept is not None and kept.machine == self._machine:
            self._on_found(kept)
        else:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="encoder survey")

    async def stop(self) -> None:
        """End the question and its process."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await self._until_free()
            found = _read(await self._ask())
            if found is not None:
                found = found.model_copy(update={"machine": self._machine})
                self._store.put(STORE_KEY, found.model_dump_json().encode())
                log.info("encoder %s is used here", found.encoder)
                self._on_found(found)
                return
            if self._is_free():
                log.error(
                    "the encoders could not be tried; the board's order is used, trying again in 10 min"
                )
                await asyncio.sleep(RETRY_S)

    async def _until_free(self) -> None:
        quiet_s = 0.0
        while quiet_s < SETTLE_S:
            await asyncio.sleep(LOOK_S)
            quiet_s = quiet_s + LOOK_S if self._is_free() else 0.0

    async def _ask(self) -> bytes | None:
        """The process's answer; None if it failed, or had to give way to a visit."""
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        answer = asyncio.ensure_future(process.communicate())
        try:
            waited_s = 0.0
            while not answer.done() and self._is_free() and waited_s < LIMIT_S:
                await asyncio.wait([answer], timeout=LOOK_S)
                waited_s += LOOK_S
            return answer.result()[0] if answer.done() else None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await answer


def survey_command(board: str) -> tuple[str, ...]:
    """How this program is asked, as a process of its own."""
    return (sys.executable, "-m", "agent.cli", "encoders", "--board", board, "--json")


def _read(text: bytes | None) -> Survey | None:
    try:
        return Survey.model_validate_json(text) if text else None
    except ValidationError:
        return None
