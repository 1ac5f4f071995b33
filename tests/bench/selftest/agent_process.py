"""The real agent on a machine whose clock is wrong by what a file says, and whose camera another file slows down.

Only what asks for the time of day by time.time() is misled, as the agent's own clock is; TLS goes by the kernel's.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

OFFSET_FILE, SLOW_FILE = "HALSORUM_BENCH_CLOCK", "HALSORUM_BENCH_SLOW_CAMERA"
LATE_S = 0.1


def install(file: Path) -> None:
    """From now on; read at each question, which an idle agent asks a few times a second."""
    real = time.time

    def misled() -> float:
        with suppress(OSError, ValueError):
            return real() + float(file.read_text())
        return real()

    time.time = misled


def slow_down(file: Path) -> None:
    """While this file is there, each picture takes LATE_S more."""
    from agent.media.camera import FileCamera

    read = FileCamera.read

    def late(self):
        if file.exists():
            time.sleep(LATE_S)
        return read(self)

    FileCamera.read = late


if __name__ == "__main__":
    install(Path(os.environ[OFFSET_FILE]))
    slow_down(Path(os.environ[SLOW_FILE]))
    from agent import __main__ as agent  # whoever keeps a reference to time.time() is to keep ours

    sys.exit(agent.main())
