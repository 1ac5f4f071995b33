"""The panel on gpiozero's mock pins, and a panel that is not there."""

from __future__ import annotations

import sys

import pytest

from firmware import panel as panel_module
from firmware.board import PinsProfile
from firmware.panel import open_panel


def test_lamps_follow_and_go_out_when_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpiozero.pins.mock import MockFactory

    factory = MockFactory()
    monkeypatch.setattr(panel_module, "_mock_factory", lambda: factory)
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
    def no_pins(_: PinsProfile) -> None:
        raise OSError("no pin library here")

    monkeypatch.setattr(panel_module, "_lamps", no_pins)
    panel = open_panel(PinsProfile(camera_lamp=17))
    assert panel.missing is not None
    assert "no pin library here" in panel.missing
    panel.camera_lamp(True)
    panel.close()


def test_without_pins_gpiozero_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    assert open_panel(PinsProfile()).missing == "the board profile gives no pins to the lamps"
