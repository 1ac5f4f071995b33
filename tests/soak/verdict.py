"""Flat or not: judged from samples, told as a table and a course. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.soak.measure import Sample

GROWTH_MAX_MIB = 5.0
SETTLE_S = 300.0
"""In call: what is loaded, pooled and filled once is there by then."""
SETTLE_SHARE = 1 / 6
"""Of a part that is too short for that, and of the short calls."""
WINDOW = 12
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the soak, and what was found."""

    name: str
    samples: list[Sample]
    left: dict[str, list[str]]
    still: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    settle_s: float | None = SETTLE_S

    @property
    def settled(self) -> Sequence[Sample]:
        """The samples from which on memory is to be flat."""
        last = self.samples[-1].at_s if self.samples else 0.0
        if self.settle_s is not None and last >= 2 * self.settle_s:
            return [sample for sample in self.samples if sample.at_s >= self.settle_s]
        return self.samples[int(len(self.samples) * SETTLE_SHARE) :]

    @property
    def growth_mib(self) -> float | None:
        """Median of the last samples less that of the first ones; None if there are too few to say."""
        settled = [sample.rss_mib for sample in self.settled]
        window = min(WINDOW, len(settled) // 3)
        return round(median(settled[-window:]) - median(settled[:window]), 2) if window else None

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, in words."""
        growth = self.growth_mib
        found = [f"{self.name}: left after the call: {kind}: {names}" for kind, names in self.left.items()]
        found += [f"{self.name}: pictures stood still for a minute: {where}" for where in self.still]
        if growth is None:
            found.append(f"{self.name}: too short to say whether memory is flat")
        elif growth >= GROWTH_MAX_MIB:
            found.append(f"{self.name}: resident memory grew by {growth} MiB")
        return found

    def row(self) -> dict[str, Any]:
        """The table's figures."""
        rss = [sample.rss_mib for sample in self.samples]
        return {
            "samples": len(rss),
            "seconds": self.samples[-1].at_s if rss else 0,
            "rss first": rss[0] if rss else None,
            "rss most": max(rss, default=None),
            "rss last": rss[-1] if rss else None,
            "growth": self.growth_mib,
            "threads": max((sample.threads for sample in self.samples), default=None),
            "descriptors": max((sample.descriptors for sample in self.samples), default=None),
            "a call took, s": f"{median(self.took_s):.1f}, most {max(self.took_s):.1f}"
            if self.took_s
            else "",
            "left": sum(len(names) for names in self.left.values()),
        }


def course(samples: Sequence[Sample], width: int = 60) -> str:
    """Resident memory as a line of bars, from least to most."""
    rss = [sample.rss_mib for sample in samples]
    if not rss:
        return ""
    least, span = min(rss), max(max(rss) - min(rss), 0.01)
    step = max(1, -(-len(rss) // width))
    means = [sum(part) / len(part) for part in (rss[at : at + step] for at in range(0, len(rss), step))]
    bars = "".join(_BARS[min(7, int((mean - least) / span * 8))] for mean in means)
    return f"{bars}  {least:.1f} to {max(rss):.1f} MiB"
