"""Which way the room is heard: loudspeaker, headphones or hearing loop, chosen by the patient for one session.

The kiosk's browser plays to the echo canceller, and the canceller plays on to the output that is chosen.
The choice is a key of PipeWire's metadata (`pw-metadata`), which firmware/audio's halsorum-output.lua follows.
"""

from __future__ import annotations

import asyncio
import json
import logging
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from agent.contract.unit_config import SoundOutput

log = logging.getLogger(__name__)

KEY = "halsorum.output"
SET_WITHIN_S = 3.0
TRY_AGAIN_S = 10.0
"""PipeWire may start after the agent, or again."""

SetOutput = Callable[[str], Awaitable[bool]]


class SoundOutputs:
    """The room's outputs by their PipeWire nodes. Used on the event loop.

    set_output(node) sends the sound to one and says whether that went well; default() is the configured one.
    """

    def __init__(
        self, nodes: Mapping[SoundOutput, str], set_output: SetOutput, default: Callable[[], SoundOutput]
    ) -> None:
        self._nodes = dict(nodes)
        self._set_output = set_output
        self._default = default
        self._has_failed = False
        self._task: asyncio.Task[None] | None = None
        self.outputs: tuple[SoundOutput, ...] = tuple(self._nodes) or ("loudspeaker",)
        self.chosen = self.default

    @property
    def default(self) -> SoundOutput:
        """Which a session begins with: the configured one, if the room has it."""
        wanted = self._default()
        return wanted if wanted in self.outputs else self.outputs[0]

    def use(self, nodes: Mapping[SoundOutput, str]) -> None:
        """The room has these from now on; the configured one is chosen."""
        self._nodes = dict(nodes)
        self.outputs = tuple(self._nodes) or ("loudspeaker",)
        self.choose(self.default)

    def choose(self, output: SoundOutput) -> bool:
        """Play there from now on; False if the room has no such output."""
        if output not in self.outputs:
            return False
        self.chosen = output
        if self._task is not None:
            self._task.cancel()
        if output in self._nodes:
            self._task = asyncio.get_running_loop().create_task(
                self._set(self._nodes[output]), name="sound output"
            )
        return True

    def reset(self) -> None:
        """Back to the configured one; nothing happens where it is that already."""
        if self.chosen != self.default:
            self.choose(self.default)

    async def stop(self) -> None:
        """Leave it as it is."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _set(self, node: str) -> None:
        while not await self._set_output(node):
            if not self._has_failed:
                log.warning("the sound output %s cannot be chosen: PipeWire is not there, or has none", node)
            self._has_failed = True
            await asyncio.sleep(TRY_AGAIN_S)
        self._has_failed = False


async def set_output(node: str) -> bool:
    """Tell PipeWire; False if it is not there, or does not answer in time."""
    value = json.dumps({"name": node})
    try:
        process = await asyncio.create_subprocess_exec(
            "pw-metadata", "0", KEY, value, "Spa:String:JSON", stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
    except OSError:
        return False
    try:
        return await asyncio.wait_for(process.wait(), SET_WITHIN_S) == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class MockSinks:
    """Stands in for PipeWire on the sim board: keeps what was chosen."""

    def __init__(self) -> None:
        self.default = ""

    async def set_output(self, node: str) -> bool:
        """As set_output."""
        self.default = node
        log.info("sound output: %s", node)
        return True
