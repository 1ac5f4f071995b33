"""How much processor time processes use."""

from __future__ import annotations

import os
import time
from collections import Counter

import psutil  # type: ignore[import-untyped,unused-ignore]


def tree_seconds(pid: int) -> Counter[str]:
    """Processor seconds so far of a process and its descendants, by Chromium's kind of process."""
    seconds: Counter[str] = Counter()
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
            seconds[_kind(process)] += times.user + times.system
        except psutil.Error:
            continue  # ended meanwhile
    return seconds


def _kind(process: psutil.Process) -> str:
    # Chromium's children write their arguments as one string.
    words = " ".join(process.cmdline()).split()
    return next((word[7:] for word in words if word.startswith("--type=")), "main")


def browser_pid(before: set[int]) -> int:
    """The child of this process tree that is a browser and was not there before."""
    for process in psutil.Process().children(recursive=True):
        line = " ".join(process.cmdline())
        if process.pid not in before and "--type=" not in line and "remote-debugging-pipe" in line:
            return int(process.pid)
    raise RuntimeError("the browser's process cannot be found")


def own_pids() -> set[int]:
    """This process's descendants."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


class Meter:
    """Use of one process tree, and of the machine by everybody else, from its making to read()."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._tree = tree_seconds(pid)
        self._ours = sum(tree_seconds(os.getpid()).values())
        self._machine = _machine_seconds()

    def read(self) -> dict[str, object]:
        """In percent of one core: the sender, the same by kind of process, what others on this machine used,
        and what the hypervisor took for others' machines.
        """
        seconds = time.monotonic() - self._began
        grown = tree_seconds(self._pid)
        grown.subtract(self._tree)
        ours = sum(tree_seconds(os.getpid()).values()) - self._ours
        machine = _machine_seconds()
        others = _busy_s(machine) - _busy_s(self._machine) - ours
        return {
            "sender_cpu_pct": sum(grown.values()) / seconds * 100,
            "sender_cpu_pct_by_kind": {kind: used / seconds * 100 for kind, used in grown.items()},
            "others_cpu_pct": max(0.0, others) / seconds * 100,
            "stolen_cpu_pct": (_stolen_s(machine) - _stolen_s(self._machine)) / seconds * 100,
        }


def _machine_seconds() -> dict[str, float]:
    seconds: dict[str, float] = psutil.cpu_times()._asdict()
    return seconds


def _busy_s(seconds: dict[str, float]) -> float:
    return sum(seconds.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))


def _stolen_s(seconds: dict[str, float]) -> float:
    return seconds.get("steal", 0.0)
