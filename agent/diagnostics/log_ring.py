"""The agent's last log lines, in memory: for a machine whose journal cannot be read."""

from __future__ import annotations

import logging
import threading
from collections import deque

LINES = 2000
LINE_CHARACTERS = 400


class LogRing(logging.Handler):
    """Keeps the newest lines as they were logged; added to the root logger once."""

    def __init__(self, lines: int = LINES) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._lines: deque[str] = deque(maxlen=lines)
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; a traceback is left out, since its text may repeat what came."""
        try:
            record.exc_info, kept = None, record.exc_info
            line = self.format(record).split("\n", 1)[0][:LINE_CHARACTERS]
            record.exc_info = kept
        except Exception:
            self.handleError(record)
            return
        with self._guard:
            self._lines.append(line)

    def text(self) -> str:
        """All of them, the oldest first."""
        with self._guard:
            return "\n".join(self._lines)
