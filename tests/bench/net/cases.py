"""The lines that a call is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.net.line import BurstLoss, Change, RandomLoss, Shape

BASE_DELAY_S = 0.02
"""One way, in all cases but the clean one: a loss that is repaired in no time at all teaches nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line, the same in both directions. changes count from the first measured moment.

    The rate holds from the first datagram on, loss from the first picture on, since setting a call up is measured
    elsewhere.
    """

    name: str
    title: str
    shape: Shape
    measure_s: float = 20.0
    changes: tuple[Change, ...] = ()

    @property
    def drop(self) -> tuple[float, float, int] | None:
        """When the rate falls, until when it stays so, and to how many bit/s; None if it does not."""
        if len(self.changes) < 2 or self.changes[0].bit_rate is None:
            return None
        return self.changes[0].at_s, self.changes[1].at_s, self.changes[0].bit_rate


def _limited(name: str, bit_rate: int) -> Case:
    return Case(name, f"{bit_rate // 1000} kbit/s", Shape(bit_rate, delay_s=BASE_DELAY_S))


CASES: Sequence[Case] = (
    Case("clean", "clean", Shape()),
    _limited("1000k", 1_000_000),
    _limited("500k", 500_000),
    _limited("300k", 300_000),
    Case("loss2", "2 % random loss", Shape(loss=RandomLoss(0.02), delay_s=BASE_DELAY_S)),
    Case("loss5", "5 % random loss", Shape(loss=RandomLoss(0.05), delay_s=BASE_DELAY_S)),
    Case("burst10", "10 % loss in bursts of 5", Shape(loss=BurstLoss(0.10, 5), delay_s=BASE_DELAY_S)),
    Case("jitter", "100 ± 30 ms round trip, in order", Shape(delay_s=0.05, jitter_s=0.015)),
    Case(
        "drop",
        "3 Mbit/s, 400 kbit/s, 3 Mbit/s",
        Shape(3_000_000, delay_s=BASE_DELAY_S),
        measure_s=36.0,
        changes=(Change(8.0, 400_000), Change(22.0, 3_000_000)),
    ),
)
MORE_CASES: Sequence[Case] = (
    Case(
        "reorder", "100 ± 30 ms round trip, out of order", Shape(delay_s=0.05, jitter_s=0.015, in_order=False)
    ),
)
"""Only measured when asked for by name."""


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, or all that are measured by default. ValueError names those there are."""
    known = {case.name: case for case in (*CASES, *MORE_CASES)}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no case {name!r}; choose from {', '.join(known)}")
    return [known[name] for name in names] if names else list(CASES)
