"""Units that test the line when no session is on ask for the STUN and TURN servers, and get them for minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agent.contract import Message, Topic, encode
from agent.contract.events import Notice
from provisioning.ice import IceConfiguration
from provisioning.schedules import Publish

KIND = "ice_servers"
"""Of the intent and of the notice that answers it."""
GOOD_FOR_S = 600
"""A self-test is over in seconds; what a unit has that no patient sits before need not be good for hours."""


class IceRequests:
    """Used by the region's worker thread only."""

    def __init__(self, ice: IceConfiguration, publish: Publish, clock: Callable[[], datetime]) -> None:
        self._ice, self._publish, self._clock = ice, publish, clock

    def heard(self, unit: str, message: Message) -> None:
        """An intent has come: answer one of our kind."""
        if message.topic.levels == (KIND,):
            now = self._clock()
            notice = Notice(id=message.data.id, ice_servers=self._ice.servers(now, GOOD_FOR_S))
            self._publish(Topic(unit, "dn/notice", (KIND,)), encode(notice, now=now))
