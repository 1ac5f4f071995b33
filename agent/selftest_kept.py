"""The last self-test's verdicts in a file of the run folder, in memory on a unit: for whoever stands at the unit.

Of devices and figures alone; nothing of what was seen or heard.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from agent.selftest import SelfTest
from agent.verdict import Verdict

log = logging.getLogger(__name__)

FILE = "selftest.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """When it was made, by the machine's clock, for what, and what it found."""

    at: datetime
    occasion: str
    verdicts: tuple[Verdict, ...]


def keep(folder: Path, result: SelfTest, at: datetime) -> None:
    """Written beside and moved into place; a folder that takes nothing is told, and stops nothing."""
    document = {"at": at.isoformat(), "occasion": result.occasion, "verdicts": as_json(result.verdicts)}
    file = folder / FILE
    beside = file.with_suffix(".new")
    try:
        beside.write_text(json.dumps(document))
        beside.replace(file)
    except OSError as error:
        log.warning("the self-test's result is not kept in %s: %s", folder, error.strerror)


def kept(folder: Path) -> Kept | None:
    """The last one since the machine's start; None where there was none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((folder / FILE).read_text())
        verdicts = tuple(Verdict(**each) for each in told["verdicts"])
        return Kept(datetime.fromisoformat(told["at"]), str(told["occasion"]), verdicts)
    return None


def as_json(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """As they are printed for programs."""
    return [asdict(verdict) for verdict in verdicts]
