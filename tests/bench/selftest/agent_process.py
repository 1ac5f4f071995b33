"""The real agent on a machine whose clock is wrong by what a file says, and whose camera's driver another breaks.

Only what asks for the time of day by time.time() is misled, as the agent's own clock is; TLS goes by the kernel's.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

OFFSET_FILE, DRIVER_FILE = "HALSORUM_BENCH_CLOCK", "HALSORUM_BENCH_CAMERA_DRIVER"
LATE_S = 0.1
SLOW, NO_MEMORY = "slow", "no memory"


def install(file: Path) -> None:
    """From now on; read at each question, which an idle agent asks a few times a second."""
    real = time.time

    def misled() -> float:
        with suppress(OSError, ValueError):
            return real() + float(file.read_text())
        return real()

    time.time = misled


def break_driver(file: Path) -> None:
    """While this file says SLOW, each picture takes LATE_S more; NO_MEMORY: the driver gets none for a picture."""
    from agent.media.camera import FileCamera

    read = FileCamera.read

    def broken(self):
        how = ""
        with suppress(OSError):
            how = file.read_text()
        if how == NO_MEMORY:
            raise MemoryError("no memory for a picture")
        if how == SLOW:
            time.sleep(LATE_S)
        return read(self)

    FileCamera.read = broken


if __name__ == "__main__":
    install(Path(os.environ[OFFSET_FILE]))
    break_driver(Path(os.environ[DRIVER_FILE]))
    from agent import __main__ as agent  # whoever keeps a reference to time.time() is to keep ours

    sys.exit(agent.main())
