"""The computer's own figures, from Linux' /proc and /sys; what cannot be read is left out."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
SYS = Path("/sys")
MIB = 1024 * 1024
UNDER_VOLTAGE_NOW = 1 << 0
"""Bits as in Raspberry Pi's documentation of vcgencmd get_throttled."""
SLOWED_NOW = (1 << 1) | (1 << 2) | (1 << 3)


@dataclass(frozen=True, slots=True)
class MachineTotals:
    """Counters since boot, of which two make a share; memory and temperature are of this moment.

    agent_s: processor time of this process, all threads. busy and total: ticks of all processors together.
    """

    agent_s: float
    busy: int
    total: int
    memory_mib: float
    temperature_c: float | None


def read_totals(proc: Path = PROC, sys: Path = SYS) -> MachineTotals:
    """The figures now; takes a fraction of a millisecond."""
    ticks = [int(word) for word in (proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]  # proc(5): the fourth is idle, the fifth is waiting for a disk
    resident_pages = int((proc / "self" / "statm").read_text().split()[1])
    return MachineTotals(
        agent_s=time.process_time(),
        busy=sum(ticks) - idle,
        total=sum(ticks),
        memory_mib=resident_pages * os.sysconf("SC_PAGE_SIZE") / MIB,
        temperature_c=_temperature(sys / "class/thermal"),
    )


def _temperature(thermal: Path) -> float | None:
    """The hottest zone, degrees Celsius (kernel's thermal sysfs API: millidegrees)."""
    found = []
    for zone in sorted(thermal.glob("thermal_zone*/temp")):
        with suppress(OSError, ValueError):  # a zone may be switched off
            found.append(int(zone.read_text()) / 1000)
    return max(found, default=None)


def throttled_files(sys: Path = SYS) -> tuple[Path, ...]:
    """Raspberry Pi 4, 5, and where a service of the image leaves what `vcgencmd get_throttled` says."""
    platform = sys / "devices/platform"
    return (
        platform / "soc/soc:firmware/get_throttled",
        platform / "soc@107c000000/soc@107c000000:firmware/get_throttled",
        Path("/run/halsorum/get_throttled"),
    )


def throttled(files: tuple[Path, ...]) -> dict[str, bool]:
    """Whether the processor is slowed down, and voltage too low, now; empty where no file tells.

    The file holds a hexadecimal number, with `throttled=` before it where vcgencmd wrote it.
    """
    for file in files:
        with suppress(OSError, ValueError):
            bits = int(file.read_text().strip().removeprefix("throttled="), 16)
            return {"throttled": bool(bits & SLOWED_NOW), "under_voltage": bool(bits & UNDER_VOLTAGE_NOW)}
    return {}
