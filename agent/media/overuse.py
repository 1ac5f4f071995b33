"""Is the processor too slow for the picture asked of it? Pure: times come in as arguments.

A picture that the line would carry, but that takes too long to encode, comes late and leaves pictures out;
a smaller one comes in time. Judged as libwebrtc does: by the share of the time that encoding takes, waiting
for the processor included, with more patience for each time that a larger picture proved too much.
"""

from __future__ import annotations

from dataclasses import replace

from agent.media.source import EncodingTarget

WIDTHS = (1280, 960, 640, 480)
WINDOW_S = 2.0
TOO_MUCH = 0.85  # of the time, in two windows on end: a smaller picture
ENOUGH = 0.6  # of the time, as the larger picture is reckoned to take: it may come back
WINDOWS_OVER = 2
PATIENCE_S, PATIENCE_MAX_S = 10.0, 160.0
FORGIVEN_AFTER_S = 120.0  # a larger picture that has gone well for this long was not too much


class OveruseDetector:
    """Says how wide the picture may be, from how long each took."""

    def __init__(self) -> None:
        self._cap: int | None = None
        self._began: float | None = None
        self._spent_s = 0.0
        self._over = 0
        self._width = 0
        self._changed_at = 0.0
        self._patience_s = PATIENCE_S

    def add(self, encode_s: float, width: int, now: float) -> None:
        """A picture `width` pixels wide took `encode_s` seconds; it is `now` (seconds, monotonic)."""
        if self._began is None or width != self._width:
            self._began, self._spent_s, self._width, self._over = now, 0.0, width, 0
            return
        self._spent_s += encode_s
        elapsed = now - self._began
        if elapsed < WINDOW_S:
            return
        self._judge(self._spent_s / elapsed, now)
        self._began, self._spent_s = now, 0.0

    def _judge(self, usage: float, now: float) -> None:
        smaller = next((each for each in WIDTHS if each < self._width), None)
        self._over = self._over + 1 if usage > TOO_MUCH else 0
        if self._over >= WINDOWS_OVER and smaller is not None:
            relapsed = self._changed_at and now - self._changed_at < FORGIVEN_AFTER_S
            self._patience_s = min(self._patience_s * 2, PATIENCE_MAX_S) if relapsed else PATIENCE_S
            self._cap, self._changed_at, self._over = smaller, now, 0
        elif self._cap is not None and now - self._changed_at >= self._patience_s:
            larger = next((each for each in reversed(WIDTHS) if each > self._cap), None)
            if larger is None or self._width < self._cap:
                return  # the line holds the picture smaller than the processor would
            if usage * (larger / self._width) ** 2 < ENOUGH:
                self._cap, self._changed_at = (None if larger == WIDTHS[0] else larger), now

    def bounded(self, target: EncodingTarget) -> EncodingTarget:
        """The target, no wider than the processor can do."""
        if self._cap is None or target.width <= self._cap:
            return target
        height = target.height * self._cap // target.width & ~1
        return replace(target, width=self._cap, height=height)
