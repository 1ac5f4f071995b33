"""A program with everything that it has started, ended together."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
READ_BYTES, KEPT_BYTES, LAST_LINES = 65536, 4096, 5
GONE_WITHIN_S = 2.0
POLL_S = 0.01


def keep_orphans() -> None:
    """What a program of ours leaves behind becomes our own child, so that nothing escapes end_all."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Program(subprocess.Popen[bytes]):
    """Started in a session of its own. What it says is read, so that it never waits for us, and the last is kept:
    some say the same sixty times a second, which is nothing for the journal."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Raises OSError."""
        super().__init__(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.stderr is not None
        os.set_blocking(self.stderr.fileno(), False)
        self._said = b""

    def await_end(self, within_s: float) -> None:
        """Return when it has ended, or after so long."""
        if self.poll() is None:
            ended = os.pidfd_open(self.pid)
            try:
                select.select([ended], [], [], within_s)
            finally:
                os.close(ended)

    def listen(self) -> None:
        """Read what it has said since."""
        assert self.stderr is not None
        while said := self.stderr.read(READ_BYTES):
            self._said = (self._said + said)[-KEPT_BYTES:]

    def last_words(self) -> str:
        """The last lines that it said, each once."""
        self.listen()
        lines = self._said.decode(errors="replace").splitlines()
        return " | ".join(dict.fromkeys(line.strip() for line in lines[-LAST_LINES:]))


def children(pid: int) -> list[int]:
    """Of every thread of a process (proc(5)); empty if it is gone."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found.extend(int(word) for word in file.read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Children, theirs, and so on."""
    found, new = [], children(pid)
    while new:
        found.extend(new)
        new = [grandchild for child in new for grandchild in children(child)]
    return found


def end_all(but: Iterable[int] = (), within_s: float = GONE_WITHIN_S) -> None:
    """kill -9 every descendant of ours but these and what they have started; nothing is left to be said to them.

    A stopped process, too, ends by SIGKILL alone (signal(7)). What has ended is reaped, whoever its parent was.
    """
    kept = {one for pid in but for one in (pid, *descendants(pid))}
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        left = [pid for pid in descendants(os.getpid()) if pid not in kept]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap(left)
        time.sleep(POLL_S)


def reap_orphans(but: Iterable[int]) -> None:
    """Take leave of those that became our children and have ended; those of Popen are its own to take leave of."""
    kept = set(but)
    _reap([pid for pid in children(os.getpid()) if pid not in kept])


def _reap(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
