"""A unit whose certificate has expired while it was away asks for another through its bootstrap identity.

The rest of it goes on; patients are told that the room is closed, staff see what to read to IT. Once the new
certificate has proven itself and the room is free, the agent begins anew with it. A broker that lets the unit in
under the old one after all, as when a revocation is taken back, ends it too. Used on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from agent.identity import Identity
from agent.link_tls import KnownTime
from agent.screen_view import CERTIFICATE
from agent.verdict import Verdict, found

log = logging.getLogger(__name__)

REFUSED_FOR_S = 900.0
"""A broker that has refused our certificate for so long knows better than a clock that is not sure."""
REFUSED_AND_EXPIRED_FOR_S = 10.0
"""And for so long where even that clock says that it has expired."""
LET_IN_FOR_S = 30.0
"""One whose rules deny us lets us in for a moment at each try."""


class Line(Protocol):
    """What is used of agent.broker_link.BrokerLink."""

    @property
    def up(self) -> bool: ...
    @property
    def problem(self) -> str: ...


class Asks(Protocol):
    """What is used of agent.enrolling.Enroller, which is loaded only when it is needed."""

    @property
    def is_in(self) -> bool: ...
    def start(self) -> None: ...
    def tick(self) -> None: ...
    async def stop(self) -> None: ...


def has_expired(not_after: datetime, time: KnownTime) -> bool:
    """Whether a certificate is over by all that is known of the time; where nothing is, it is not."""
    return not_after < (max(time.floor, time.now) if time.now is not None else time.floor)


class WayBack:
    """`guess` is the unit's own idea of the time, sure or not. `fault_found` is told once of the expiry,
    `recovered` that it was none, `on_change` of the way's beginning and of that; `restart` ends it."""

    def __init__(
        self,
        identity: Identity,
        line: Line,
        make_enroller: Callable[[], Asks],
        *,
        known: Callable[[], KnownTime],
        guess: Callable[[], datetime],
        busy: Callable[[], str],
        monotonic_s: Callable[[], float],
        fault_found: Callable[[str], None],
        recovered: Callable[[], None],
        on_change: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self._identity = identity
        self._line = line
        self._make_enroller = make_enroller
        self._known = known
        self._guess = guess
        self._busy = busy
        self._monotonic_s = monotonic_s
        self._fault_found = fault_found
        self._recovered = recovered
        self._on_change = on_change
        self._restart = restart
        self._enroller: Asks | None = None
        self._refused_since_s: float | None = None
        self._let_in_since_s: float | None = None
        self._ending: asyncio.Task[None] | None = None
        self._restarts = False

    @property
    def is_open(self) -> bool:
        """Whether the unit asks for another certificate now."""
        return self._enroller is not None

    def verdict(self) -> Verdict | None:
        """For the room's self-test: its word on the certificate, if that is why nobody can be met here."""
        if not self.is_open:
            return None
        return found(CERTIFICATE, reason="the certificate has expired")

    def tick(self) -> None:
        """Once a second."""
        if self._enroller is None:
            if self._is_needed():
                log.warning("the certificate has expired; asking for another through the bootstrap")
                self._enroller = self._make_enroller()
                self._enroller.start()
                self._fault_found(CERTIFICATE)
                self._on_change()
            return
        self._enroller.tick()
        if self._is_let_in_after_all() and not self._enroller.is_in and not self._busy():
            self._close(self._enroller)
        elif self._enroller.is_in and not self._busy() and not self._restarts:
            self._restarts = True
            self._restart()

    async def stop(self) -> None:
        """Leave the bootstrap listener."""
        if self._ending is not None:
            await self._ending
        if self._enroller is not None:
            await self._enroller.stop()

    def _close(self, enroller: Asks) -> None:
        log.info("the broker lets us in under the certificate that we have; no other is asked for")
        self._enroller = self._refused_since_s = self._let_in_since_s = None
        self._ending = asyncio.get_running_loop().create_task(enroller.stop(), name="way back ends")
        self._recovered()
        self._on_change()

    def _is_let_in_after_all(self) -> bool:
        if not self._line.up:
            self._let_in_since_s = None
            return False
        if self._let_in_since_s is None:
            self._let_in_since_s = self._monotonic_s()
        return self._monotonic_s() >= self._let_in_since_s + LET_IN_FOR_S

    def _is_needed(self) -> bool:
        """A connection under the old certificate is proof to the contrary, whatever a clock says."""
        if self._line.up:
            self._refused_since_s = None
            return False
        now_s = self._monotonic_s()
        if self._line.problem != "refused":
            self._refused_since_s = None
        elif self._refused_since_s is None:
            self._refused_since_s = now_s
        not_after = self._identity.not_after
        enough_s = REFUSED_AND_EXPIRED_FOR_S if self._guess() > not_after else REFUSED_FOR_S
        is_refused = self._refused_since_s is not None and now_s >= self._refused_since_s + enough_s
        return is_refused or has_expired(not_after, self._known())
