"""The agent: one process, wired here and nowhere else.

What runs where, and what it may touch:

| thread | runs | touches |
|---|---|---|
| main | the event loop: unit, wire, touches, call control, RTP | everything of the unit |
| link | paho: the broker's connection | nothing; hands topic and bytes to the loop |
| web-* (waitress) | the touchscreen's requests and feeds | the controller's queues, which ask the loop |
| camera, microphone, encoder-* | one device or codec each | their mailboxes; results go to the loop |
| panel, the pin library's | buttons that settle, blinking lamps | the panel; a press goes to the loop |
| self-test workers | one probe at a time | a device that nobody else has open then |

Start is in the order of `run`, stop in exact reverse.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.alive import runtime_folder, take_kept
from agent.broker_link import BrokerLink, first_link
from agent.clock_state import kept_floor
from agent.config import Settings, SettingsError, first_configuration, load_settings, overlay
from agent.config_joined import join_configuration
from agent.config_kept import kept_ledger
from agent.configuring import Ledger
from agent.contract import encode
from agent.faults import kind_and_place
from agent.heap import use_one_arena
from agent.identity import Identity
from agent.identity_joined import join_identity
from agent.identity_way import WayIn, identity_way, with_identity_files
from agent.journal import start_logging
from agent.link import Link, Will
from agent.link_tls import KnownTime
from agent.outbox import Outbox
from agent.panel_joined import JoinedPanel
from agent.reception import Reception
from agent.region_clock import RegionClock
from agent.restarting import Restart, begin_anew
from agent.stopping import MEDIA_WITHIN_S, give_time, stop_on_thread
from agent.storage import open_or_do_without
from agent.store import Store
from agent.store_of_unit import open_store
from agent.unit import Unit
from agent.upkeep import Upkeep
from agent.way_kept import WayKept
from agent.wipe_mode import is_out_of_service
from agent.wiping import read_mark
from agent.wire import Wire, last_will
from firmware.board import Board, BoardError, load_board

log = logging.getLogger("agent")

TICK_S = 1.0
NICE = -10
"""As in systemd/halsorum-agent.service. On two cores that browsers' painting filled, pictures went from 19
a second to 22 to 27, and their latency from 161 to 227 ms down to 113 to 156, for about the same use."""


def main() -> int:
    """Start the agent; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m agent", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("/etc/halsorum/unit.toml"), help="settings file")
    arguments = parser.parse_args()
    start_logging()
    for chatty in ("aioice", "aiortc", "waitress"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = with_identity_files(load_settings(arguments.config))
        board = load_board(settings.board)
        if read_mark(settings.state_dir) is not None or is_out_of_service(settings):
            if asyncio.run(out_of_service(settings, board)):
                begin_anew()
            return 0
        way = identity_way(settings)
    except (SettingsError, BoardError, OSError, ValueError) as error:
        sys.stderr.write(f"The agent cannot start: {error}\n")
        return 2
    use_one_arena()
    go_before_the_screen()
    try:
        if isinstance(way, WayIn):
            is_to_begin_anew = asyncio.run(way_in(settings, board, way))
        else:
            is_to_begin_anew = asyncio.run(run(settings, board, way))
    except OSError as error:
        sys.stderr.write(f"The agent cannot start: {error}\n")
        return 1
    if is_to_begin_anew:
        begin_anew()
    return 0


async def way_in(settings: Settings, board: Board, way: WayIn) -> bool:
    """Without an identity: show who we are until the region has given us one. True: begin anew with it."""
    from agent.enrolment_mode import enrol  # late: needed once in a unit's life

    return await enrol(settings, board, way, stop_by_signal())


async def out_of_service(settings: Settings, board: Board) -> bool:
    """Go on with a wipe, or say that this unit was wiped; True when there is another start to come."""
    from agent.wipe_mode import show_out_of_service, wipe

    stop = stop_by_signal()
    if read_mark(settings.state_dir) is not None:
        return await wipe(settings, board, stop)
    await show_out_of_service(settings, board, stop)
    return False


def stop_by_signal() -> asyncio.Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def run(settings: Settings, board: Board, identity: Identity) -> bool:
    """Start everything, run until a signal comes, stop everything in reverse order; True to begin anew then."""
    from agent.running import Running  # late: the media modules take most of the start
    from agent.storage_joined import join_storage

    loop, stop = asyncio.get_running_loop(), stop_by_signal()
    restart = Restart(stop.set)
    async with AsyncExitStack() as stack:
        way = WayKept(settings.identity_dir, identity.unit)
        opened = open_or_do_without(
            settings.state_dir / "unit.db", lambda path: open_store(path, identity.unit, way)
        )
        store, boot = opened.store, opened.boot
        stack.callback(store.close)
        ledger = kept_ledger(store)
        unit = make_unit(settings, identity, store, ledger)
        panel = JoinedPanel(board.pins, unit, partial(_on_loop, loop))
        stack.callback(panel.panel.close)
        running = Running(settings, board, identity, unit, boot=boot, gate=panel.panel)
        panel.join(running)
        stack.push_async_callback(lambda: give_time("camera", running.stop_media(), MEDIA_WITHIN_S))
        storage = join_storage(opened, settings.state_dir, unit, running, restart)
        unit.resume(boot, stalled=take_kept(runtime_folder(settings.state_dir)), storage=storage.now.state)
        web = running.serve()
        stack.push_async_callback(stop_on_thread, "screen", web.stop)
        upkeep = Upkeep(
            settings, board, identity, unit, running.wire, boot=boot, restart=restart.ask, storage=storage
        )
        upkeep.first_every_second(storage.tick)
        stack.push_async_callback(upkeep.stop)
        running.clock_report, running.known_commands = upkeep.clock_report, upkeep.known_commands
        upkeep.screen_alive = lambda: running.screen_alive.is_alive
        link = make_link(
            settings, identity, running.wire, unit, boot=boot, known_time=upkeep.clock_state.known
        )
        running.wire.link = link
        configuration = join_configuration(
            settings=settings,
            board=board,
            unit=unit,
            ledger=ledger,
            running=running,
            panel=panel.panel,
            link=link,
        )
        upkeep.first_every_second(configuration.tick)
        upkeep.first_every_second(panel.panel.tick)
        certificates = join_identity(
            settings=settings,
            board=board,
            identity=identity,
            unit=unit,
            boot=boot,
            running=running,
            link=link,
            clock_state=upkeep.clock_state,
            restart=restart.ask,
        )
        if certificates is not None:
            upkeep.renewal = certificates.renewal
            upkeep.first_every_second(certificates.tick)
            stack.push_async_callback(certificates.stop)
        link.start()
        stack.push_async_callback(stop_on_thread, "link", link.stop)
        stack.callback(running.wire.stopping)
        stack.callback(running.watch_network().close)
        alive = running.watched(web)
        stack.callback(alive.stop)
        ticking = loop.create_task(
            tick(
                unit,
                running.wire,
                running.reception,
                upkeep,
                (running.watched_call.tick, running.telemetry.tick),
                alive.beat,
            )
        )
        stack.callback(ticking.cancel)
        alive.start()
        await running.look_around()
        running.notify("READY=1")
        log.info("ready: unit %s, board %s, screen on port %d", identity.unit, board.name, settings.web_port)
        await stop.wait()
        running.notify("RELOADING=1" if restart.is_asked else "STOPPING=1")
    return restart.is_asked


def go_before_the_screen() -> None:
    """Take the processor before the kiosk's browser does: a picture that waits to be encoded is seen late.

    Where this user may not, nothing happens: then it is for systemd's Nice= to do.
    """
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


def make_unit(settings: Settings, identity: Identity, store: Store, ledger: Ledger) -> Unit:
    """The unit with what the store remembers."""
    clock = RegionClock(kept_floor(store))
    outbox = Outbox(store, identity.sign, clock.now())
    configuration = overlay(first_configuration(settings), ledger.values, ledger.rev)
    return Unit(store=store, clock=clock, outbox=outbox, configuration=configuration)


def make_link(
    settings: Settings,
    identity: Identity,
    wire: Wire,
    unit: Unit,
    *,
    boot: int,
    known_time: Callable[[], KnownTime],
) -> BrokerLink:
    """The link, whose thread hands everything to the event loop; to the broker of the settings file."""
    loop = asyncio.get_running_loop()
    topic, payload = last_will(identity.unit, boot, lambda body: encode(body, now=unit.clock.now()))
    first = replace(first_link(settings, identity.unit), leave_when_denied=True)
    return BrokerLink(
        first,
        lambda link_settings: Link(
            link_settings,
            on_message=lambda text, body: _on_loop(loop, lambda: wire.message(text, body)),
            on_connection=lambda up: _on_loop(loop, lambda: wire.connection(up)),
            will=Will(topic, payload),
            known_time=known_time,
        ),
    )


def _on_loop(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(guarded, work)


def guarded(work: Callable[[], None], otherwise: str = "a message was not handled") -> None:
    """One bad message must end nothing; asyncio would log the error's text, which may repeat the payload."""
    try:
        work()
    except Exception as error:
        log.error("%s: %s", otherwise, kind_and_place(error))  # noqa: TRY400


def passed(work: Callable[[], None]) -> bool:
    """Do it; False if it failed in a way that a new start might mend. The error's text is not logged."""
    try:
        work()
    except Exception as error:
        log.error("a tick failed: %s", kind_and_place(error))  # noqa: TRY400
        return isinstance(error, (OSError, sqlite3.Error))
    return True


async def tick(  # noqa: PLR0917 - the parts, in their order
    unit: Unit,
    wire: Wire,
    reception: Reception,
    upkeep: Upkeep,
    about_call: Iterable[Callable[[], None]],
    beat: Callable[[bool], None],
) -> None:
    """Once a second: time passes for the machines, old messages and new figures go out, the watchdog hears."""
    while True:
        await asyncio.sleep(TICK_S)
        # Each by itself: on a full disk one may fail for as long as it is full, and the others must not.
        went_well = [passed(part.tick) for part in (unit, wire, reception, upkeep)]
        beat(all(went_well))
        for look in about_call:
            guarded(look, "the call was not looked at, or its figures were not taken")


if __name__ == "__main__":
    sys.exit(main())
