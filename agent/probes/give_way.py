"""Work that a self-test breaks off when somebody needs the room."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from agent.selftest import LOOK_S, Context

Result = TypeVar("Result")
CLEAN_UP_S = 0.2
"""What takes longer, as taking leave of a server that is silent, goes on by itself: nobody is to wait for it."""


async def unless_stopped(context: Context, work: Coroutine[object, object, Result]) -> Result | None:
    """What the work gives; None when the test was stopped before, and the work with it."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done() and not context.stopped.is_set():
            await asyncio.wait([task], timeout=LOOK_S)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CLEAN_UP_S)
    return None if not task.done() or task.cancelled() else task.result()
