"""Signals on their way to the units: what the broker could not take waits while it is still worth something."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.contract import Topic, encode
from agent.contract.signalling import SIGNAL_EXPIRY_S, Join, Signal

log = logging.getLogger(__name__)

MOST_UNSENT = 500
Publish = Callable[[Topic, bytes], bool]


@dataclass(frozen=True, slots=True)
class _Unsent:
    until: datetime
    topic: Topic
    payload: bytes


class UnitWire:
    """Used with signalling's lock held. A Join is not kept when it cannot be sent: it is made anew."""

    def __init__(
        self, publish: Publish, clock: Callable[[], datetime], unit_of: Callable[[str], str | None]
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._unit_of = unit_of
        self._unsent: deque[_Unsent] = deque(maxlen=MOST_UNSENT)

    def send(self, sid: str, peer: str, signal: Signal) -> None:
        """To the unit that stands in the session's room now."""
        unit = self._unit_of(sid)
        if unit is None:
            log.info("signal of session %s dropped: no unit stands in its room", sid)
            return
        now = self._clock()
        topic, payload = Topic(unit, "dn/call", (sid, peer)), encode(signal, now=now)
        if not self._publish(topic, payload) and not isinstance(signal, Join):
            self._unsent.append(_Unsent(now + timedelta(seconds=SIGNAL_EXPIRY_S), topic, payload))

    def link_is_up(self) -> None:
        """The broker is back: what could not be sent and is not too old."""
        unsent, now = list(self._unsent), self._clock()
        self._unsent.clear()
        for item in unsent:
            if now < item.until and not self._publish(item.topic, item.payload):
                self._unsent.append(item)
