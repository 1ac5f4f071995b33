"""The agent while the unit has no identity to work under: one page on the touchscreen, and a knock at the region.

Loads none of the media modules. Wiring.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import AsyncExitStack

from agent import VERSION
from agent.alive import Alive, any_of, runtime_folder
from agent.alive_screen import PagesAnswer, feeds_move
from agent.browser_secret import browser_secret
from agent.clock_state import ClockState, kept_floor
from agent.config import Settings
from agent.controller import MAX_SCREENS, Controller
from agent.enrolling import Applicant, Enroller
from agent.enrolment_links import links_on_loop
from agent.enrolment_view import enrol_screen
from agent.faults import kind_and_place
from agent.identity_way import WayIn
from agent.region_clock import RegionClock
from agent.screen import NoSuchMedia, Outcome, Screen, Touch, WhepAnswer
from agent.screen_alive import ScreenAlive
from agent.speech import Espeak
from agent.stopping import stop_on_thread
from agent.store import Store
from firmware.board import Board
from systemd import daemon
from web.room import RoomWebSettings, create_app, serve

log = logging.getLogger("agent")

TICK_S = 1.0
WEB_THREADS = 12


async def enrol(settings: Settings, board: Board, way: WayIn, stop: asyncio.Event) -> bool:
    """Run until the unit is in (True), or until `stop`."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        store = Store(settings.state_dir / "unit.db")
        stack.callback(store.close)
        boot = int(store.get("boot") or b"0") + 1
        store.put("boot", str(boot).encode())
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
        app = create_app(controller, _pages(settings, board), voice, ScreenAlive(settings.run_folder).painted)
        web = serve(app, "127.0.0.1", settings.web_port, WEB_THREADS)
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        enroller.start()
        stack.push_async_callback(enroller.stop)
        pages = PagesAnswer(web.port, time.monotonic())
        feeds = feeds_move(controller.oldest_asked_at)
        alive = Alive(daemon.notify, kept=runtime_folder(settings.state_dir), screen=any_of((feeds, pages)))
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


async def _first_of(*events: asyncio.Event) -> None:
    """Until one of them is set, or for a tick."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _pages(settings: Settings, board: Board) -> RoomWebSettings:
    size = board.screen
    return RoomWebSettings(
        port=settings.web_port,
        browser_secret=browser_secret(settings.run_folder),
        screen_width_mm=size.width_mm,
        screen_height_mm=size.height_mm,
        screen_width_px=size.width_px,
        screen_height_px=size.height_px,
        max_streams=MAX_SCREENS,
    )


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
