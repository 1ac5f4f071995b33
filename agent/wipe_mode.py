"""The agent while its unit is taken out of service, in place of everything else it does (agent/wiping.py)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

from agent.broker_link import first_link, link_settings
from agent.config import Settings
from agent.contract import Topic, encode
from agent.contract.commands import CommandReport
from agent.contract.status import Status
from agent.contract.unit_config import Config
from agent.fault_points import from_environment
from agent.link import Link, LinkSettings, Will
from agent.link_tls import KnownTime
from agent.still_screen import StillScreen, halted_screen
from agent.still_serving import say_alive, serve_still
from agent.stopping import stop_on_thread
from agent.wiping import (
    BOOTSTRAP,
    Mark,
    Places,
    bury,
    erase_data,
    erase_keys,
    is_buried,
    read_mark,
    write_mark,
)
from firmware.board import Board

log = logging.getLogger(__name__)

TOLD_WITHIN_S = 3600.0
"""A unit that reaches nobody any more is not to keep its key for ever: it goes on without."""


def places_of(settings: Settings) -> Places:
    """Where this unit keeps what."""
    if settings.identity_dir is not None:
        return Places(settings.state_dir, (), settings.identity_dir)
    return Places(settings.state_dir, (settings.key_file, settings.certificate_file))


def is_out_of_service(settings: Settings) -> bool:
    """Whether it was wiped, and has got no identity since, nor one to ask for another with."""
    bootstrap = places_of(settings).identity / BOOTSTRAP
    return is_buried(settings.state_dir) and not settings.key_file.exists() and not bootstrap.exists()


async def show_out_of_service(settings: Settings, board: Board, stop: asyncio.Event) -> None:
    """Say so on the screen until the agent is stopped."""
    async with AsyncExitStack() as stack:
        web = serve_still(settings, board, StillScreen(lambda: halted_screen("wiped", datetime.now(UTC))))
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        stack.callback(say_alive(settings, web.port).cancel)
        log.info("this unit was taken out of service; it waits to be prepared anew")
        await stop.wait()


async def wipe(settings: Settings, board: Board, stop: asyncio.Event) -> bool:
    """Go on with the wipe that was begun, to its end; False if the agent was stopped before."""
    mark, places, reached = read_mark(settings.state_dir), places_of(settings), from_environment()
    assert mark is not None
    async with AsyncExitStack() as stack:
        screen = StillScreen(lambda: halted_screen("wiping", datetime.now(UTC)))
        web = serve_still(settings, board, screen)
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        stack.callback(say_alive(settings, web.port).cancel)
        if not mark.data_gone:
            mark = replace(
                mark, files=mark.files + await asyncio.to_thread(erase_data, places), data_gone=True
            )
            reached("wipe-data-gone", mark.command)
            write_mark(settings.state_dir, mark)
        reached("wipe-data-noted", mark.command)
        if settings.key_file.exists() and not await _told(settings, mark, stop):
            return False
        reached("wipe-told", mark.command)
        await asyncio.to_thread(erase_keys, places, keep_bootstrap=mark.keep_bootstrap)
        reached("wipe-keys-gone", mark.command)
        bury(settings.state_dir, mark)
        log.info("this unit is wiped")
    return True


async def _told(settings: Settings, mark: Mark, stop: asyncio.Event) -> bool:
    """Tell the region, with the key that is about to go; True when it has heard, or too much time has passed."""
    loop, heard = asyncio.get_running_loop(), asyncio.Event()

    def on_heard() -> None:
        loop.call_soon_threadsafe(heard.set)

    teller = _Teller(settings, mark, on_heard)
    teller.link.start()
    try:
        waits = [asyncio.ensure_future(each.wait()) for each in (heard, stop)]
        await asyncio.wait(waits, timeout=TOLD_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
    finally:
        await stop_on_thread("link", teller.link.stop)
    return heard.is_set() or not stop.is_set()


def way_of(settings: Settings, mark: Mark) -> LinkSettings:
    """To the broker where the region had the unit go: the settings file may name one that is long gone."""
    first = first_link(settings, mark.unit)
    return link_settings(first, Config.model_validate_json(mark.config or "{}"))


class _Teller:
    """Says `succeeded` on every connect, until the region empties the command's topic. On the link's threads."""

    def __init__(self, settings: Settings, mark: Mark, heard: Callable[[], None]) -> None:
        self._mark = mark
        self._heard = heard
        will = Will(Topic(mark.unit, "up/status"), self._status("lost"))
        self.link = Link(
            way_of(settings, mark),
            on_message=self._message,
            on_connection=self._connection,
            will=will,
            known_time=lambda: KnownTime(datetime.fromisoformat(mark.at)),
        )

    def _message(self, topic: str, payload: bytes) -> None:
        if not payload and topic == str(Topic(self._mark.unit, "dn/cmd", (self._mark.command,))):
            self._heard()

    def _connection(self, up: bool) -> None:
        if not up:
            return
        unit, mark = self._mark.unit, self._mark
        told = {
            "data": "gone",
            "files": str(mark.files),
            "bootstrap": "kept" if mark.keep_bootstrap else "goes",
        }
        report = CommandReport(state="succeeded", result=told)
        self.link.publish(Topic(unit, "up/status"), self._status("stopping"))
        self.link.publish(Topic(unit, "up/cmd", (mark.command,)), encode(report, now=self._now()))

    def _status(self, state: str) -> bytes:
        status = Status.model_validate({"state": state, "boot": self._mark.boot})
        return encode(status, now=self._now())

    def _now(self) -> datetime:
        return max(datetime.now(UTC), datetime.fromisoformat(self._mark.at))
