"""The real agent of which one part comes to stand still: `python -m tests.system.stalling_agent PART --config …`.

Part `loop`: a turn of the event loop never ends; `media`: the camera's driver does not come back; `screen`: each
request to the pages holds its thread; `none`: nothing. It begins when the watchdog begins to look.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time

from agent import __main__ as agent
from agent.alive import Alive
from agent.media.camera import CameraSettings, SceneCamera
from agent.media.camera_probe import watch
from web.room import guard

BEGINS_AFTER_S = 1.0
STALLED = threading.Event()
"""Set once it is to begin."""


def hang() -> None:
    """For longer than any watchdog waits."""
    if STALLED.is_set():
        time.sleep(600)


def install(part: str) -> None:
    """Put the fault where it is to be."""
    start, read, refusal = Alive.start, SceneCamera.read, guard.refusal

    def starting(self: Alive) -> None:
        start(self)
        loop = asyncio.get_running_loop()
        loop.call_later(BEGINS_AFTER_S, STALLED.set)
        if part == "loop":
            loop.call_later(BEGINS_AFTER_S + 0.1, hang)
        if part == "media":
            loop.call_later(BEGINS_AFTER_S + 0.1, loop.run_in_executor, None, watch, CameraSettings())

    def reading(self: SceneCamera):
        hang()
        return read(self)

    def refusing(*arguments):
        hang()
        return refusal(*arguments)

    Alive.start = starting
    if part == "media":
        SceneCamera.read = reading
    if part == "screen":
        guard.refusal = refusing


if __name__ == "__main__":
    install(sys.argv.pop(1))
    sys.exit(agent.main())
