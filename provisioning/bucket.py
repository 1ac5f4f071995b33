"""A token bucket: so many at once, and after that so many a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Bucket:
    """`most` at once, refilled by `per_s` each second; the clock is the caller's."""

    most: float
    per_s: float
    left: float = -1.0
    at: datetime | None = None

    def takes(self, now: datetime) -> bool:
        """Whether one more may pass now; if so it has been counted."""
        if self.at is None:
            self.left = self.most
        else:
            passed_s = max(0.0, (now - self.at).total_seconds())
            self.left = min(self.most, self.left + passed_s * self.per_s)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
