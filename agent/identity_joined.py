"""Renewal and the way back joined to a running agent. Wiring only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from agent import VERSION
from agent.about_unit import about
from agent.broker_link import BrokerLink
from agent.clock_state import ClockState
from agent.commands.busy import why_busy
from agent.config import Settings
from agent.contract.status import Info
from agent.identity import Identity
from agent.identity_store import IdentityStore
from agent.renewal import Renewal
from agent.room import FaultFound, TestAsked
from agent.screen import Outcome, Touch
from agent.touches import Touches
from agent.unit import Unit
from agent.verdict import Verdict
from agent.way_back import WayBack
from agent.wire import Wire
from firmware.board import Board

if TYPE_CHECKING:
    from agent.enrolling import Enroller


class RunningParts(Protocol):
    """What is used of agent.running.Running, which is imported late."""

    checks: list[Callable[[], Verdict | None]]
    about: Callable[[Info], Info]

    @property
    def wire(self) -> Wire: ...
    @property
    def touches(self) -> Touches: ...


class JoinedIdentity:
    """What keeps the unit's certificate in force."""

    def __init__(self, renewal: Renewal, way_back: WayBack) -> None:
        self.renewal = renewal
        self.way_back = way_back

    def tick(self) -> None:
        """Once a second."""
        self.renewal.tick()
        self.way_back.tick()

    async def stop(self) -> None:
        """End what still runs."""
        self.renewal.stop()
        await self.way_back.stop()


def join_identity(
    *,
    settings: Settings,
    board: Board,
    identity: Identity,
    unit: Unit,
    boot: int,
    running: RunningParts,
    link: BrokerLink,
    clock_state: ClockState,
    restart: Callable[[], None],
) -> JoinedIdentity | None:
    """To be ticked once a second; None for a unit whose certificate was made by hand."""
    if settings.identity_dir is None:
        running.about = partial(about, clock_state, None)
        return None
    store, loop = IdentityStore(settings.identity_dir), asyncio.get_running_loop()
    enrollers: list[Enroller] = []

    def changed() -> None:
        from agent.enrolment_view import enrol_view

        unit.enrol = enrol_view(enrollers[-1]) if way_back.is_open else None
        unit.changed()

    def make_enroller() -> Enroller:
        from agent.enrolling import Applicant, Enroller  # late: needed only by a unit that was away for long
        from agent.enrolment_links import links_on_loop

        applicant = Applicant(VERSION, board.name, boot, "expired", identity.unit)
        links = links_on_loop(loop, clock_state, unit.store)
        enroller = Enroller(store, unit.clock, applicant, links, on_change=changed)
        enrollers.append(enroller)
        return enroller

    async def ask_again(_touch: Touch) -> Outcome:
        for enroller in enrollers:
            enroller.ask_again()
        return Outcome()

    def region_time() -> datetime | None:
        return unit.clock.now() if unit.clock.is_learnt else None

    def busy() -> str:
        return why_busy(unit)

    monotonic_s = unit.clock.monotonic_s
    renewal = Renewal(
        store, identity, running.wire, link, busy=busy, now=region_time, monotonic_s=monotonic_s
    )
    way_back = WayBack(
        identity,
        link,
        make_enroller,
        known=clock_state.known,
        guess=unit.clock.now,
        busy=busy,
        monotonic_s=monotonic_s,
        fault_found=lambda fault: unit.room_event(FaultFound(fault)),
        recovered=lambda: unit.room_event(TestAsked("again")),
        on_change=changed,
        restart=restart,
    )
    running.checks.append(way_back.verdict)
    running.about = partial(about, clock_state, store)
    running.touches.add({"enrol_again": ask_again})
    return JoinedIdentity(renewal, way_back)
