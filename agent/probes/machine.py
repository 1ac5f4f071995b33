"""The machine itself: clock, certificate, disk, heat, voltage, update, by files and by what the agent knows.

A full or broken disk is told at once, and as long as it lasts, by agent/storage.py's note; here only its figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from agent.contract.status import Clock, Storage
from agent.machine import MIB, SYS
from agent.machine_heat import Heat, read_heat
from agent.selftest import Context
from agent.storage import WELL
from agent.update.told import RUN, Told
from agent.verdict import Verdict, found, well

CLOCK_OFF_S = 60.0
"""The region's time has come over a line of some seconds at most; what is further off is the clock's own fault.
Sessions go by the region's time either way; logs, and other programs, do not."""
SOON = timedelta(days=14)
SOON_SHARE = 1 / 6
"""Of a certificate's life that is left. Renewal begins with a third left, and tries often (agent/renewal.py)."""
UPDATE_WAITS = timedelta(hours=24)
"""A room is free at some time of each day, and the night."""
SLOWED_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the probe looks. not_before, not_after: the certificate's. region_time: None before the region has
    told it; is_up: whether the broker lets us in under that certificate now."""

    not_before: datetime
    not_after: datetime
    region_time: Callable[[], datetime | None] = lambda: None
    is_up: Callable[[], bool] = lambda: False
    clock: Callable[[], Clock | None] = lambda: None
    storage: Callable[[], Storage | None] = lambda: None
    sys: Path = SYS
    update_folder: Path = RUN
    wall_s: Callable[[], float] = time.time


class MachineProbe:
    """A Probe. `machine` is asked at each run, since a certificate is renewed while the agent runs."""

    name = "machine"

    def __init__(self, machine: Callable[[], Machine]) -> None:
        self._machine = machine

    async def run(self, context: Context) -> list[Verdict]:
        """One verdict each, of those about which something is known."""
        now = self._machine()
        before = read_heat(now.sys)
        if before.events:
            await context.pause(SLOWED_WITHIN_S)
        after = read_heat(now.sys)
        verdicts = (
            *judged_heat(replace(after, events=after.events - before.events)),
            judged_certificate(now, now.region_time()),
            judged_clock(now.clock()),
            judged_disk(now.storage()),
            judged_update(Told(now.update_folder), now.wall_s()),
        )
        return [verdict for verdict in verdicts if verdict is not None]


def judged_clock(clock: Clock | None) -> Verdict | None:
    """Nothing before the region has told its time since the start."""
    if clock is None or clock.offset_s is None:
        return None
    off_s = abs(clock.offset_s)
    if off_s < CLOCK_OFF_S:
        return well("clock", off_s, "s")
    side = "ahead of" if clock.offset_s > 0 else "behind"
    by = "it is synchronised by time servers" if clock.synchronised else "no time server has set it"
    return found("clock", off_s, "s", reason=f"the clock is {off_s:.0f} s {side} the region's; {by}")


def judged_certificate(machine: Machine, region_time: datetime | None) -> Verdict | None:
    """By the region's time alone, which a unit knows that has been let in; the way back looks after the others
    (agent/way_back.py). One that has ended while we are connected keeps the line until that breaks."""
    if region_time is None:
        return None
    left = machine.not_after - region_time
    days = max(0.0, left / timedelta(days=1))
    if left <= timedelta(0) and not machine.is_up():
        return found(
            "certificate", days, "days", reason=f"the certificate ended {machine.not_after:%Y-%m-%d}"
        )
    if left <= min(SOON, (machine.not_after - machine.not_before) * SOON_SHARE):
        reason = f"the certificate ends {machine.not_after:%Y-%m-%d} and was not renewed"
        return found("certificate_soon", days, "days", reason=reason)
    return well("certificate", days, "days")


def judged_disk(storage: Storage | None, *, is_noted: bool = True) -> Verdict | None:
    """is_noted: the running agent's own note tells it."""
    if storage is None:
        return None
    free_mib = (storage.free_bytes or 0) / MIB
    if storage.state in WELL:
        return well("disk", free_mib, "MiB")
    return None if is_noted else found("disk", free_mib, "MiB", reason=f"{storage.state}: {storage.reason}")


def judged_heat(heat: Heat) -> list[Verdict]:
    """heat.events: those of the last second. Low voltage slows a Raspberry Pi too: then that is what is told."""
    verdicts = []
    if heat.under_voltage is not None:
        low = found("voltage", reason="the board says that its voltage is too low")
        verdicts.append(low if heat.under_voltage else well("voltage"))
    hottest = heat.hottest
    celsius = 0.0 if hottest is None else hottest.celsius
    slowed = heat.slowed or ("the processor's own guard" if heat.events > 0 else "")
    if slowed and not heat.under_voltage and (heat.is_hot or slowed == "the firmware"):
        reason = f"{slowed} slows the processor down at {celsius:.0f} °C"
        return [*verdicts, found("throttled", celsius, "°C", reason=reason)]
    if hottest is None:
        return verdicts
    if heat.is_hot:
        reason = f"{hottest.name} is at {celsius:.0f} °C; {hottest.hot_c:.0f} is the limit"
        return [*verdicts, found("temperature", celsius, "°C", reason=reason)]
    return [*verdicts, well("temperature", celsius, "°C")]


def judged_update(told: Told, wall_s: float) -> Verdict | None:
    """Of the last installation since the machine's start; what failed after a restart IT knows by the command."""
    last = told.installation()
    if last is None:
        return None
    if last.state == "failed":
        return found("update", reason=f"an update was not installed: {last.reason}")
    age = timedelta(seconds=max(0.0, wall_s - told.installation_at_s()))
    if age < UPDATE_WAITS:
        return well("update", age / timedelta(hours=1), "h")
    standing = "waits for a restart" if last.state == "done" else "is being installed"
    reason = f"an update {standing} since {age / timedelta(hours=1):.0f} h"
    return found("update", age / timedelta(hours=1), "h", reason=reason)
