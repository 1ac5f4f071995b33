"""What the agent's process costs: its processor time and its memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped,unused-ignore]

SAMPLE_EVERY_S = 0.5
MIB = 2**20


@dataclass
class AgentMeter:
    """Processor time (of one core) and most resident memory, of a process and no other, while it is held.

    machine_pct: how busy all cores together were meanwhile, with everything that ran on them.
    """

    pid: int
    cpu_pct: float = 0.0
    machine_pct: float = 0.0
    rss_mib: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> AgentMeter:
        self._process = psutil.Process(self.pid)
        self._began, self._used = time.monotonic(), self._seconds()
        psutil.cpu_percent()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.machine_pct = float(psutil.cpu_percent())
        passed = time.monotonic() - self._began
        self.cpu_pct = round(100 * (self._seconds() - self._used) / passed, 1)

    def _seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _watch(self) -> None:
        while True:
            self.rss_mib = max(self.rss_mib, round(self._process.memory_info().rss / MIB, 1))
            if self._over.wait(SAMPLE_EVERY_S):
                return
