"""The panel beside the screen: a camera lamp that nobody can mistake, and a lamp at the door.

    panel = open_panel(board.pins)
    panel.camera_lamp(True)

Wiring: each lamp from its pin over a resistor (330 ohm for a 3.3 V LED) to ground. A unit without a panel
works; what is missing is said in `Panel.missing`, for the self-test to report.
"""

from __future__ import annotations

import logging
from typing import Protocol

from firmware.board import PinsProfile

log = logging.getLogger(__name__)


class Lamp(Protocol):
    """What is used of gpiozero's LED."""

    value: float

    def off(self) -> None:
        """Put it out."""

    def close(self) -> None:
        """Give its pin back."""


class Panel:
    """Two lamps. Switching one that is not there does nothing, and `missing` says why it is not."""

    def __init__(self, camera_lamp: Lamp | None, door_lamp: Lamp | None, missing: str | None = None) -> None:
        self._camera_lamp = camera_lamp
        self._door_lamp = door_lamp
        self.missing = missing

    def camera_lamp(self, lit: bool) -> None:
        """Lit whenever the camera is open."""
        _switch(self._camera_lamp, lit)

    def door_lamp(self, lit: bool) -> None:
        """Lit while the room is occupied."""
        _switch(self._door_lamp, lit)

    def close(self) -> None:
        """Put both lamps out and give the pins back."""
        for lamp in (self._camera_lamp, self._door_lamp):
            if lamp is not None:
                lamp.off()
                lamp.close()
        self._camera_lamp = self._door_lamp = None


def open_panel(pins: PinsProfile) -> Panel:
    """Take the pins. Never raises: a panel that cannot be had comes back empty, with the reason in
    `missing`."""
    if pins.camera_lamp is None and pins.door_lamp is None:
        return Panel(None, None, missing="the board profile gives no pins to the lamps")
    try:
        camera_lamp, door_lamp = _lamps(pins)
    except Exception as error:  # gpiozero raises whatever its pin libraries raise, ImportError included
        log.warning("the panel is not there: %s", error)
        return Panel(None, None, missing=f"the panel's pins cannot be used ({type(error).__name__}: {error})")
    return Panel(camera_lamp, door_lamp)


def _lamps(pins: PinsProfile) -> tuple[Lamp | None, Lamp | None]:
    from gpiozero import LED  # late: gpiozero takes a tenth of a second to import and looks for pins

    factory = _mock_factory() if pins.mock else None
    numbers = (pins.camera_lamp, pins.door_lamp)
    camera_lamp, door_lamp = (None if n is None else LED(n, pin_factory=factory) for n in numbers)
    return camera_lamp, door_lamp


def _mock_factory() -> object:
    from gpiozero.pins.mock import MockFactory

    return MockFactory()


def _switch(lamp: Lamp | None, lit: bool) -> None:
    if lamp is not None:
        lamp.value = int(lit)
