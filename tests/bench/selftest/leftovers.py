"""Nothing that the bench started outlives it, however it ends and whoever a process was left to."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h: processes whose parent has ended become children of this one, and are found below it."""
GONE_WITHIN_S, LOOK_S = 5.0, 0.02


def adopt() -> None:
    """From now on whatever is started from here stays below this process."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_once() -> None:
    """The first Ctrl-C, SIGTERM or SIGHUP ends the bench; those after it do not disturb its clearing up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def family(pid: int) -> list[int]:
    """A process and all that come from it, parents first."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(word) for word in (task / "children").read_text().split()]
    return found


def wake_children() -> None:
    """What a fault held still cannot be asked to end."""
    for pid in family(os.getpid())[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def end_children() -> list[str]:
    """Kill all that is below this process, and wait until it is gone. Gives the names of those that still ran."""
    names: list[str] = []
    until_s = time.monotonic() + GONE_WITHIN_S
    while (pids := family(os.getpid())[1:]) and time.monotonic() < until_s:
        names += [name for pid in pids if (name := _killed(pid))]
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(LOOK_S)
    return names


def _killed(pid: int) -> str:
    """Its name; empty for one that has ended, or was killed already and ends now."""
    with suppress(OSError):
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
        if rest.split()[0] not in "ZX" and pid not in _killed_once:
            _killed_once.add(pid)
            os.kill(pid, signal.SIGKILL)
            return name
    return ""


_killed_once: set[int] = set()
