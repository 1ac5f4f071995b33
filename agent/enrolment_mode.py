"""The agent while the unit has no identity to work under: one page on the touchscreen, and a knock at the region.

Loads none of the media modules. Wiring.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from agent import VERSION
from agent.alive import Alive, any_of, runtime_folder
from agent.alive_screen import PagesAnswer, feeds_move
from agent.clock_state import ClockState, kept_floor
from agent.config import Settings
from agent.controller import MAX_SCREENS, Controller
from agent.enrolling import Applicant, Enroller
from agent.enrolment_links import links_on_loop
from agent.enrolment_view import disk_fault_screen, enrol_screen
from agent.faults import kind_and_place
from agent.identity_way import WayIn
from agent.region_clock import RegionClock
from agent.screen import NoSuchMedia, Outcome, Screen, Touch, WhepAnswer
from agent.screen_alive import ScreenAlive
from agent.speech import Espeak
from agent.still_screen import StillScreen
from agent.still_serving import pages_of, say_alive, serve_still
from agent.stopping import stop_on_thread
from agent.storage import open_or_do_without
from agent.store import Store
from firmware.board import Board
from systemd import daemon
from web.room import create_app, serve

log = logging.getLogger("agent")

TICK_S = 1.0
WEB_THREADS = 12


async def enrol(settings: Settings, board: Board, way: WayIn, stop: asyncio.Event) -> bool:
    """Run until the unit is in (True), or until `stop`."""
    if way.disk_fault:
        await _show_disk_fault(settings, board, way.disk_fault, stop)
        return False
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        opened = open_or_do_without(settings.state_dir / "unit.db", Store)
        store, boot = opened.store, opened.boot
        stack.callback(store.close)
        clock = RegionClock(kept_floor(store))
        machine_clock = ClockState(clock, store)
        applicant = Applicant(VERSION, board.name, boot, way.why, way.was)
        changed = asyncio.Event()
        enroller = Enroller(
            way.identities,
            clock,
            applicant,
            links_on_loop(loop, machine_clock, store),
            on_change=changed.set,
        )
        voice = Espeak()

        def screen_now() -> Screen:
            return enrol_screen(enroller, settings, clock.now(), voice.languages)

        controller = Controller(loop, _Touches(enroller), _NoMedia(), screen_now())
        app = create_app(
            controller,
            pages_of(settings, board, max_streams=MAX_SCREENS),
            voice,
            ScreenAlive(settings.run_folder).painted,
        )
        web = serve(app, "127.0.0.1", settings.web_port, WEB_THREADS)
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        enroller.start()
        stack.push_async_callback(enroller.stop)
        answers = PagesAnswer(web.port, time.monotonic())
        feeds = feeds_move(controller.oldest_asked_at)
        alive = Alive(daemon.notify, kept=runtime_folder(settings.state_dir), screen=any_of((feeds, answers)))
        stack.callback(alive.stop)
        alive.start()
        daemon.notify("READY=1")
        log.info("enrolment: serial number %s, screen on port %d", enroller.serial, settings.web_port)
        while not stop.is_set() and not enroller.is_in:
            controller.show(screen_now())
            changed.clear()
            await _first_of(stop, changed)
            try:
                enroller.tick()
                machine_clock.tick()
            except Exception as error:
                log.error("a tick failed: %s", kind_and_place(error))  # noqa: TRY400
                alive.beat(isinstance(error, (OSError, sqlite3.Error)))
            else:
                alive.beat()
        controller.show(screen_now())
        return enroller.is_in


async def _show_disk_fault(settings: Settings, board: Board, fault: str, stop: asyncio.Event) -> None:
    """An identity that goes with the power would be worse than none: none is asked for, and the page says why."""
    log.error("no identity can be kept (%s); the unit asks for none", fault)
    page = StillScreen(lambda: disk_fault_screen(fault, settings, datetime.now(UTC)))
    async with AsyncExitStack() as stack:
        web = serve_still(settings, board, page)
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        stack.callback(say_alive(settings, web.port).cancel)
        await stop.wait()


async def _first_of(*events: asyncio.Event) -> None:
    """Until one of them is set, or for a tick."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


class _Touches:
    """The one thing to press."""

    def __init__(self, enroller: Enroller) -> None:
        self._enroller = enroller

    async def do(self, touch: Touch) -> Outcome:
        if touch.kind == "enrol_again":
            self._enroller.ask_again()
        elif touch.kind not in {"language", "staff_lock"}:
            return Outcome("bad_request")
        return Outcome()


class _NoMedia:
    """There is no picture before there is a room."""

    async def whep_offer(self, name: str, sdp: str) -> WhepAnswer:
        raise NoSuchMedia(name)

    async def whep_close(self, resource: str) -> None:
        """Nothing is open."""
