"""How many units each stage of a rollout holds. Pure.

>>> sizes(300, ("1", "10%", "100%"))
(1, 30, 269)
>>> sizes(5, ("10", "50%"))
(5,)
>>> failures(300, "5%")
15
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

MAX_STAGES = 10
_PART = re.compile(r"([1-9][0-9]{0,5})(%?)")


def parse(text: str) -> tuple[str, ...]:
    """Stages as typed, with commas or spaces between; raises ValueError."""
    parts = tuple(text.replace(",", " ").split())
    if not 1 <= len(parts) <= MAX_STAGES:
        raise ValueError("stages")
    return tuple(_checked(part) for part in parts)


def threshold(text: str) -> str:
    """How many may fail, as typed: a number or a share, also none; raises ValueError."""
    said = text.strip().replace(" ", "")
    return said if said in ("0", "0%") else _checked(said)


def sizes(total: int, stages: Sequence[str]) -> tuple[int, ...]:
    """Units by stage: a number, or a share of all; the last takes the rest, and empty stages fall away."""
    left, found = total, []
    for stage in stages:
        size = min(left, _count(total, stage, up=True))
        found.append(size)
        left -= size
    if found:
        found[-1] += left
    return tuple(size for size in found if size)


def failures(total: int, allowed: str) -> int:
    """How many units may fail before it stops."""
    return _count(total, allowed, up=False)


def _count(total: int, text: str, *, up: bool) -> int:
    number = int(text.removesuffix("%"))
    if not text.endswith("%"):
        return number
    share = total * number / 100
    return math.ceil(share) if up else math.floor(share)


def _checked(part: str) -> str:
    found = _PART.fullmatch(part)
    if found is None or not part.isascii() or (found[2] and int(found[1]) > 100):
        raise ValueError(part)
    return part
