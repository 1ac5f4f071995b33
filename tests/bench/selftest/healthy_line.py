"""What two trains of packets bring over a line that carries a call: loss up to 1 %, some delay, some jitter."""

from __future__ import annotations

import random

from agent.media.line_figures import LineFigures, Train, figures_of
from agent.media.line_measure import THICK, THIN, Pace

MOST_LOSS = 0.01
"""There and back; `make bench-net` shows that a call does not suffer from it."""


def line_figures(dice: random.Random) -> LineFigures:
    """Of one healthy line."""
    loss = dice.uniform(0, MOST_LOSS) if dice.random() < 0.5 else 0.0
    round_trip_s, jitter_s = dice.uniform(0.004, 0.25), dice.uniform(0.0002, 0.012)
    return figures_of(*(_train(pace, dice, loss, round_trip_s, jitter_s) for pace in (THIN, THICK)))


def _train(pace: Pace, dice: random.Random, loss: float, round_trip_s: float, jitter_s: float) -> Train:
    train = Train(pace.size_bytes)
    for index in range(round(pace.per_s * pace.for_s)):
        at = index / pace.per_s
        number = train.sent(at)
        if dice.random() >= loss:
            train.came(number, at + round_trip_s + dice.expovariate(1 / jitter_s))
    return train
