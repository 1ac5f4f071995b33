"""Judges from the page's signs of life whether the browser must be started again. Pure: time and signs come in.

A page speaks once a second (agent/screen_alive.py). One that has spoken and falls silent while the agent answers
is frozen, or is another page than ours. One that has not spoken yet is starting, and is given more time each time.
While the agent is away the page shows that by itself and calls the guard instead (lifeline.py); one that does not
is the browser's own error page, or worse. When the agent is back, the page has a moment.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["well", "in doubt", "not started", "frozen", "not back", "lost"]
"""The last four: start it again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    silent_s: float = 2.2
    """Twice the page's pace and a little. The rest of five seconds is for the new browser."""
    silent_most_s: float = 30.0
    start_s: float = 60.0
    """A Raspberry Pi takes under ten; a machine that is emulated takes a minute."""
    start_most_s: float = 240.0
    back_s: float = 3.0
    """The page asks for the feed again within a second of the agent's return, and speaks once a second."""
    start_alone_s: float = 15.0
    """Silence of a page that was led on to an agent that has gone since: it may have met with nobody there."""
    doubt_s: float = 1.4
    """From then on the agent is asked whether it is there."""
    counted_s: float = 1.0
    """The most that counts as silence between two looks: we did not run ourselves, so the machine stood still."""
    gaps: int = 30
    settled_s: float = 20.0
    """A browser that is judged ill sooner after its first word was perhaps only slow: patience is doubled."""
    patience_most: int = 16
    forgets_s: float = 600.0
    """After so long with one that was well, patience is as at the beginning."""
    pace_factor: float = 1.6
    """A machine whose page speaks slowly, when it is well, is given so many times its longest gap."""


class Watch:
    """One browser after another."""

    def __init__(self, limits: Limits | None = None, patience: int = 1) -> None:
        """patience: to begin with, of a machine that is known to be slow."""
        self._limits = limits or Limits()
        self._gaps: deque[float] = deque(maxlen=self._limits.gaps)
        self._failures = 0
        self._patience = self._patience_least = patience
        self._settled_s = 0.0
        self._verdict: Verdict = "in doubt"
        self._looked_at = 0.0
        self._mark: int | None = None
        self._calls: int | None = None
        self._silent_s = self._alone_s = 0.0
        self._has_spoken = self._agent_was_away = False

    def begin(self, now_s: float, mark: int | None) -> None:
        """A browser was started just now; `mark` is the sign's last change as it is."""
        self._looked_at, self._mark = now_s, mark
        self._silent_s = self._alone_s = self._settled_s = 0.0
        self._verdict = "in doubt"
        self._has_spoken = self._agent_was_away = False

    @property
    def is_well(self) -> bool:
        """The page has spoken, and lately."""
        return self._has_spoken and self._silent_s < self._limits.doubt_s

    @property
    def failures(self) -> int:
        """How many browsers in a row never spoke."""
        return self._failures

    @property
    def patience(self) -> int:
        """How many times as long as usual to wait: 1, and more on a machine that has shown that it is slow."""
        return self._patience

    @property
    def silent_limit_s(self) -> float:
        """How long a page that has spoken may be silent."""
        slow_s = self._limits.pace_factor * max(self._gaps, default=0.0)
        return min(max(self._limits.silent_s * self._patience, slow_s), self._limits.silent_most_s)

    @property
    def start_limit_s(self) -> float:
        """How long a browser may take to its page's first word."""
        return min(self._limits.start_s * max(1 << self._failures, self._patience), self._limits.start_most_s)

    def ended(self, *, judged: bool) -> None:
        """The browser is gone; one that never spoke counts as a failure, and the next is given longer. judged: it
        was ended for what it or the compositor did not say, which a slow machine may explain, too; a page that was
        lost while the agent was away says nothing of the machine."""
        self._failures = 0 if self._has_spoken else self._failures + 1
        is_lost = self._verdict in ("lost", "not back")
        if judged and not is_lost and self._settled_s < self._limits.settled_s:
            self._patience = min(2 * self._patience, self._limits.patience_most)

    def look(self, now_s: float, mark: int | None, *, agent_up: bool, calls: int | None = None) -> Verdict:
        """What is to be thought now. `agent_up` need only be known while it is not well. calls: how often the page
        has called the guard; None where it could not."""
        self._verdict = self._look(now_s, mark, agent_up, calls)
        return self._verdict

    def _look(self, now_s: float, mark: int | None, agent_up: bool, calls: int | None) -> Verdict:
        since_s = min(now_s - self._looked_at, self._limits.counted_s)
        self._looked_at = now_s
        self._silent_s += since_s
        if mark is not None and mark != self._mark:
            self._speaks(mark)
            return "well"
        if not agent_up:
            self._agent_was_away = True
            self._silent_s = min(self._silent_s, self._limits.doubt_s)  # what was said was not heard
            return self._judge_alone(since_s, calls)
        self._alone_s = 0.0
        return self._judge()

    def _speaks(self, mark: int) -> None:
        if self._has_spoken and not self._agent_was_away:
            self._gaps.append(self._silent_s)
            self._settled_s += self._silent_s
            if self._settled_s > self._limits.forgets_s:
                self._patience = self._patience_least
        self._mark, self._silent_s = mark, 0.0
        self._has_spoken, self._agent_was_away = True, False
        self._failures = 0

    def _judge_alone(self, since_s: float, calls: int | None) -> Verdict:
        self._alone_s = self._alone_s + since_s if calls == self._calls else 0.0
        self._calls = calls
        if calls is None:
            return "in doubt"
        limit_s = self._limits.start_alone_s * 2**self._failures
        if self._has_spoken:
            limit_s = max(self._limits.back_s, self.silent_limit_s)
        return "lost" if self._alone_s >= limit_s else "in doubt"

    def _judge(self) -> Verdict:
        if not self._has_spoken:
            return "not started" if self._silent_s >= self.start_limit_s else "in doubt"
        if self._agent_was_away:
            back_s = max(self._limits.back_s, self.silent_limit_s)
            return "not back" if self._silent_s >= self._limits.doubt_s + back_s else "in doubt"
        if self._silent_s >= self.silent_limit_s:
            return "frozen"
        return "well" if self.is_well else "in doubt"
