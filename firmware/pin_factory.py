"""Which pins gpiozero drives the panel by: lines of the kernel's GPIO character device, or its own mock pins.

The lines are libgpiod's (firmware/line_pins.py): a Raspberry Pi 5, whose pins hang on the RP1 chip, and any other
GPIO chip. It is told the chip by number; we find that by label.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from firmware.found import gpio_chips
from firmware.gpio_chip import chip_for
from firmware.pins import PinsProfile


class NoPins(Exception):
    """There are no pins to be had; what is missing, and what to do."""


def pin_factory(pins: PinsProfile) -> Any:  # noqa: ANN401 - gpiozero has no types
    """Raises NoPins, or whatever the pin library raises."""
    if pins.mock:
        from gpiozero.pins.mock import MockFactory  # late: gpiozero takes a tenth of a second to import

        return MockFactory()
    chip = chip_for(pins, gpio_chips())
    if chip is None:
        wanted = pins.chip or "the GPIO chip of a Raspberry Pi's header"
        raise NoPins(f"{wanted} is not there, or may not be opened; see `halsorum board`")
    from firmware.line_pins import LineFactory

    return LineFactory(Path(f"/dev/gpiochip{chip.number}"), is_header=pins.is_header)
