"""Ending the agent's parts in time: none may hold up the event loop, nor the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Thread

from agent.faults import kind_and_place

log = logging.getLogger(__name__)

STOP_WITHIN_S = 2.0
"""For each part that stops on a thread: a broker that does not answer would hold the link for 8 s."""
MEDIA_WITHIN_S = 4.0
"""Camera, microphone and encoders; a driver that hangs is left to the end of the process. All limits together
are below TimeoutStopSec= of systemd/halsorum-agent.service, after which everything would be killed."""


async def stop_on_thread(name: str, stop: Callable[[], None], within_s: float = STOP_WITHIN_S) -> None:
    """Run a blocking stop beside the loop, which goes on: web threads that end may be asking it something.

    A part that takes longer is left behind on its daemon thread and ends with the process.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def work() -> None:
        try:
            stop()
        except Exception as error:
            log.error("the %s did not stop in order: %s", name, kind_and_place(error))  # noqa: TRY400
        with suppress(RuntimeError):  # the loop ended meanwhile, since this took too long
            loop.call_soon_threadsafe(stopped.set)

    # Not the loop's own pool: asyncio.run would wait for its threads however long they take.
    Thread(target=work, name=f"stop-{name}", daemon=True).start()
    await give_time(name, stopped.wait(), within_s)


async def give_time(name: str, stopping: Awaitable[object], within_s: float) -> None:
    """Wait for a part that is stopping, but not for ever; what it has not done then is told in the log."""
    try:
        await asyncio.wait_for(stopping, within_s)
    except TimeoutError:
        log.warning("the %s has not stopped within %g s; it ends with the process", name, within_s)
