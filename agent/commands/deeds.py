"""What it takes to be a command: something that begins, and says each second whether it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.commands.life import Ended, Entry, Progress, State
from agent.faults import kind_and_place


class Deed(Protocol):
    """One command being done. Used on the event loop."""

    def begin(self) -> Ended | None:
        """Begin; what has ended at once says so."""

    def tick(self) -> Ended | Progress | None:
        """Once a second. What it says of its progress is kept and told, so let it say something new seldom."""

    def stop(self) -> None:
        """Its time is up, or the agent stops."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A command by its name. `disturbs`: not while somebody is in the room. `alone`: with no other."""

    make: Callable[[Entry], Deed]
    disturbs: bool = False
    alone: bool = True


class Refused(RuntimeError):
    """It cannot be done; the text says why, to IT."""


def succeeded(**result: str) -> Ended:
    """It is done."""
    return Ended(State.SUCCEEDED, result=result)


def failed(reason: str, **result: str) -> Ended:
    """It could not be done."""
    return Ended(State.FAILED, reason[:500], result)


class AtOnce:
    """A command that is done in a moment. Its work raises Refused, or OSError, with the reason."""

    def __init__(self, work: Callable[[], Mapping[str, str] | None]) -> None:
        self._work = work

    def begin(self) -> Ended:
        """Do it."""
        try:
            return succeeded(**(self._work() or {}))
        except Refused as error:
            return failed(str(error))
        except OSError as error:
            return failed(f"{type(error).__name__}: {error.strerror or 'input or output failed'}")

    def tick(self) -> None:
        """It has ended already."""

    def stop(self) -> None:
        """Likewise."""


class InTask:
    """A command that waits for others: a coroutine in a task of its own, which returns the result."""

    def __init__(self, work: Callable[[], Awaitable[Mapping[str, str] | None]]) -> None:
        self._work = work
        self._task: asyncio.Future[Mapping[str, str] | None] | None = None

    def begin(self) -> None:
        """Start the task."""
        self._task = asyncio.ensure_future(self._work())

    def tick(self) -> Ended | Progress | None:
        """Whether the task has ended, and how."""
        return self._ended()

    def _ended(self) -> Ended | None:
        if self._task is None or not self._task.done():
            return None
        if self._task.cancelled():
            return failed("it was broken off")
        error = self._task.exception()
        if isinstance(error, Refused):
            return failed(str(error))
        if error is not None:
            return failed(f"it broke off at a fault ({kind_and_place(error)})")
        return succeeded(**(self._task.result() or {}))

    def stop(self) -> None:
        """Cancel the task."""
        if self._task is not None:
            self._task.cancel()
