"""The panel beside the screen: a camera lamp that nobody can mistake, a lamp at the door, and help.

    panel = open_panel(board.pins, on_help=ring)
    panel.camera_lamp(True)
    panel.help("calling")

Wiring: each lamp from its pin over a resistor (330 ohm for a 3.3 V LED) to ground; the help lamp and the buzzer
(an active one, up to 16 mA, a stronger one over a transistor) may hang outside the room, where staff see and
hear them; the help button from its pin to ground, the pin's own pull-up holds it. All of it needs no network.
A unit without a panel works; what is missing is said in `Panel.missing`, for the self-test to report.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from firmware.board import PinsProfile

log = logging.getLogger(__name__)

HelpSignal = Literal["off", "calling", "answered"]
BLINK_S = 0.5
BEEP_S, PAUSE_S = 0.3, 1.7
"""Heard through a door, and not so often that nobody can talk beside it."""
BOUNCE_S = 0.05


class Output(Protocol):
    """What is used of gpiozero's LED and Buzzer."""

    def on(self) -> None:
        """Switch it on."""

    def off(self) -> None:
        """Switch it off."""

    def close(self) -> None:
        """Give its pin back."""


class Blinking(Output, Protocol):
    """An LED, which gpiozero blinks in a thread of its own."""

    def blink(self, on_time: float, off_time: float) -> None:
        """Blink until it is told otherwise; seconds."""


class Beeping(Output, Protocol):
    """A Buzzer, likewise."""

    def beep(self, on_time: float, off_time: float) -> None:
        """Beep until it is told otherwise; seconds."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the panel has; a part that is not there is None."""

    camera_lamp: Output | None = None
    door_lamp: Blinking | None = None
    help_lamp: Blinking | None = None
    buzzer: Beeping | None = None
    help_button: Any = None

    @property
    def outputs(self) -> list[Output]:
        """Those that can be switched."""
        every = (self.camera_lamp, self.door_lamp, self.help_lamp, self.buzzer)
        return [part for part in every if part is not None]


class Panel:
    """Switching a part that is not there does nothing, and `missing` says why it is not."""

    def __init__(self, parts: Parts, missing: str | None = None) -> None:
        self._parts = parts
        self._help: HelpSignal = "off"
        self._door = self._locating = False
        self.missing = missing

    def camera_lamp(self, lit: bool) -> None:
        """Lit whenever the camera is open."""
        _switch(self._parts.camera_lamp, lit)

    def door_lamp(self, lit: bool) -> None:
        """Lit while the room is occupied."""
        self._door = lit
        if not self._locating:
            _switch(self._parts.door_lamp, lit)

    def locate(self, on: bool) -> None:
        """Be found: the lamp at the door blinks and the buzzer beeps. A call for help goes before it."""
        if on == self._locating:
            return
        self._locating = on
        lamp, buzzer = self._parts.door_lamp, self._parts.buzzer
        if on:
            if lamp is not None:
                lamp.blink(BLINK_S, BLINK_S)
            if buzzer is not None:
                buzzer.beep(BEEP_S, PAUSE_S)
        else:
            _switch(lamp, self._door)
            if self._help != "calling":
                _switch(buzzer, False)

    def help(self, signal: HelpSignal) -> None:
        """Somebody calls for help: the lamp blinks and the buzzer beeps; answered, the lamp is lit, still."""
        if signal == self._help:
            return  # said again, it would begin anew and never come to its pause
        self._help = signal
        lamp, buzzer = self._parts.help_lamp, self._parts.buzzer
        if signal == "calling":
            if lamp is not None:
                lamp.blink(BLINK_S, BLINK_S)
            if buzzer is not None:
                buzzer.beep(BEEP_S, PAUSE_S)
        else:
            _switch(lamp, signal == "answered")
            _switch(buzzer, False)

    def close(self) -> None:
        """Put everything out and give the pins back."""
        parts, self._parts = self._parts, Parts()
        for part in parts.outputs:
            part.off()
            part.close()
        if parts.help_button is not None:
            parts.help_button.close()


def open_panel(pins: PinsProfile, on_help: Callable[[], None] = lambda: None) -> Panel:
    """Take the pins. `on_help` is called in a thread of gpiozero's when the help button is pressed.

    Never raises: a panel that cannot be had comes back empty, with the reason in `missing`.
    """
    if not pins.given:
        return Panel(Parts(), missing="the board profile gives no pins to the panel")
    try:
        return Panel(_parts(pins, on_help))
    except Exception as error:  # gpiozero raises whatever its pin libraries raise, ImportError included
        log.warning("the panel is not there: %s", error)
        return Panel(Parts(), missing=f"the panel's pins cannot be used ({type(error).__name__}: {error})")


def _parts(pins: PinsProfile, on_help: Callable[[], None]) -> Parts:
    # Late: gpiozero takes a tenth of a second to import and looks for pins.
    from gpiozero import LED, Button, Buzzer

    factory = _mock_factory() if pins.mock else None

    def part(make: Callable[..., Any], pin: int | None, **more: object) -> Any:  # noqa: ANN401
        return None if pin is None else make(pin, pin_factory=factory, **more)

    button = part(Button, pins.help_button, pull_up=True, bounce_time=BOUNCE_S)
    if button is not None:
        button.when_pressed = on_help
    return Parts(
        camera_lamp=part(LED, pins.camera_lamp),
        door_lamp=part(LED, pins.door_lamp),
        help_lamp=part(LED, pins.help_lamp),
        buzzer=part(Buzzer, pins.buzzer),
        help_button=button,
    )


def _mock_factory() -> object:
    from gpiozero.pins.mock import MockFactory

    return MockFactory()


def _switch(part: Output | None, on: bool) -> None:
    if part is not None:
        part.on() if on else part.off()
