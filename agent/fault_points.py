"""Places at which a test may kill the agent, and from which it learns what was really done. Off by default.

`HALSORUM_FAULT_LOG=<file>`: each place that is reached is written there, on disk before anything goes on, as
`<place> <what>`: a count of what was done which is not the agent's own. `HALSORUM_KILL_AT=<file>`: at the place
that the file names the agent removes the file and kills itself (SIGKILL), after that line.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

LOG_VARIABLE = "HALSORUM_FAULT_LOG"
KILL_VARIABLE = "HALSORUM_KILL_AT"

Reached = Callable[[str, str], None]
"""place, what."""


def from_environment() -> Reached:
    """What to call at each place."""
    file, kill = os.environ.get(LOG_VARIABLE), os.environ.get(KILL_VARIABLE)
    if not file and not kill:
        return lambda _place, _what: None

    def reached(at: str, what: str) -> None:
        if file:
            with open(file, "ab", buffering=0) as log:  # noqa: PTH123 - one write, appended whole
                log.write(f"{at} {what}\n".encode())
                os.fsync(log.fileno())
        if kill and _is_named(Path(kill), at):
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _is_named(file: Path, place: str) -> bool:
    try:
        named = file.read_text().strip() == place
        if named:
            file.unlink()
    except OSError:
        return False
    return named
