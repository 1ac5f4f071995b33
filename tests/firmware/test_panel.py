"""The panel on gpiozero's mock pins, and a panel that is not there."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest

from firmware import panel as panel_module
from firmware.panel import open_panel
from firmware.pins import PinsProfile


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Any:
    from gpiozero.pins.mock import MockFactory

    factory = MockFactory()
    monkeypatch.setattr(panel_module, "_mock_factory", lambda: factory)
    return factory


def wait_for(pin: Any, state: int) -> None:
    """gpiozero blinks in a thread of its own."""
    limit = time.monotonic() + 5
    while pin.state != state:
        assert time.monotonic() < limit, f"the pin did not become {state}"
        time.sleep(0.005)


def test_lamps_follow_and_go_out_when_closed(factory: Any) -> None:
    panel = open_panel(PinsProfile(mock=True, camera_lamp=17, door_lamp=27))
    camera_pin, door_pin = factory.pin(17), factory.pin(27)
    panel.camera_lamp(True)
    assert (camera_pin.state, door_pin.state) == (1, 0)
    panel.door_lamp(True)
    panel.camera_lamp(False)
    assert (camera_pin.state, door_pin.state) == (0, 1)
    panel.close()
    assert door_pin.state == 0
    panel.camera_lamp(True)  # after closing: nothing to switch, and nothing breaks


def test_a_missing_panel_is_reported_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pins(*_: object) -> None:
        raise OSError("no pin library here")

    monkeypatch.setattr(panel_module, "_parts", no_pins)
    panel = open_panel(PinsProfile(camera_lamp=17))
    assert panel.missing is not None
    assert "no pin library here" in panel.missing
    panel.camera_lamp(True)
    panel.close()


def test_without_pins_gpiozero_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    assert open_panel(PinsProfile()).missing == "the board profile gives no pins to the panel"


def test_help_blinks_and_beeps_until_it_is_answered(factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BLINK_S", "BEEP_S", "PAUSE_S"):
        monkeypatch.setattr(panel_module, name, 0.01)
    panel = open_panel(PinsProfile(mock=True, help_lamp=23, buzzer=24))
    lamp, buzzer = factory.pin(23), factory.pin(24)
    panel.help("calling")
    for _ in range(2):
        panel.help("calling")  # the state is told again and again
        for state in (1, 0):
            wait_for(lamp, state)
            wait_for(buzzer, state)
    panel.help("answered")
    assert (lamp.state, buzzer.state) == (1, 0)
    panel.help("off")
    assert (lamp.state, buzzer.state) == (0, 0)
    panel.help("calling")
    panel.close()
    assert (lamp.state, buzzer.state) == (0, 0)
    panel.help("answered")


def test_the_help_button_calls_once_for_each_press(factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_module, "BOUNCE_S", None)  # mock pins do not bounce
    pressed = threading.Semaphore(0)
    panel = open_panel(PinsProfile(mock=True, help_button=22), on_help=pressed.release)
    pin = factory.pin(22)
    for _ in range(2):
        pin.drive_low()  # the button connects it to ground
        assert pressed.acquire(timeout=5)
        pin.drive_high()
    assert not pressed.acquire(blocking=False)
    panel.close()


def test_a_panel_without_help_lamp_and_buzzer_is_quiet_about_it(factory: Any) -> None:
    panel = open_panel(PinsProfile(mock=True, camera_lamp=17))
    panel.help("calling")
    panel.camera_lamp(True)
    assert (panel.missing, factory.pin(17).state) == (None, 1)
    panel.close()


def test_a_unit_that_is_looked_for_blinks_and_beeps_and_its_lamp_says_afterwards_what_is(
    factory: Any,
) -> None:
    panel = open_panel(PinsProfile(mock=True, door_lamp=27, buzzer=24))
    door, buzzer = factory.pin(27), factory.pin(24)
    panel.locate(True)
    wait_for(door, 1)
    wait_for(buzzer, 1)
    panel.door_lamp(True)  # meanwhile somebody came in
    wait_for(door, 0)
    panel.locate(False)
    assert (door.state, buzzer.state) == (1, 0)
    panel.help("calling")
    panel.locate(True)
    panel.locate(False)
    wait_for(buzzer, 1)  # who calls for help is heard on
    panel.close()
