"""Which GPIO chip the panel hangs on, found by its label, since numbers differ from kernel to kernel.

On a Raspberry Pi 5 the header is pinctrl-rp1: gpiochip4 with older kernels and gpiochip0 since 6.6.45.
"""

from __future__ import annotations

from collections.abc import Sequence

from firmware.found import GpioChip, gpio_chips
from firmware.pins import PinsProfile

HEADERS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")


def chip_for(pins: PinsProfile, chips: Sequence[GpioChip]) -> GpioChip | None:
    """The chip with the profile's label, or with one of a Raspberry Pi's header; None if it is not here."""
    labels = (pins.chip,) if pins.chip is not None else HEADERS
    return next((chip for label in labels for chip in chips if chip.label == label), None)


def is_plugged_in(pins: PinsProfile) -> bool:
    """Whether the panel's chip is there now."""
    return pins.mock or chip_for(pins, gpio_chips()) is not None
