"""One check of the contract: which sentence it comes from, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from agent.faults import kind_and_place

log = logging.getLogger(__name__)

Subject = TypeVar("Subject")
Result = Literal["pass", "fail", "not applicable"]


class Broken(Exception):
    """The other side does not keep the contract; the text says what it did or did not do."""


class NotApplicable(Exception):
    """It cannot be told here; the text says what would be needed."""


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """`run` returns what was seen; it raises Broken or NotApplicable."""

    name: str
    sentence: str
    run: Callable[[Subject], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line of the table."""

    name: str
    sentence: str
    result: Result
    said: str


def run_checks(
    checks: Sequence[Check[Subject]], subject: Subject, told: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run all in their order, each whatever became of the one before it; told(outcome) after each."""
    outcomes: list[Outcome] = []
    for check in checks:
        result, said = _result(check, subject)
        outcomes.append(Outcome(check.name, check.sentence, result, said))
        told(outcomes[-1])
    return outcomes


def _result(check: Check[Subject], subject: Subject) -> tuple[Result, str]:
    try:
        return "pass", check.run(subject)
    except Broken as broken:
        return "fail", str(broken)
    except NotApplicable as reason:
        return "not applicable", str(reason)
    except Exception as error:
        # Ours or theirs: either way it is not shown that they keep this part. The text may repeat a payload.
        log.warning("check %s ended early: %s", check.name, kind_and_place(error))
        return "fail", f"the check itself failed: {kind_and_place(error)}"
