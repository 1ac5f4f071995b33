"""Takes the panel's pins, each part by itself: one that cannot be had costs that part alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from firmware.pin_factory import pin_factory
from firmware.pins import PartName, PinsProfile

log = logging.getLogger(__name__)

BUTTONS: tuple[PartName, ...] = ("start_button", "help_button", "mute_button")
TO_GROUND: frozenset[PartName] = frozenset({*BUTTONS, "shutter_open"})
"""Switches between pin and ground, held high by the pin's own pull-up; a USB adapter needs 10 kohm outside."""
INPUTS: frozenset[PartName] = TO_GROUND | {"presence"}


class Output(Protocol):
    """What is used of gpiozero's DigitalOutputDevice."""

    def on(self) -> None: ...
    def off(self) -> None: ...
    def close(self) -> None: ...


class Input(Protocol):
    """What is used of gpiozero's DigitalInputDevice."""

    when_activated: Any
    when_deactivated: Any

    @property
    def is_active(self) -> bool: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Parts:
    """What the panel has, by name, and why the rest is not there."""

    outputs: dict[PartName, Output] = field(default_factory=dict)
    inputs: dict[PartName, Input] = field(default_factory=dict)
    faults: dict[PartName, str] = field(default_factory=dict)
    factory: Any = None

    @property
    def is_gone(self) -> bool:
        """Whether the chip that they hang on was pulled out."""
        return bool(getattr(self.factory, "is_gone", False))

    def close(self) -> None:
        """Put everything out and give the pins back."""
        for output in self.outputs.values():
            _quietly(output.off)
            _quietly(output.close)
        for switch in self.inputs.values():
            _quietly(switch.close)
        if self.factory is not None:
            _quietly(self.factory.close)


def take_parts(pins: PinsProfile, make_factory: Callable[[PinsProfile], Any] = pin_factory) -> Parts:
    """Never raises; what cannot be had is in `faults`."""
    parts = Parts()
    try:
        parts.factory = make_factory(pins)
    except Exception as error:  # gpiozero raises whatever its pin libraries raise, ImportError included
        parts.faults = dict.fromkeys(pins.by_part, words(error))
        log.warning("the panel is not there: %s", words(error))
        return parts
    from gpiozero import DigitalInputDevice, DigitalOutputDevice

    for name, line in pins.by_part.items():
        try:
            if name in INPUTS:
                pull_up = name in TO_GROUND
                parts.inputs[name] = DigitalInputDevice(line, pull_up=pull_up, pin_factory=parts.factory)
            else:
                parts.outputs[name] = DigitalOutputDevice(line, pin_factory=parts.factory)
        except Exception as error:  # as above
            parts.faults[name] = f"pin {line}: {words(error)}"
            log.warning("the panel's %s is not there: pin %d: %s", name, line, words(error))
    return parts


def words(error: BaseException) -> str:
    """An error of a pin library, whose text may be empty."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # a USB adapter may have been unplugged
        log.warning("a pin was not given back: %s", words(error))
