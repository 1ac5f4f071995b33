"""Threads of devices and codecs say that they move, so that the watchdog notices one that a driver holds.

    with pulse("camera") as move:      # in the thread itself
        while …:
            move()                     # before each thing that may take its time
            picture = camera.read()

Known for as long as the block lasts, whoever made the thread and whether anybody still has hold of it: as with
`threading.enumerate`, who looks need not know who made them. A thread that has ended by an error it did not
foresee stays in the list: nobody would notice otherwise that its pictures no longer come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from agent.faults import kind_and_place


@dataclass(slots=True)
class Pulse:
    """One thread. moved_at: seconds of the clock; None while it waits for work, as long as that may take.

    within_s: how long one turn may take, where that is longer than the watchdog allows others.
    """

    name: str
    moved_at: float | None
    within_s: float
    thread: int = field(default_factory=threading.get_ident)
    ended_by: str = ""


_pulses: list[Pulse] = []
_guard = threading.Lock()


class Move(Protocol):
    """What the thread calls."""

    def __call__(self, works: bool = True) -> None: ...


@contextmanager
def pulse(
    name: str,
    *,
    within_s: float = 0.0,
    lasting: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Move]:
    """Gives what the thread calls on each turn: True when it goes to work, False when it waits for some.

    lasting: nobody else hears of an error that ends it.
    """
    own = Pulse(name, clock(), within_s)
    with _guard:
        _pulses.append(own)

    def move(works: bool = True) -> None:
        own.moved_at = clock() if works else None

    try:
        yield move
    except Exception as error:
        own.ended_by = kind_and_place(error) if lasting else ""
        raise
    finally:
        if not own.ended_by:
            _forget(own)


def standing(now: float, within_s: float) -> list[Pulse]:
    """Those that should move and have not for so long; a pulse's own limit counts before this one."""
    with _guard:
        return [each for each in _pulses if each.ended_by or _is_late(each, now, within_s)]


def _is_late(each: Pulse, now: float, within_s: float) -> bool:
    return each.moved_at is not None and now - each.moved_at > max(within_s, each.within_s)


def _forget(own: Pulse) -> None:
    with _guard:
        _pulses[:] = [each for each in _pulses if each is not own]
