"""The adapter made of nothing answers as the kernel's driver asks (hid-cp2112.c)."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.vm.cp2112 import (
    GPIO_CONFIG,
    GPIO_GET,
    GPIO_SET,
    SMBUS_CONFIG,
    UHID_GET_REPORT,
    UHID_GET_REPORT_REPLY,
    UHID_SET_REPORT,
    VERSION,
    Adapter,
    answered,
    created,
)


def asked(adapter: Adapter, report: int) -> bytes:
    """A feature report as the kernel gets it: its number first."""
    reply = answered(adapter, struct.pack("=IIBB", UHID_GET_REPORT, 7, report, 0))
    assert reply is not None
    kind, number, error, size = struct.unpack_from("=IIHH", reply)
    assert (kind, number, error, size) == (UHID_GET_REPORT_REPLY, 7, 0, len(reply) - 12)
    return reply[12:]


def told(adapter: Adapter, *data: int) -> None:
    answered(adapter, struct.pack("=IIBBH", UHID_SET_REPORT, 8, data[0], 0, len(data)) + bytes(data))


def test_outputs_follow_the_host_and_inputs_the_world(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, low=1 << 7)
    levels = tmp_path / "levels"
    assert levels.read_text().split() == list("0123456")
    told(adapter, GPIO_CONFIG, 0b11, 0b11, 0, 0)
    told(adapter, GPIO_SET, 0xFF, 0b01)
    assert levels.read_text().split() == list("023456")
    (tmp_path / "pressed").write_text("3 4")
    (tmp_path / "raised").write_text("7")
    assert asked(adapter, GPIO_GET) == bytes([GPIO_GET, 0b1110_0101])
    told(adapter, GPIO_SET, 0, 0b01)
    assert asked(adapter, GPIO_GET)[1] & 1 == 0


def test_lengths_are_those_that_the_driver_wants(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, low=0)
    lengths = {GPIO_CONFIG: 5, GPIO_GET: 2, VERSION: 3, SMBUS_CONFIG: 14}
    assert {report: len(asked(adapter, report)) for report in lengths} == lengths
    assert answered(adapter, struct.pack("=I", 2)) is None
    assert len(created()) == 4 + 4372
