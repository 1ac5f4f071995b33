"""The agent's way to begin anew: everything is stopped in order, and the same program takes this one's place.

The process keeps its number, so systemd and whoever else started it see one service that goes on (execve(2)).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


class Restart:
    """Asked for while the agent runs; main() does it when all has stopped."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self.is_asked = False

    def ask(self) -> None:
        """Stop, and begin anew."""
        self.is_asked = True
        self._stop()

    def leave(self) -> None:
        """Stop, and let systemd start the service again, with all that it does before."""
        self._stop()


def begin_anew() -> None:
    """Does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves
