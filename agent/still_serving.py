"""Serves a page that takes no touch, for as long as there is no other, and lives by it before systemd."""

from __future__ import annotations

import asyncio
import time

from agent.alive import Alive, runtime_folder
from agent.alive_screen import PagesAnswer
from agent.browser_secret import browser_secret
from agent.config import Settings
from agent.screen_alive import ScreenAlive
from agent.still_screen import StillScreen
from firmware.board import Board
from systemd import daemon
from web.room import RoomWebSettings, Server, create_app, serve

WEB_THREADS = 12
BEAT_S = 1.0


def pages_of(settings: Settings, board: Board, *, max_streams: int) -> RoomWebSettings:
    """How the touchscreen's pages are laid out and guarded on this board, with this start's secret."""
    size = board.screen
    return RoomWebSettings(
        port=settings.web_port,
        browser_secret=browser_secret(settings.run_folder),
        screen_width_mm=size.width_mm,
        screen_height_mm=size.height_mm,
        screen_width_px=size.width_px,
        screen_height_px=size.height_px,
        max_streams=max_streams,
    )


def serve_still(settings: Settings, board: Board, screen: StillScreen) -> Server:
    """The touchscreen, which shows that one page."""
    pages = pages_of(settings, board, max_streams=WEB_THREADS - 4)
    app = create_app(screen, pages, _Silent(), ScreenAlive(settings.run_folder).painted)
    return serve(app, "127.0.0.1", settings.web_port, WEB_THREADS)


def say_alive(settings: Settings, port: int) -> asyncio.Future[None]:
    """Tell systemd that all is well as long as it is, until this is cancelled: otherwise it would end us within a
    minute, and each start waits for the region anew."""
    pages = PagesAnswer(port, time.monotonic())
    alive = Alive(daemon.notify, kept=runtime_folder(settings.state_dir), screen=pages)

    async def beat() -> None:
        try:
            while True:
                alive.beat()
                await asyncio.sleep(BEAT_S)
        finally:
            alive.stop()

    daemon.notify("READY=1")
    alive.start()
    return asyncio.ensure_future(beat())


class _Silent:
    """A Voice: this page is read, not heard."""

    languages: tuple[str, ...] = ()

    def say(self, _language: str, _text: str) -> bytes:
        """Nobody asks."""
        return b""
