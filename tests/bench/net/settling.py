"""What a relay's course says: how much of the line was used, and how soon a sender came down with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

WINDOW_S = 1.0
QUEUE_MAX_MS = 200.0
HOLDS_S = 3.0
"""So long it must hold: a sender that looks for more room later has settled all the same."""

Course = Mapping[str, Any]


def kbit_per_s(course: Course) -> float:
    """What was sent into the line, headers of UDP and IP included."""
    return mean(course["sent_kbit_per_s"]) if course["sent_kbit_per_s"] else 0.0


def queue_ms(course: Course) -> float:
    """How long datagrams stood in the queue at worst, in ms, mean of all bins."""
    return mean(course["queue_ms"]) if course["queue_ms"] else 0.0


def used_share(course: Course) -> float | None:
    """What came through of what the line could carry; None on a line without limit."""
    limits = course["line_kbit_per_s"]
    if not limits or None in limits:
        return None
    return sum(course["passed_kbit_per_s"]) / sum(limits)


def settled_after_s(course: Course, falls_at_s: float, rises_at_s: float, bit_rate: int) -> float | None:
    """Seconds from the fall of the line's rate until the sender has come down with it; None if it never did.

    It has at the first moment from which on, for HOLDS_S, what it sent in the last WINDOW_S was at or under the
    line's new rate, and what entered the queue stayed under QUEUE_MAX_MS in it.
    """
    bin_s = course["bin_s"]
    first, last = round(falls_at_s / bin_s), min(round(rises_at_s / bin_s), len(course["sent_kbit_per_s"]))
    window, holds = round(WINDOW_S / bin_s), round(HOLDS_S / bin_s)
    calm = 0
    for index in range(first, last):
        sent = mean(course["sent_kbit_per_s"][max(0, index - window + 1) : index + 1])
        fits = sent <= bit_rate / 1000 and course["queue_ms"][index] < QUEUE_MAX_MS
        calm = calm + 1 if fits else 0
        if calm == holds:
            return float((index - holds + 1 - first + 1) * bin_s)
    return None
