"""Each fault is made in one running room and mended, and what the room said of it is judged."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.selftest.faults import Fault, camera_films
from tests.bench.selftest.rig import BEFORE, Found, Rig, TooLate

Room = Callable[[Path, Mapping[str, bytes]], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Outcome:
    """One fault. first: the instruction that staff were shown, of all that were found. before_min: how long before
    the session it was known; None where it was not found. load: of the machine, which does other things too."""

    fault: str
    level: str
    right: tuple[str, ...]
    found: tuple[str, ...]
    first: str
    is_found: bool
    is_right: bool
    before_min: float | None
    seconds: float
    cpu_s: float
    reasons: dict[str, str]
    problem: str = ""
    load: float = 0.0


def run_faults(chosen: Sequence[Fault], room: Room = Rig) -> Iterator[Outcome]:
    """One after the other. A fault that cannot be made or mended costs its own row, and the room: the next is
    tried in a new one. Where there is no room to be had, the rest says so."""
    left, films = list(chosen), camera_films() if chosen else {}
    while left:
        with tempfile.TemporaryDirectory(prefix="halsorum-selftest-", ignore_cleanup_errors=True) as folder:
            try:
                with room(Path(folder), films) as rig:
                    rig.wait_until_well()
                    rig.let_learn()
                    is_sound = True
                    while left and is_sound:
                        outcome, is_sound = _tried(rig, left.pop(0))
                        yield outcome
            except Exception as error:
                words = f"no room: {type(error).__name__}: {error}"
                sys.stderr.write(f"{words}\n")
                if not left or left == list(chosen):
                    yield from (judged(fault, NOTHING, words) for fault in left)
                    return
                chosen = list(left)


NOTHING = Found((), 0.0, 0.0)


def _tried(rig: Any, fault: Fault) -> tuple[Outcome, bool]:
    """And whether the room is as before."""
    load = os.getloadavg()[0]
    found, problems = NOTHING, []
    try:
        found = _found(rig, fault)
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
    try:
        fault.mend(rig)
    except Exception as error:
        problems.append(f"not mended: {type(error).__name__}: {error}")
    return judged(fault, found, "; ".join(problems), load), not problems


def _found(rig: Any, fault: Fault) -> Found:
    def make() -> None:
        fault.make(rig)

    try:
        return rig.before_session(fault.lead_s, make, tested_since=fault.restarts)
    except TooLate:
        fault.mend(rig)
        return rig.before_session(2 * fault.lead_s, make, tested_since=fault.restarts)


def judged(fault: Fault, found: Found, problem: str = "", load: float = 0.0) -> Outcome:
    """found.faults are in the order in which staff are to follow them. What was found is told though the fault
    could not be mended."""
    first = found.faults[0] if found.faults else ""
    is_tried = found is not NOTHING
    is_found = any(each in fault.right for each in found.faults)
    return Outcome(
        fault.name,
        fault.level,
        fault.right,
        found.faults,
        first,
        is_found,
        is_tried and (first in fault.right if fault.right else not first),
        (BEFORE.total_seconds() - found.seconds) / 60 if is_found else None,
        round(found.seconds, 2),
        round(found.cpu_s, 2),
        {str(each["instruction"]): str(each["reason"]) for each in found.verdicts if each["instruction"]},
        problem,
        round(load, 1),
    )


def line(outcome: Outcome) -> str:
    """As it is told when it is known."""
    said: dict[str, Any] = {"found": outcome.found, "s": outcome.seconds, "cpu": outcome.cpu_s}
    if outcome.problem or not outcome.is_right:
        said |= {"right": outcome.right, "problem": outcome.problem, "reasons": outcome.reasons}
        said |= {"load": outcome.load}
    return f"{'ok  ' if outcome.is_right else 'MISS'} {outcome.fault}: {said}"
