"""A loop whose clock stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable


class _Timer:
    def __init__(self, at: float, callback: Callable[..., None], arguments: tuple) -> None:
        self.at, self.callback, self.arguments, self.cancelled = at, callback, arguments, False

    def cancel(self) -> None:
        self.cancelled = True


class StillLoop:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._timers: list[_Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., None], *arguments: object) -> _Timer:
        timer = _Timer(self.now + delay, callback, arguments)
        self._timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = [t for t in self._timers if not t.cancelled and t.at <= end]
            if not due:
                break
            timer = min(due, key=lambda t: t.at)
            self._timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.callback(*timer.arguments)
        self.now = end
