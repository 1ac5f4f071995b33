"""What root's small programs log: to systemd's journal with its fields where systemd has started them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

LEVELS = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
"""syslog(3)'s priorities."""


class JournalHandler(logging.Handler):
    """One entry for a line: message, priority, program and part (systemd.journal-fields(7))."""

    def __init__(self, part: str, send: Callable[..., object]) -> None:
        super().__init__()
        self._part, self._send = part, send

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; a journal that is away loses the line and no more."""
        try:
            self._send(
                record.getMessage(),
                PRIORITY=str(LEVELS.get(record.levelno, 7)),
                SYSLOG_IDENTIFIER="halsorum",
                HALSORUM_PART=self._part,
                CODE_FILE=record.filename,
                CODE_LINE=record.lineno,
                CODE_FUNC=record.funcName,
            )
        except Exception:
            self.handleError(record)


def start_logging(part: str) -> None:
    """For a program's main(); part: its name, such as "network"."""
    handlers: list[logging.Handler] | None = None
    if _is_under_journal():
        try:
            import systemd.journal
        except ImportError:  # the small programs run with the system's own Python too, which may not have it
            pass
        else:
            handlers = [JournalHandler(part, systemd.journal.send)]
    logging.basicConfig(level=logging.INFO, handlers=handlers, format="%(levelname)s %(name)s: %(message)s")


def _is_under_journal() -> bool:
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        mine = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(mine.st_dev), str(mine.st_ino))
