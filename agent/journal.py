"""Log lines for systemd's journal, with fields to search by; for the agent and the region.

    journalctl -u halsorum-agent HALSORUM_TOPIC=dn/config        # what was refused of one kind of message
    journalctl HALSORUM_STALLED=media                            # when the watchdog's reason was the media

A line gives them as `extra={"halsorum_topic": …}`. The journal outlives a session, so FIELDS are names of our own
making and never what a person is, said or typed; an error's text is left out, since it may repeat what came.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from agent.faults import kind_and_place

FIELDS = ("topic", "field", "state", "command", "stalled", "part", "boot")
"""kind of topic (dn/config), field of a message, state of a machine, a command's name, what stands still, which
part of the program, count of starts."""
Send = Callable[..., object]


def is_under_journal(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether standard error goes to journald (systemd.exec(5), JOURNAL_STREAM=)."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        mine = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(mine.st_dev), str(mine.st_ino))


def start_logging(
    level: int | str = logging.INFO, plain: str = "%(levelname)s %(name)s: %(message)s"
) -> None:
    """To the journal where systemd has started us, else to standard error in the form `plain`."""
    if is_under_journal():
        import systemd.journal

        logging.basicConfig(level=level, handlers=[JournalHandler(systemd.journal.send)])
    else:
        logging.basicConfig(level=level, format=plain)


class JournalHandler(logging.Handler):
    """One entry for a line (systemd.journal-fields(7)). systemd-python's own takes all that a record holds along,
    arguments and errors' texts too."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; a journal that is away loses the line and no more."""
        try:
            self._send(_message(record), **entry_fields(record))
        except Exception:
            self.handleError(record)


def entry_fields(record: logging.LogRecord) -> dict[str, Any]:
    """All but the message."""
    given = {f"HALSORUM_{name.upper()}": getattr(record, f"halsorum_{name}", None) for name in FIELDS}
    return {
        "PRIORITY": str(priority(record.levelno)),
        "SYSLOG_IDENTIFIER": "halsorum",
        "LOGGER": record.name,
        "THREAD_NAME": str(record.threadName),
        "CODE_FILE": record.filename,
        "CODE_LINE": record.lineno,
        "CODE_FUNC": record.funcName,
        **{name: str(value) for name, value in given.items() if value not in {None, ""}},
    }


def priority(level: int) -> int:
    """syslog(3)'s, from Python's."""
    steps = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((number for least, number in steps if level >= least), 7)


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    return f"{text}: {kind_and_place(error)}" if error is not None else text
