"""What a torture leaves to be counted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts, and what each is about."""

    cycles: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """When the unit did not come back by itself, or not as it should be."""
    run_twice: list[str] = field(default_factory=list)
    begun: int = 0

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing done twice."""
        return not self.lost and not self.run_twice


def begun_commands(lines: Iterable[str]) -> Counter[str]:
    """How often each command was begun, by the log of agent.fault_points: `running <id> <name>`."""
    return Counter(line.split()[1] for line in lines if line.startswith("running "))
