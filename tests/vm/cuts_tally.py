"""What came of many power cuts, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from tests.vm.kept_state import Kept


@dataclass(frozen=True)
class Cut:
    """One of them."""

    at_s: float
    """After power on."""
    boots: int
    """How often the region had heard the unit start by then."""
    wrong: tuple[str, ...]
    kept: Kept | None = None
    entries: int = 0
    """Of journald's."""

    def with_faults(self, faults: Sequence[str]) -> Cut:
        """The same, with what is wrong."""
        return replace(self, wrong=(*self.wrong, *faults))

    def with_kept(self, kept: Kept | None, entries: int) -> Cut:
        """The same, with what was found."""
        return replace(self, kept=kept, entries=entries)

    def line(self) -> str:
        """For whoever watches."""
        kept = "nothing kept yet" if self.kept is None else self.kept.line()
        verdict = "; ".join(self.wrong) or "whole"
        return f"after {self.at_s:.0f} s, {self.entries} journal entries, {kept}: {verdict}"


@dataclass
class Tally:
    """All of them."""

    cuts: list[Cut] = field(default_factory=list)

    def add(self, cut: Cut) -> None:
        """One more."""
        self.cuts.append(cut)

    def faulty(self) -> tuple[str, ...]:
        """The cuts after which something was wrong, each with its number from 1."""
        return tuple(
            f"cut {number}: {'; '.join(cut.wrong)}" for number, cut in enumerate(self.cuts, 1) if cut.wrong
        )

    def summary(self) -> str:
        """A sentence of figures."""
        if not self.cuts:
            return "no cut"
        moments = sorted(cut.at_s for cut in self.cuts)
        last = next((cut.kept for cut in reversed(self.cuts) if cut.kept is not None), None)
        bad = sum(bool(cut.wrong) for cut in self.cuts)
        held = "" if last is None else f"; at last {last.line()}"
        return (
            f"{len(self.cuts)} cuts {moments[0]:.0f} to {moments[-1]:.0f} s after power on (median "
            f"{median(moments):.0f}), {bad} with a fault{held}"
        )
