"""What the panel's buttons do: the same as a touch, by the same way. On the event loop.

The start button lets nobody past a check. It ends the page that thanks; from the idle page it opens check-in when
a session is ready, and staff's page when none is. Where exactly one time is ready, and may be checked in to by one
button, a second press within half a minute does that. While somebody waits or is in a call it does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.contract.schedule import ScheduledSession
from agent.faults import kind_and_place
from agent.screen import AskedPage, Outcome, Touch
from agent.session_state import State
from agent.touches_help import help_button
from agent.unit import Unit

log = logging.getLogger(__name__)

AGAIN_S = 30.0
"""As long as it takes to read the line that says so; afterwards a press begins anew."""
Do = Callable[[Touch], Awaitable[Outcome]]


class PanelButtons:
    """`do` does touches (agent/touches.py); until it is set only help is heard."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.do: Do | None = None
        self._asked_at_s = float("-inf")
        self._tasks: set[asyncio.Task[Outcome]] = set()

    def help(self) -> None:
        """Call for help."""
        help_button(self._unit)

    def mute(self) -> None:
        """Turn the room's microphone off or on, while a session goes on."""
        if self._unit.held() is not None:
            self._begin(Touch("microphone", on=not self._unit.media.microphone))

    def start(self) -> None:
        """Wake the screen, or check in."""
        unit = self._unit
        if unit.held() is not None:
            return
        if unit.ended_sid is not None:
            self._begin(Touch("done"))
            return
        unit.touched()
        ready = [session.plan for session in unit.sessions.values() if session.state == State.READY]
        chosen = _only_one(ready)
        if chosen is not None and unit.clock.monotonic_s() - self._asked_at_s <= AGAIN_S:
            self._asked_at_s = float("-inf")
            unit.asked_page = None
            self._begin(Touch("checkin_button", sid=chosen.sid))
            return
        self._asked_at_s = unit.clock.monotonic_s() if chosen is not None else float("-inf")
        number = int(unit.clock.now().timestamp() * 1000)
        unit.asked_page = AskedPage(number, "checkin" if ready else "staff", again=chosen is not None)
        unit.changed()

    def _begin(self, touch: Touch) -> None:
        if self.do is None:
            return
        task = asyncio.ensure_future(self.do(touch))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Outcome]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a button was not done: %s", kind_and_place(error))


def _only_one(ready: list[ScheduledSession]) -> ScheduledSession | None:
    return ready[0] if len(ready) == 1 and "button" in ready[0].checkin.methods else None
