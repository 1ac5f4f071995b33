"""Which pin library drives the panel: lgpio, over the kernel's GPIO character device, or gpiozero's mock pins.

lgpio is the only one of gpiozero's that drives a Raspberry Pi 5, whose pins hang on the RP1 chip, and it drives
any other GPIO chip as well. It is told the chip by number; we find that by label.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.found import gpio_chips
from firmware.gpio_chip import chip_for
from firmware.pins import PinsProfile

DEBUG_LEVEL = 0
"""Of lgpio's own configuration, LG_CFG_ID_DEBUG_LEVEL in lgpio.h."""
ANY_PI = 0xC03115
"""Revision code of a Raspberry Pi 4B: by it gpiozero knows the lines 0 to 27 on a machine that is none."""


@dataclass(frozen=True, slots=True)
class Node:
    """A chip's file, as it was when it was opened: plugged in again, it is another."""

    file: Path
    number: int

    @classmethod
    def of(cls, file: Path) -> Node:
        """Raises OSError if it is not there."""
        return cls(file, file.stat().st_ino)

    @property
    def is_there(self) -> bool:
        """Whether what was opened is still plugged in."""
        try:
            return self.file.stat().st_ino == self.number
        except OSError:
            return False


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
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory

    # Of a chip that was pulled out its thread says so without end, on the agent's own standard error; we look
    # for that ourselves, and its calls raise.
    lgpio.set_internal(DEBUG_LEVEL, 0)

    class ChipFactory(LGPIOFactory):  # type: ignore[misc]  # gpiozero has no types
        """For a chip that belongs to no Raspberry Pi, and so has no revision code."""

        def _get_revision(self) -> int:  # to be overridden, gpiozero.pins.pi.PiFactory says
            return ANY_PI

    factory = LGPIOFactory(chip=chip.number) if pins.is_header else ChipFactory(chip=chip.number)
    factory.node = Node.of(Path(f"/dev/gpiochip{chip.number}"))
    return factory
