"""Links of a unit on its way in, whose threads hand everything to the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from agent.broker_link import on_the_way
from agent.clock_state import ClockState
from agent.config_kept import kept_values
from agent.enrolling import MakeLink
from agent.faults import kind_and_place
from agent.link import Link, LinkSettings, Will
from agent.store import Store

log = logging.getLogger(__name__)


def links_on_loop(loop: asyncio.AbstractEventLoop, time: ClockState, store: Store) -> MakeLink:
    """Makes links whose threads hand everything to the event loop.

    They go through the proxy, and trust the authorities, that the region has set: a unit that has lost its
    identity would find no way back otherwise.
    """

    def on_loop(work: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_guarded, work)

    def make(
        settings: LinkSettings,
        *,
        on_message: Callable[[str, bytes], None],
        on_connection: Callable[[bool], None],
        will: Will | None,
    ) -> Link:
        return Link(
            on_the_way(settings, kept_values(store)),
            on_message=lambda topic, body: on_loop(lambda: on_message(topic, body)),
            on_connection=lambda up: on_loop(lambda: on_connection(up)),
            will=will,
            known_time=time.known,
        )

    return make


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        log.error("a message was not handled: %s", kind_and_place(error))  # noqa: TRY400
