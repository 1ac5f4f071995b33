"""What two trains of packets tell of a line: loss, how much it carries, delay and its spread. Pure.

The first train is as thin as sound and fills no line, so what it loses is the line's own loss. The second is as
thick as a call. A line that is too narrow for it loses or delays many packets then, which is no loss that a call
would have: a call sends less.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from itertools import pairwise

LATE_S = 0.25
"""A packet that stands in a queue for longer than this has met a line that is full."""
BURST_S = 0.5
"""A line that is held to a rate lets the first packets through faster (RFC 2697: its burst size)."""
HELD_BACK_SHARE = 0.1
"""More of the thick train late or lost than this, beside the line's own loss: the line does not carry it."""
OWN_LOSS_FACTOR, OWN_LOSS_SLACK = 2.0, 0.03
"""The thick train's loss is taken for the line's own up to this much of the thin one's (which has few packets)."""


@dataclass(slots=True)
class Train:
    """Packets of one size, numbered from 0: when each left us and came back, in seconds of one monotonic clock."""

    size_bytes: int
    sent_at: list[float] = field(default_factory=list)
    came_at: dict[int, float] = field(default_factory=dict)

    def sent(self, now: float) -> int:
        """One leaves; its number."""
        self.sent_at.append(now)
        return len(self.sent_at) - 1

    def came(self, number: int, now: float) -> None:
        """One is back; what comes twice, or was never sent, counts for nothing."""
        if number < len(self.sent_at):
            self.came_at.setdefault(number, now)

    @property
    def lost(self) -> int:
        """Those that have not come."""
        return len(self.sent_at) - len(self.came_at)

    @property
    def loss_share(self) -> float:
        """Of all that were sent."""
        return self.lost / len(self.sent_at) if self.sent_at else 0.0

    @property
    def delays_s(self) -> list[float]:
        """Of those that came, in the order of their numbers."""
        return [self.came_at[number] - self.sent_at[number] for number in sorted(self.came_at)]

    @property
    def bit_rate(self) -> float:
        """At which they came, in bit/s, once the line's first burst was over; 0 for fewer than two."""
        if len(self.came_at) < 2:
            return 0.0
        first_s, last_s = min(self.came_at.values()), max(*self.came_at.values(), self.sent_at[-1])
        since_s = first_s + BURST_S if last_s > first_s + 2 * BURST_S else first_s
        bits = sum(came > since_s for came in self.came_at.values()) * self.size_bytes * 8
        return bits / max(last_s - since_s, 1e-3)

    @property
    def sent_bit_rate(self) -> float:
        """At which they left, in bit/s: less than was meant where the machine was busy."""
        if len(self.sent_at) < 2:
            return 0.0
        return (len(self.sent_at) - 1) * self.size_bytes * 8 / max(self.sent_at[-1] - self.sent_at[0], 1e-3)


@dataclass(frozen=True, slots=True)
class LineFigures:
    """There and back together. None: this way of measuring does not show it.

    loss_share: 0 to 1. bit_rate: what came of the thick train, bit/s. is_full: the line did not carry all of that
    train, so that bit_rate is what it carries; otherwise it carries at least that.
    """

    loss_share: float | None
    bit_rate: float | None
    is_full: bool
    round_trip_ms: float
    jitter_ms: float


def figures_of(thin: Train, thick: Train, *, shows_loss: bool = True) -> LineFigures:
    """shows_loss: False where TCP repeats what is lost."""
    base_s = min(thin.delays_s or thick.delays_s, default=0.0)
    in_time = sum(delay <= base_s + LATE_S for delay in thick.delays_s)
    own = (1 - thin.loss_share) * (1 - HELD_BACK_SHARE)
    is_late = in_time < len(thick.sent_at) * own
    return LineFigures(
        loss_share=_own_loss(thin, thick) if shows_loss else None,
        bit_rate=thick.bit_rate,
        # A busy machine is late too, but what it sends comes as fast as it goes.
        is_full=is_late and thick.bit_rate < thick.sent_bit_rate * own,
        round_trip_ms=_median_ms(thin),
        jitter_ms=_jitter_ms(thin),
    )


def thin_figures(thin: Train) -> LineFigures:
    """Where no thick train can be sent."""
    return LineFigures(thin.loss_share, None, False, _median_ms(thin), _jitter_ms(thin))


def _own_loss(thin: Train, thick: Train) -> float:
    if thick.loss_share > thin.loss_share * OWN_LOSS_FACTOR + OWN_LOSS_SLACK:
        return thin.loss_share
    sent = len(thin.sent_at) + len(thick.sent_at)
    return (thin.lost + thick.lost) / sent if sent else 0.0


def _median_ms(train: Train) -> float:
    return round(statistics.median(train.delays_s) * 1000, 1) if train.came_at else 0.0


def _jitter_ms(train: Train) -> float:
    """Mean change of the delay from a packet to the next (RFC 3550, section 6.4.1, without its smoothing)."""
    delays_s = train.delays_s
    changes = [abs(later - earlier) for earlier, later in pairwise(delays_s)]
    return round(statistics.fmean(changes) * 1000, 2) if changes else 0.0
