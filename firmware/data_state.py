"""What is said of the data partition, and what is decided about it. Pure.

| what is found | what is done | state |
|---|---|---|
| checks well, can be written | mounted | `ok` |
| needed mending that a person would have been asked about | mended and mounted | `repaired` |
| no partition of that name on the unit's own disk | memory in its place | `missing` |
| no file system on it, or one that cannot be mended or mounted | memory in its place | `garbage` |
| the device or its file system takes no writes | memory in its place | `read_only` |
| less than `enough` is free after what can go has gone | mounted all the same | `full` |
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Literal, get_args

State = Literal["ok", "repaired", "missing", "garbage", "read_only", "full"]
WELL: frozenset[State] = frozenset({"ok", "repaired"})
How = Literal["cleaned", "restart", "at_restart", "made_anew"]
"""What a repair comes to: there is room again; the next start will look at it; the next start makes it anew; it
is a new file system now. After all but the first the machine has to start anew."""

REASON_CHARACTERS = 200
ENOUGH_BYTES = 16 << 20
"""Days of facts, and a command's journal; a small partition has enough with a twentieth of it."""
_CORRECTED = 0b11
"""e2fsck(8): 1 and 2 are errors that were corrected (2: of a mounted file system), 4 and more are not."""
_UNPRINTABLE = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class Report:
    """What the agent reads in /run/halsorum-data/state.json. free_bytes: None where nothing could be asked."""

    state: State
    reason: str = ""
    free_bytes: int | None = None


def to_json(report: Report) -> str:
    """One line, reasons cut to what a screen and a message can hold."""
    return json.dumps(asdict(report) | {"reason": plain(report.reason)}) + "\n"


def from_json(text: str) -> Report | None:
    """What stands in the file; None for what was not written by `to_json`."""
    try:
        said = json.loads(text)
        report = Report(said["state"], str(said["reason"]), said["free_bytes"])
    except (ValueError, KeyError, TypeError):
        return None
    is_number = report.free_bytes is None or isinstance(report.free_bytes, int)
    return report if report.state in get_args(State) and is_number else None


def plain(text: str) -> str:
    """One short line of what a program has said: the first that says something, printable characters only."""
    lines = [_UNPRINTABLE.sub(" ", line).strip() for line in text.splitlines()]
    return next((line for line in lines if line), "")[:REASON_CHARACTERS]


def is_mended(exit_code: int) -> bool:
    """Whether a check has left a good file system behind (e2fsck(8), EXIT CODE)."""
    return exit_code >= 0 and exit_code & ~_CORRECTED == 0


def enough(total_bytes: int) -> int:
    """Below so many free bytes a partition of that size is full."""
    return min(ENOUGH_BYTES, total_bytes // 20)


def how_to_repair(*, is_mounted: bool, is_writable: bool, has_room: bool) -> How:
    """What a repair may do now: a file system in use is never made anew under those who use it."""
    if not is_mounted:
        return "made_anew"
    if not is_writable:
        return "restart"
    return "cleaned" if has_room else "at_restart"
