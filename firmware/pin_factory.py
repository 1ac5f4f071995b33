"""Which pin library drives the panel: lgpio, over the kernel's GPIO character device, or gpiozero's mock pins.

lgpio is the only one of gpiozero's that drives a Raspberry Pi 5, whose pins hang on the RP1 chip, and it drives
any other GPIO chip as well. It is told the chip by number; we find that by label.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from firmware.found import gpio_chips
from firmware.gpio_chip import chip_for
from firmware.pins import PinsProfile

ANY_PI = 0xC03115
"""Revision code of a Raspberry Pi 4B: by it gpiozero knows the lines 0 to 27 on a machine that is none."""


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
    # lgpio lays a pipe into its working folder when it is imported, and the root is read-only.
    os.environ.setdefault(
        "LG_WD", os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or tempfile.gettempdir()
    )
    from gpiozero.pins.lgpio import LGPIOFactory

    class ChipFactory(LGPIOFactory):  # type: ignore[misc]  # gpiozero has no types
        """For a chip that belongs to no Raspberry Pi, and so has no revision code."""

        def _get_revision(self) -> int:  # to be overridden, gpiozero.pins.pi.PiFactory says
            return ANY_PI

    return LGPIOFactory(chip=chip.number) if pins.is_header else ChipFactory(chip=chip.number)
