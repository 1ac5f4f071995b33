"""The machine's and the screen's probes joined to a running agent. Wiring only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from agent.contract.status import Clock, Storage
from agent.identity import Identity
from agent.probes.machine import Machine, MachineProbe
from agent.probes.screen import ScreenProbe
from agent.screen_alive import ScreenAlive
from agent.selftest import Probe
from agent.unit import Unit
from agent.wire import Wire
from firmware.board import ScreenProfile


class RunningParts(Protocol):
    """What is used of agent.running.Running; set after the probes are made, so asked at each run."""

    wire: Wire
    screen_alive: ScreenAlive
    clock_report: Callable[[], Clock | None]
    storage_report: Callable[[], Storage | None]


def machine_probes(
    running: RunningParts,
    unit: Unit,
    identity: Identity,
    *,
    screen: Callable[[], ScreenProfile],
    oldest_asked_at: Callable[[], float | None],
    sys: Path,
) -> list[Probe]:
    """Both, to be run side by side with others."""
    clock = unit.clock

    def machine() -> Machine:
        return Machine(
            identity.not_before,
            identity.not_after,
            region_time=lambda: clock.now() if clock.is_sure else None,
            is_up=lambda: running.wire.up,
            clock=running.clock_report,
            storage=running.storage_report,
            sys=sys,
        )

    return [MachineProbe(machine), ScreenProbe(screen, running.screen_alive, oldest_asked_at, sys)]
