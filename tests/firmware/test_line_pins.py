"""gpiozero's devices on lines as the kernel's: the line is a socket here, by which a test changes its level."""

from __future__ import annotations

import errno
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import pytest
from gpiod.line import Bias, Direction, Edge, Value
from gpiozero import DigitalInputDevice, DigitalOutputDevice

from firmware import line_pins
from firmware.line_pins import LineFactory

BOTH = {b"1": gpiod.EdgeEvent.Type.RISING_EDGE, b"0": gpiod.EdgeEvent.Type.FALLING_EDGE}


class Line:
    """What libgpiod gives for a line that was requested."""

    def __init__(self, offset: int, settings: gpiod.LineSettings) -> None:
        self.offset, self.settings = offset, settings
        self.outside, self.inside = socket.socketpair()
        self.inside.setblocking(False)
        self.level, self.is_released = Value(settings.output_value), False

    @property
    def fd(self) -> int:
        return self.inside.fileno()

    def reconfigure_lines(self, config: dict[int, gpiod.LineSettings]) -> None:
        self.settings = config[self.offset]
        if self.settings.direction == Direction.OUTPUT:
            self.level = self.settings.output_value
        elif self.settings.bias == Bias.PULL_UP and self.settings.edge_detection == Edge.NONE:
            self.level = Value.ACTIVE

    def get_value(self, _offset: int) -> Value:
        return self.level

    def set_value(self, _offset: int, value: Value) -> None:
        if self.outside.fileno() < 0:
            raise OSError(errno.ENODEV, "No such device")
        self.level = value

    def read_edge_events(self) -> list[Any]:
        data = self.inside.recv(64)
        if not data:
            raise OSError(errno.ENODEV, "No such device")
        return [SimpleNamespace(event_type=BOTH[bytes([one])], timestamp_ns=5) for one in data]

    def release(self) -> None:
        self.is_released = True
        self.inside.close()

    def goes(self, level: int) -> None:
        self.level = Value(level)
        if self.settings.edge_detection == Edge.BOTH:
            self.outside.send(str(level).encode())


class Chip:
    """Its lines by number, as they were requested last."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "gpiochip3"
        self.file.write_text("")
        self.lines: dict[int, Line] = {}
        self.taken: set[int] = set()

    def request(self, path: str, *, consumer: str, config: dict[int, gpiod.LineSettings]) -> Line:
        assert (path, consumer) == (str(self.file), "halsorum")
        [(offset, settings)] = config.items()
        if offset in self.taken:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.lines[offset] = Line(offset, settings)
        return self.lines[offset]


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chip:
    made = Chip(tmp_path)
    monkeypatch.setattr(line_pins.gpiod, "request_lines", made.request)
    return made


@pytest.fixture
def factory(chip: Chip) -> Any:
    made = LineFactory(chip.file, is_header=False)
    yield made
    made.close()


def test_a_lamp_is_an_output_that_is_out_from_its_first_moment(chip: Chip, factory: LineFactory) -> None:
    lamp = DigitalOutputDevice(5, pin_factory=factory)
    assert (chip.lines[5].settings.direction, chip.lines[5].level) == (Direction.OUTPUT, Value.INACTIVE)
    lamp.on()
    assert chip.lines[5].level == Value.ACTIVE
    lamp.off()
    assert chip.lines[5].level == Value.INACTIVE
    lamp.close()
    assert chip.lines[5].is_released
    assert DigitalOutputDevice(5, initial_value=True, pin_factory=factory).is_active, "and it is had again"


def test_a_button_to_ground_is_held_high_and_each_change_is_told(chip: Chip, factory: LineFactory) -> None:
    chip_line, told = 2, []
    heard = threading.Semaphore(0)
    button = DigitalInputDevice(chip_line, pull_up=True, pin_factory=factory)
    line = chip.lines[chip_line]
    assert (line.settings.bias, line.settings.edge_detection) == (Bias.PULL_UP, Edge.BOTH)
    button.when_activated = lambda: (told.append("down"), heard.release())
    button.when_deactivated = lambda: (told.append("up"), heard.release())
    for level in (0, 1, 0):
        line.goes(level)
        assert heard.acquire(timeout=10)
    assert (told, button.is_active) == (["down", "up", "down"], True)
    button.close()
    assert line.is_released
    assert factory.watch._changed == {}


def test_a_sensor_rests_low(chip: Chip, factory: LineFactory) -> None:
    DigitalInputDevice(7, pull_up=False, pin_factory=factory)
    assert chip.lines[7].settings.bias == Bias.PULL_DOWN


def test_a_line_that_is_gone_is_given_up_and_the_others_go_on(chip: Chip, factory: LineFactory) -> None:
    """Its file can always be "read" from then on: a thread that asks again would never sleep."""
    gone = DigitalInputDevice(1, pull_up=True, pin_factory=factory)
    stays, heard = DigitalInputDevice(2, pull_up=True, pin_factory=factory), threading.Semaphore(0)
    stays.when_activated = heard.release
    chip.lines[1].outside.close()
    until_s = time.monotonic() + 10
    while len(factory.watch._changed) > 1 and time.monotonic() < until_s:
        time.sleep(0.01)
    assert list(factory.watch._changed) == [chip.lines[2].fd]
    chip.lines[2].goes(0)
    assert heard.acquire(timeout=10)
    gone.close()


def test_a_lamp_on_a_chip_that_is_gone_says_so(chip: Chip, factory: LineFactory) -> None:
    lamp = DigitalOutputDevice(5, pin_factory=factory)
    assert not factory.is_gone
    chip.lines[5].outside.close()
    chip.file.unlink()
    assert factory.is_gone
    with pytest.raises(OSError, match="No such device"):
        lamp.on()


def test_a_line_that_another_program_holds_is_told_by_the_kernels_words(
    chip: Chip, factory: LineFactory
) -> None:
    chip.taken.add(4)
    with pytest.raises(OSError, match="busy"):
        DigitalOutputDevice(4, pin_factory=factory)


def test_a_panel_of_lamps_alone_leaves_no_file_open(chip: Chip) -> None:
    """An adapter with a loose plug is opened many times in a unit's life."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        made = LineFactory(chip.file, is_header=False)
        DigitalOutputDevice(5, pin_factory=made)
        made.close()
        chip.lines[5].outside.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_chip_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        LineFactory(tmp_path / "gpiochip9", is_header=False)
