"""State machines as tables: a tuple of rules, and the one way to follow them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar, cast


class Stateful(Protocol):
    """A frozen dataclass with a `state`."""

    @property
    def state(self) -> StrEnum: ...


M = TypeVar("M", bound=Stateful)
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Rule(Generic[M, E]):
    """In `source`, on `event`, when `guard` holds: go to `target` (None: stay) and do what `act` says.

    `when` says the guard in words, for the diagrams.
    """

    source: frozenset[Any]
    event: type
    target: StrEnum | None
    act: Callable[[M, Any, datetime], tuple[M, tuple[E, ...]]]
    guard: Callable[[M, Any, datetime], bool] = lambda _m, _e, _now: True
    when: str = ""


def follow(rules: Iterable[Rule[M, E]], model: M, event: object, now: datetime) -> tuple[M, tuple[E, ...]]:
    """What an event makes of the model, and the effects in the order they are to be done.

    The first rule whose source, event and guard fit decides; an event that no rule takes changes nothing.
    """
    for rule in rules:
        if isinstance(event, rule.event) and model.state in rule.source and rule.guard(model, event, now):
            moved = model if rule.target is None else cast(M, replace(cast(Any, model), state=rule.target))
            return rule.act(moved, event, now)
    return model, ()
