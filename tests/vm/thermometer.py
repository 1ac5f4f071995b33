"""A thermometer on the machine's board: an LM75 that the kernel's own driver (lm75, hwmon) reads.

Its chip is i2c-stub's memory, whose temperature is written as one writes to a chip on a bus (linux/i2c-dev.h).
"""

from __future__ import annotations

import struct

from tests.vm.machine import Machine

ADDRESS = 0x48
BUS = "$(dirname $(grep -l 'SMBus stub' /sys/bus/i2c/devices/i2c-*/name))"
"""The stub's folder in sysfs, as a line of sh finds it."""
SCRIPT = """
import ctypes, fcntl, os, sys
FORCE, SMBUS, WRITE, WORD_DATA, TEMPERATURE = 0x0706, 0x0720, 0, 3, 0
class Data(ctypes.Structure):
    _fields_ = [("write", ctypes.c_uint8), ("register", ctypes.c_uint8), ("size", ctypes.c_uint32),
                ("data", ctypes.POINTER(ctypes.c_uint16))]
bus = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(bus, FORCE, int(sys.argv[2]))
word = ctypes.c_uint16(int(sys.argv[3]))
fcntl.ioctl(bus, SMBUS, Data(WRITE, TEMPERATURE, WORD_DATA, ctypes.pointer(word)))
"""


def solder(machine: Machine, celsius: float) -> None:
    """Put it onto the board, at a temperature."""
    machine.check(f"modprobe -a i2c-dev lm75 && modprobe i2c-stub chip_addr={ADDRESS}")
    warm(machine, celsius)
    machine.check(f"echo lm75 {ADDRESS:#x} > {BUS}/new_device")


def warm(machine: Machine, celsius: float) -> None:
    """Make it so warm."""
    machine.check(f"python3 -c '{SCRIPT}' /dev/$(basename {BUS}) {ADDRESS} {register(celsius)}")


def unsolder(machine: Machine) -> None:
    """Take it off again."""
    machine.check(f"echo {ADDRESS:#x} > {BUS}/delete_device; modprobe -r i2c-stub")


def register(celsius: float) -> int:
    """What the chip's temperature register holds as a word of the bus, low byte first: half degrees in its upper
    nine bits, high byte first (NXP LM75B, section 7.4.2)."""
    (word,) = struct.unpack("<H", struct.pack(">h", round(celsius * 2) << 7))
    return int(word)
