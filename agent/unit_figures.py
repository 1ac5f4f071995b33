"""The unit's own figures, once a minute to `up/event/telemetry`: of the machine and the agent, of no person."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.contract.telemetry import Telemetry
from agent.faults import kind_and_place
from agent.link_figures import LinkFigures
from agent.machine import MIB, PROC, SYS, MachineTotals, read_totals, throttled, throttled_files
from agent.unit import Unit

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
FIRST_AFTER_S = 10.0
"""After the start, which is busier than anything that follows."""


@dataclass(slots=True)
class Sources:
    """Where the figures come from; what is not given is left out. proc, sys: Linux' own, or a test's."""

    state_dir: Path
    link: Callable[[], LinkFigures | None] = lambda: None
    synchronised: Callable[[], bool | None] = lambda: None
    screens: Callable[[], int] = lambda: 0
    wall_s: Callable[[], float] = time.time
    read_machine: Callable[[Path, Path], MachineTotals] = read_totals
    proc: Path = PROC
    sys: Path = SYS


class UnitFigures:
    """Ticked once a second on the event loop; reading takes about a millisecond. `send`: False without a line.

    A minute that cannot be sent is dropped: the next one says as much.
    """

    def __init__(self, unit: Unit, sources: Sources, send: Callable[[Telemetry], bool]) -> None:
        self._unit = unit
        self._sources = sources
        self._send = send
        self._began_s = unit.clock.monotonic_s()
        self._next_s = self._began_s + FIRST_AFTER_S
        self._last: tuple[float, MachineTotals] | None = None

    def tick(self) -> None:
        """Send if it is time. What goes wrong is logged and stops nothing else."""
        now_s = self._unit.clock.monotonic_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + INTERVAL_S
        try:
            self._send(self.take())
        except Exception as error:
            log.error("the unit's figures were not taken: %s", kind_and_place(error))  # noqa: TRY400

    def take(self) -> Telemetry:
        """The figures of this minute."""
        unit, sources = self._unit, self._sources
        now = unit.clock.now()
        values: dict[str, Any] = {
            "at": now,
            "uptime_s": unit.clock.monotonic_s() - self._began_s,
            "machine_uptime_s": _uptime_s(sources.proc),
            "clock_synchronised": sources.synchronised(),
            "clock_offset_s": round(sources.wall_s() - now.timestamp(), 3) if unit.clock.is_learnt else None,
            "events_waiting": len(unit.outbox.pending()),
            "screens": sources.screens(),
            "sessions": len(unit.snapshot.sessions),
        }
        link = sources.link()
        if link is not None:
            values |= {"broker_connects": link.connects, "broker_rtt_ms": link.rtt_ms}
        for more in (self._processor, lambda: _memory(sources.proc), lambda: _disk(sources.state_dir)):
            with suppress(OSError, ValueError, KeyError, IndexError):  # this machine does not tell
                values |= more()
        return Telemetry(**(values | throttled(throttled_files(sources.sys))))

    def _processor(self) -> Mapping[str, Any]:
        now_s, sources = self._unit.clock.monotonic_s(), self._sources
        now = sources.read_machine(sources.proc, sources.sys)
        before, self._last = self._last, (now_s, now)
        found: dict[str, Any] = {"agent_memory_mib": now.memory_mib, "temperature_c": now.temperature_c}
        if before is not None and now_s > before[0] and now.total > before[1].total:
            found["agent_processor"] = max(0.0, (now.agent_s - before[1].agent_s) / (now_s - before[0]))
            share = (now.busy - before[1].busy) / (now.total - before[1].total)
            found["processor"] = min(1.0, max(0.0, share))
        return found


def _uptime_s(proc: Path) -> float | None:
    with suppress(OSError, ValueError, IndexError):
        return float((proc / "uptime").read_text().split()[0])
    return None


def _memory(proc: Path) -> Mapping[str, Any]:
    lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
    kib = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
    total, free = kib["MemTotal"] / 1024, kib["MemAvailable"] / 1024
    return {"memory_total_mib": total, "memory_used_mib": max(0.0, total - free)}


def _disk(folder: Path) -> Mapping[str, Any]:
    usage = shutil.disk_usage(folder)
    return {"disk_total_mib": usage.total / MIB, "disk_free_mib": usage.free / MIB}
