"""A USB GPIO adapter made of nothing: a CP2112 behind /dev/uhid, whose eight lines are real ones to the kernel.

Runs inside of the virtual machine, as root, with the Python that is there: `python3 cp2112.py FOLDER`. Debian 12's
kernel has none of the simulated GPIO chips (gpio-sim, gpio-mockup, expanders behind i2c-stub), but it has the driver
of this adapter (hid-cp2112) and uhid, by which a program is a HID device. Reports: Silicon Labs AN495, section 5;
events: linux/uhid.h. `FOLDER/pressed` names the lines that are held to ground, `FOLDER/raised` those that are driven
high beside their rest; `FOLDER/levels` is what all lines are at.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

UHID_GET_REPORT, UHID_GET_REPORT_REPLY, UHID_CREATE2, UHID_SET_REPORT, UHID_SET_REPORT_REPLY = (
    9,
    10,
    11,
    13,
    14,
)
EVENT_BYTES = 4380
BUS_USB, SILICON_LABS, CP2112 = 3, 0x10C4, 0xEA90
GPIO_CONFIG, GPIO_GET, GPIO_SET, VERSION, SMBUS_CONFIG = 2, 3, 4, 5, 6
ALL = 0xFF
DESCRIPTOR = (
    bytes([0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01])
    + b"".join(
        bytes([0x85, report, 0x09, report, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, size, 0xB1, 0x02])
        for report, size in ((GPIO_CONFIG, 4), (GPIO_GET, 1), (GPIO_SET, 2), (VERSION, 2), (SMBUS_CONFIG, 13))
    )
    + bytes([0xC0])
)
"""Vendor page, one collection, and a feature report of bytes for each that is used."""


class Adapter:
    """The lines as the host has set them, and as the world outside holds them."""

    def __init__(self, folder: Path, low: int) -> None:
        self.folder = folder
        self._low_at_rest = low
        self.outputs = 0
        self.latch = 0
        self._smbus = bytes([SMBUS_CONFIG, 0, 1, 0x86, 0xA0, 2, 0, 0, 0, 0, 0, 0, 0, 0])
        self.show()

    def levels(self) -> int:
        """All eight lines: what is driven by us, and outside what is pressed (low), raised (high) or at rest."""
        outside = (ALL & ~self._low_at_rest & ~self._mask("pressed")) | self._mask("raised")
        return (self.latch & self.outputs) | (outside & ~self.outputs & ALL)

    def get(self, report: int) -> bytes:
        """A feature report that the host asks for; empty for one that is not known."""
        known = {
            GPIO_CONFIG: bytes([GPIO_CONFIG, self.outputs, self.outputs, 0, 0]),
            GPIO_GET: bytes([GPIO_GET, self.levels()]),
            VERSION: bytes([VERSION, 0x0C, 3]),
            SMBUS_CONFIG: self._smbus,
        }
        return known.get(report, b"")

    def set(self, data: bytes) -> None:
        """A feature report that the host sends."""
        if data[0] == GPIO_CONFIG:
            self.outputs = data[1]
        elif data[0] == GPIO_SET:
            self.latch = (self.latch & ~data[2]) | (data[1] & data[2])
        elif data[0] == SMBUS_CONFIG:
            self._smbus = data
        self.show()

    def show(self) -> None:
        """Say what the lines are at."""
        levels = self.levels()
        written = self.folder / "levels.new"
        written.write_text(" ".join(str(line) for line in range(8) if levels >> line & 1) + "\n")
        written.rename(self.folder / "levels")

    def _mask(self, name: str) -> int:
        try:
            lines = (self.folder / name).read_text().split()
        except OSError:
            return 0
        return sum(1 << int(line) for line in lines)


def created() -> bytes:
    """The event by which the device comes to be."""
    numbers = struct.pack("=HHIIII", len(DESCRIPTOR), BUS_USB, SILICON_LABS, CP2112, 0, 0)
    head = struct.pack("=I128s64s64s", UHID_CREATE2, b"CP2112 made of nothing", b"uhid", b"1")
    return head + numbers + DESCRIPTOR.ljust(4096, b"\0")


def answered(adapter: Adapter, event: bytes) -> bytes | None:
    """The reply to one event of the kernel's; None where it wants none."""
    (kind,) = struct.unpack_from("=I", event)
    if kind == UHID_GET_REPORT:
        number, report = struct.unpack_from("=IB", event, 4)
        data = adapter.get(report)
        return struct.pack("=IIHH", UHID_GET_REPORT_REPLY, number, 0 if data else 5, len(data)) + data
    if kind == UHID_SET_REPORT:
        number, _report, _type, size = struct.unpack_from("=IBBH", event, 4)
        adapter.set(event[12 : 12 + size])
        return struct.pack("=IIH", UHID_SET_REPORT_REPLY, number, 0)
    return None


def main(folder: Path, low: int) -> None:
    """Until somebody ends us, and the adapter is unplugged by that."""
    folder.mkdir(parents=True, exist_ok=True)
    adapter = Adapter(folder, low)
    device = os.open("/dev/uhid", os.O_RDWR)
    os.write(device, created())
    while True:
        reply = answered(adapter, os.read(device, EVENT_BYTES))
        if reply is not None:
            os.write(device, reply)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sum(1 << int(line) for line in sys.argv[2:]))
