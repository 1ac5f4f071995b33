"""How warm the machine is, whether its processor was slowed for it, and whether its voltage holds: Linux' sysfs.

Read, never set. What a board does not tell is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.machine import SYS, throttled, throttled_files

MILLI = 1000
HOT_C = 80.0
"""Raspberry Pi 4 and 5 begin to slow down at 80 to 85; other small boards alike."""
HOT_X86_C = 95.0
"""Intel's and AMD's processors are made to run at up to 100 or 105; fans keep a sound one under this."""
X86_SENSORS = frozenset({"x86_pkg_temp", "coretemp", "k10temp"})
NOT_OURS = ("iwlwifi", "nvme", "drivetemp", "BAT")
"""Sensors of a radio, a disk or a battery: what they call warm is another matter."""
VOLTAGE_SENSOR = "rpi_volt"
"""The kernel's driver of a Raspberry Pi's own alarm (drivers/hwmon/raspberrypi-hwmon.c)."""
SLOWING_DEVICES = ("cpufreq", "Processor")
"""Cooling devices of the kernel's thermal framework that cool by slowing the processor."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One temperature, degrees Celsius, and from where on it is too hot."""

    name: str
    celsius: float
    hot_c: float

    @property
    def over_c(self) -> float:
        """How much too hot; negative where it is not."""
        return self.celsius - self.hot_c


@dataclass(frozen=True, slots=True)
class Heat:
    """One look. slowed: what says that the processor is slowed down now, or is empty. events: how often x86's
    processors have been slowed since boot; only its growth says something. under_voltage: None where nobody
    tells."""

    sensors: tuple[Sensor, ...] = ()
    slowed: str = ""
    events: int = 0
    under_voltage: bool | None = None

    @property
    def hottest(self) -> Sensor | None:
        """The one nearest to its limit, or furthest over it."""
        return max(self.sensors, key=lambda sensor: sensor.over_c, default=None)

    @property
    def is_hot(self) -> bool:
        """Whether any is over its limit."""
        return self.hottest is not None and self.hottest.over_c >= 0


def read_heat(sys: Path = SYS) -> Heat:
    """Now; takes about a millisecond."""
    firmware = throttled(throttled_files(sys))
    alarm = _alarm(sys / "class/hwmon")
    told = [each for each in (firmware.get("under_voltage"), alarm) if each is not None]
    return Heat(
        sensors=(*_zones(sys / "class/thermal"), *_hwmon(sys / "class/hwmon")),
        slowed="the firmware" if firmware.get("throttled") else _slowing(sys / "class/thermal"),
        events=_events(sys / "devices/system/cpu"),
        under_voltage=any(told) if told else None,
    )


def _zones(folder: Path) -> list[Sensor]:
    return _sensors((_text(zone / "type"), zone / "temp") for zone in sorted(folder.glob("thermal_zone*")))


def _hwmon(folder: Path) -> list[Sensor]:
    chips = sorted(folder.glob("hwmon*"))
    return _sensors(
        (_text(chip / "name"), file) for chip in chips for file in sorted(chip.glob("temp*_input"))
    )


def _sensors(files: Iterable[tuple[str, Path]]) -> list[Sensor]:
    found = []
    for name, file in files:
        if name.startswith(NOT_OURS):
            continue
        with suppress(OSError, ValueError):  # a sensor may be switched off
            limit = HOT_X86_C if name in X86_SENSORS else HOT_C
            found.append(Sensor(name or file.parent.name, int(file.read_text()) / MILLI, limit))
    return found


def _slowing(folder: Path) -> str:
    for device in sorted(folder.glob("cooling_device*")):
        kind = _text(device / "type")
        if kind.startswith(SLOWING_DEVICES) and _number(device / "cur_state") > 0:
            return kind
    return ""


def _events(folder: Path) -> int:
    """Of the whole package, which each of its processors tells: the greatest is one processor's count."""
    files = folder.glob("cpu[0-9]*/thermal_throttle/package_throttle_count")
    return max((_number(file) for file in files), default=0)


def _alarm(folder: Path) -> bool | None:
    for chip in sorted(folder.glob("hwmon*")):
        if _text(chip / "name") == VOLTAGE_SENSOR:
            return _number(chip / "in0_lcrit_alarm") > 0
    return None


def _number(file: Path) -> int:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return 0


def _text(file: Path) -> str:
    with suppress(OSError):
        return file.read_text("utf-8", "replace").strip()
    return ""
