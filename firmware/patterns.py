"""How lamps and buzzer say what they say: by colour, and without colour by rhythm. Pure.

No rhythm flashes more than three times in a second (WCAG 2.2, success criterion 2.3.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Colour = Literal["red", "green", "blue"]
DoorState = Literal["off", "free", "soon", "occupied", "help", "fault"]
HelpSignal = Literal["off", "calling", "answered"]
ROUNDING_S = 0.002
"""A change that is due is not found a hair's breadth before its time."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Seconds lit and dark in turn, again and again; without any it is steady."""

    seconds: tuple[float, ...] = ()

    def is_lit(self, elapsed_s: float) -> bool:
        """Whether it is lit this long after it began."""
        return not self.seconds or self._step(elapsed_s)[0] % 2 == 0

    def changes_in_s(self, elapsed_s: float) -> float | None:
        """How long it then stays so; None for ever."""
        return self._step(elapsed_s)[1] if self.seconds else None

    def _step(self, elapsed_s: float) -> tuple[int, float]:
        left = (elapsed_s + ROUNDING_S) % sum(self.seconds)
        for index, span_s in enumerate(self.seconds):
            if left < span_s:
                return index, span_s - left
            left -= span_s
        return 0, self.seconds[0]


STEADY = Pattern()
BLINK = Pattern((0.5, 0.5))
BEEP = Pattern((0.3, 1.7))
"""Heard through a door, and not so often that nobody can talk beside it."""


@dataclass(frozen=True, slots=True)
class Look:
    """A pattern in a colour; colours are those of the lamp's parts that are lit together."""

    pattern: Pattern
    colours: frozenset[Colour]


def _look(pattern: Pattern, *colours: Colour) -> Look:
    return Look(pattern, frozenset(colours))


LOCATE = _look(BLINK, "red", "green", "blue")
DOOR: Mapping[DoorState, Look] = MappingProxyType(
    {
        "free": _look(Pattern((0.1, 2.9)), "green"),
        "soon": _look(Pattern((1.0, 1.0)), "red", "green"),
        "occupied": _look(STEADY, "red"),
        "help": _look(Pattern((0.25, 0.25)), "blue"),
        "fault": _look(Pattern((0.15, 0.15, 0.15, 1.55)), "red", "green"),
    }
)
"""Each with a rhythm of its own: a short flash now and then, slow, steady, fast, and two flashes with a pause."""


def seen_on(colours: frozenset[Colour], there: frozenset[Colour]) -> frozenset[Colour]:
    """A look's colours on a lamp that may not have them all: of two colours, red stands for blue."""
    red: frozenset[Colour] = frozenset({"red"})
    return (colours & there) or (red & there) or there
