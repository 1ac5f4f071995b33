"""How far an installation is: RAUC says 90 % from first byte to last, so the kernel is asked what it wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.data_disk import SECTOR_BYTES, find_data

SYS, PROC, DEV = Path("/sys"), Path("/proc"), Path("/dev")
LOOK_EVERY_S = 2.0
MOST = 99
"""More is said by whoever knows that it has ended well."""


def written_bytes(label: str, sys: Path = SYS, proc: Path = PROC) -> int:
    """What was written to a partition of the root's disk since the machine's start (Linux, block/stat.rst).

    0 where nobody counts. By sysfs alone: this service sees no devices."""
    with suppress(OSError, ValueError, IndexError):
        found = find_data(sys, proc, DEV, frozenset({label}))
        if found is not None:
            counts = (sys / "class/block" / found.device.name / "stat").read_text().split()
            return int(counts[6]) * SECTOR_BYTES
    return 0


class Watched:
    """While it is entered, tell() is called with the percent of `whole` bytes as they come onto a partition."""

    def __init__(self, written: Callable[[], int], whole: int, tell: Callable[[int], None]) -> None:
        self._written = written
        self._whole = max(whole, 1)
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = self._written()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        told = -1
        while not self._over.wait(LOOK_EVERY_S):
            percent = min((self._written() - self._before) * 100 // self._whole, MOST)
            if percent != told:
                told = percent
                with suppress(OSError):
                    self._tell(percent)
