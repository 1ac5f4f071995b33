"""What the page of figures shows: how ready the rooms were, per unit and month. Without persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Cause = Literal["room", "patient", "clinician", "connection"]
"""Why a session began late or not at all: the room was not ready, the patient came late, the clinician let them in
late, or the call did not come about."""
CAUSES: tuple[Cause, ...] = get_args(Cause)

FIRST_YEAR, LAST_YEAR = 2000, 2999
"""What a month may be asked of."""


@dataclass(frozen=True, slots=True)
class FaultFigures:
    """One kind of fault: how often, and how long until it was mended, in minutes. `still`: one is there now."""

    instruction: str
    count: int
    median_minutes: float
    longest_minutes: float
    still: bool = False


@dataclass(frozen=True, slots=True)
class UnitMonth:
    """One unit in one month. `in_time`: how many of the sessions `held` began within two minutes of their time;
    those that could not be held since the room was not ready count among them."""

    unit: str
    month: str
    held: int = 0
    in_time: int = 0
    causes: Mapping[Cause, int] = field(default_factory=dict)
    faults: tuple[FaultFigures, ...] = ()

    @property
    def share(self) -> float | None:
        """Of those held, 0 to 1; None where none was."""
        return self.in_time / self.held if self.held else None

    @property
    def percent(self) -> str:
        """The same as people read it, empty where none was held. Cut, not rounded: 100 % is every one."""
        return f"{100 * self.in_time // self.held} %" if self.held else ""
