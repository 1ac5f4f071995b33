"""What a probe of the room's self-test says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.contract.instructions import INSTRUCTIONS
from agent.contract.instructions import Level as FaultLevel

Level = Literal["ok"] | FaultLevel


@dataclass(frozen=True, slots=True)
class Verdict:
    """One probe's word: `figure` in `unit`; when it is not ok why, for IT, and the key of the one thing to do."""

    probe: str
    level: Level = "ok"
    figure: float = 0.0
    unit: str = ""
    reason: str = ""
    instruction: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is nothing to do."""
        return self.level == "ok"


def well(probe: str, figure: float = 0.0, unit: str = "") -> Verdict:
    """Nothing to do."""
    return Verdict(probe, "ok", figure, unit)


def found(instruction: str, figure: float = 0.0, unit: str = "", *, reason: str) -> Verdict:
    """What this instruction is for; KeyError for one that the table does not have."""
    entry = INSTRUCTIONS[instruction]
    return Verdict(entry.probe, entry.level, figure, unit, reason, instruction)
