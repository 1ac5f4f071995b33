"""What this machine has, asked of the kernel without root and without switching anything on.

Everything is read below `root`, so that tests can lay a machine out in a folder. What cannot be read is not there.
"""

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass
from pathlib import Path

GPIO_GET_CHIPINFO = 0x8044B401
"""_IOR(0xB4, 1, struct gpiochip_info): name and label of 32 bytes, number of lines (linux/gpio.h)."""
CHIPINFO = struct.Struct("=32s32sI")
EDID_BYTES = 128
EDID_MAGIC = bytes.fromhex("00ffffffffffff00")
PROP_DIRECT = 1 << 1
"""INPUT_PROP_DIRECT: what is touched is what is shown (linux/input-event-codes.h)."""
ABS_X_AND_Y = 0b11
MILLI = 1000


@dataclass(frozen=True, slots=True)
class ConnectedScreen:
    """A screen on its connector: preferred mode in pixels, millimetres by its EDID; 0 where it says none."""

    connector: str
    width_px: int
    height_px: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class GpioChip:
    """A chip of GPIO lines; `number` is of /dev/gpiochip<number>. label is empty where we may not open it."""

    number: int
    label: str
    lines: int


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that is a device; `up` if it has a carrier."""

    name: str
    up: bool
    wireless: bool


@dataclass(frozen=True, slots=True)
class Zone:
    """A thermal zone, degrees Celsius."""

    kind: str
    celsius: float


@dataclass(frozen=True, slots=True)
class Found:
    """All of it. cameras: paths of the nodes that the kernel calls video capture, with the driver's name."""

    cameras: tuple[tuple[str, str], ...] = ()
    screens: tuple[ConnectedScreen, ...] = ()
    touch: tuple[str, ...] = ()
    gpio: tuple[GpioChip, ...] = ()
    network: tuple[Interface, ...] = ()
    thermal: tuple[Zone, ...] = ()


def look_around(root: Path = Path("/")) -> Found:
    """What is here now."""
    sys = root / "sys/class"
    return Found(
        cameras=_cameras(sys / "video4linux"),
        screens=_screens(sys / "drm"),
        touch=touch_devices(root / "sys"),
        gpio=gpio_chips(root / "dev"),
        network=_network(sys / "net"),
        thermal=_thermal(sys / "thermal"),
    )


def _cameras(folder: Path) -> tuple[tuple[str, str], ...]:
    # Of a camera's two nodes the second, with metadata alone, has another index.
    nodes = [node for node in _sorted(folder, "video*") if _text(node / "index") in {"0", ""}]
    return tuple((f"/dev/{node.name}", _text(node / "name")) for node in nodes)


def _screens(folder: Path) -> tuple[ConnectedScreen, ...]:
    found = []
    for connector in _sorted(folder, "card*-*"):
        if _text(connector / "status") != "connected":
            continue
        across, _, down = _text(connector / "modes").partition("\n")[0].partition("x")
        pixels = (
            (int(across), int(down.rstrip("i")))
            if across.isdigit() and down.rstrip("i").isdigit()
            else (0, 0)
        )
        name = connector.name.partition("-")[2]
        found.append(ConnectedScreen(name, *pixels, *edid_size_mm(_bytes(connector / "edid"))))
    return tuple(found)


def edid_size_mm(edid: bytes) -> tuple[int, int]:
    """A picture's size by the first detailed timing, else by the whole centimetres (VESA E-EDID 1.4, 3.10.2 and
    3.6.2); zeros where it says none, as projectors do."""
    if len(edid) < EDID_BYTES or not edid.startswith(EDID_MAGIC):
        return 0, 0
    if edid[54] or edid[55]:  # a pixel clock: it is a timing
        size = edid[66] | (edid[68] & 0xF0) << 4, edid[67] | (edid[68] & 0x0F) << 8
        if all(size):
            return size
    return (edid[21] * 10, edid[22] * 10) if edid[21] and edid[22] else (0, 0)


def touch_devices(sys: Path = Path("/sys")) -> tuple[str, ...]:
    """What feels a touch on the screen itself, by its node and name."""
    names = []
    for event in _sorted(sys / "class/input", "event*"):
        device = event / "device"
        if _bits(device / "properties") & PROP_DIRECT and _bits(device / "capabilities/abs") & ABS_X_AND_Y:
            names.append(f"/dev/input/{event.name} {_text(device / 'name')}")
    return tuple(names)


def gpio_chips(folder: Path = Path("/dev")) -> tuple[GpioChip, ...]:
    """The chips there are."""
    return tuple(_chip(node) for node in _sorted(folder, "gpiochip*") if node.name[8:].isdigit())


def _chip(node: Path) -> GpioChip:
    number = int(node.name[8:])
    try:
        handle = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return GpioChip(number, "", 0)
    try:
        answer = bytearray(CHIPINFO.size)
        fcntl.ioctl(handle, GPIO_GET_CHIPINFO, answer)
        _name, label, lines = CHIPINFO.unpack(answer)
        return GpioChip(number, label.split(b"\0", 1)[0].decode("ascii", "replace"), lines)
    except OSError:
        return GpioChip(number, "", 0)
    finally:
        os.close(handle)


def _network(folder: Path) -> tuple[Interface, ...]:
    return tuple(
        Interface(link.name, _text(link / "carrier") == "1", (link / "wireless").exists())
        for link in _sorted(folder, "*")
        if (link / "device").exists()
    )


def _thermal(folder: Path) -> tuple[Zone, ...]:
    zones = []
    for zone in _sorted(folder, "thermal_zone*"):
        temperature = _text(zone / "temp")
        if temperature.lstrip("-").isdigit():
            zones.append(Zone(_text(zone / "type"), int(temperature) / MILLI))
    return tuple(zones)


def _sorted(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda path: (len(path.name), path.name))


def _text(file: Path) -> str:
    return _bytes(file).decode("utf-8", "replace").strip("\0\n ")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _bits(file: Path) -> int:
    """A bitmap of the input core: words in hexadecimal, of which the last holds the lowest bits."""
    words = _text(file).split()
    return int(words[-1], 16) if words else 0
