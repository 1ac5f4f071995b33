"""The real agent on a machine whose clock is wrong by what a file says.

Only what asks for the time of day by time.time() is misled, as the agent's own clock is; TLS goes by the kernel's.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

OFFSET_FILE = "HALSORUM_BENCH_CLOCK"


def install(file: Path) -> None:
    """From now on; read at each question, which an idle agent asks a few times a second."""
    real = time.time

    def misled() -> float:
        with suppress(OSError, ValueError):
            return real() + float(file.read_text())
        return real()

    time.time = misled


if __name__ == "__main__":
    install(Path(os.environ[OFFSET_FILE]))
    from agent import __main__ as agent  # whoever keeps a reference to time.time() is to keep ours

    sys.exit(agent.main())
