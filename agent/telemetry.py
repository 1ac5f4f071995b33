"""Sends a call's quality figures, and keeps those of the last minutes while the line is away.

They are no part of the outbox: nothing of them is ever on the unit's disk, and losing some harms nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from agent.contract.quality import QualityReport, Received
from agent.machine import MachineTotals, read_totals
from agent.quality import Interval, Moment
from agent.region_clock import RegionClock
from agent.session_state import Session, State

if TYPE_CHECKING:
    from agent.media.call import Call
    from agent.media.capture import Capture

INTERVAL_S = 5.0
KEPT_REPORTS = 180
"""A quarter of an hour: longer than a session lives without its region's line."""
SENT_PER_TICK = 4
"""A line that has just come back is thin: the call's media come first."""
IN_CALL = frozenset({State.ADMITTED, State.IN_CALL})


class Calls(Protocol):
    """The media side (agent/call_control.py)."""

    @property
    def call(self) -> Call | None: ...
    @property
    def capture(self) -> Capture | None: ...


class Telemetry:
    """One per unit, ticked once a second on the event loop.

    `send` gives a report to the broker's connection; False: there is none now.
    """

    def __init__(
        self,
        calls: Calls,
        clock: RegionClock,
        *,
        session: Callable[[], Session | None],
        send: Callable[[QualityReport], bool],
        read_machine: Callable[[], MachineTotals] = read_totals,
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._session = session
        self._send = send
        self._read_machine = read_machine
        self._sid = ""
        self._last: Moment | None = None
        self._shown: dict[str, Received] = {}
        self._waiting: deque[QualityReport] = deque(maxlen=KEPT_REPORTS)

    def tick(self) -> None:
        """Take figures if it is time, and send what waits, the oldest first."""
        session = self._session()
        call, capture = self._calls.call, self._calls.capture
        in_call = session is not None and session.state in IN_CALL and bool(session.parties)
        if session is None or not in_call or call is None or capture is None:
            self._last = None
            self._shown.clear()
        elif self._last is None or self._sid != session.plan.sid:
            self._sid = session.plan.sid
            self._last = self._moment(call, capture)
        elif self._clock.monotonic_s() - self._last.at_s >= INTERVAL_S:
            now = self._moment(call, capture)
            report = Interval(self._last, now).report(
                self._sid, self._clock.now(), session.parties, self._shown
            )
            self._last = now
            self._shown.clear()
            self._waiting.append(report)
        self._send_waiting()

    def shown(self, peer: str, figures: Received) -> None:
        """What the touchscreen showed of a party since it last said so."""
        session = self._session()
        if session is not None and session.party(peer) is not None:
            self._shown[peer] = figures

    def _moment(self, call: Call, capture: Capture) -> Moment:
        return Moment(self._clock.monotonic_s(), call.stats(), capture.stats(), self._read_machine())

    def _send_waiting(self) -> None:
        for _ in range(SENT_PER_TICK):
            if not self._waiting or not self._send(self._waiting[0]):
                return
            self._waiting.popleft()
