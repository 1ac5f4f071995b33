"""Thins a camera's pictures out to a lower frame rate, evenly."""

from __future__ import annotations


class FrameRateLimiter:
    """Says which pictures to keep. Rates in frames/s; times in seconds of time.monotonic()."""

    def __init__(self, camera_rate: float) -> None:
        self._camera_rate = camera_rate
        self._rate = camera_rate
        self._due: float | None = None

    @property
    def rate(self) -> float:
        """Frames/s that come through."""
        return min(self._rate, self._camera_rate)

    def set_rate(self, rate: float) -> None:
        """Ask for another rate; what is above the camera's is the camera's."""
        self._rate = max(1.0, rate)

    def keeps(self, captured_at: float) -> bool:
        """Whether the picture captured then is one to encode."""
        if self._rate >= self._camera_rate:
            return True
        interval = 1 / self._rate
        # Half a camera interval of grace, so that jitter never costs a picture that was meant.
        if self._due is not None and captured_at + 0.5 / self._camera_rate < self._due:
            return False
        late = self._due is None or captured_at > self._due + interval
        self._due = (captured_at if late or self._due is None else self._due) + interval
        return True
