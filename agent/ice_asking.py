"""The STUN and TURN servers, asked of the region when no session is on. In memory, as long as a test needs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

from agent.contract.events import Intent, Notice
from agent.media.facts import IceServer
from agent.notices import Notices

KIND = "ice_servers"
ANSWER_WITHIN_S = 3.0
"""The region answers at once; one of an earlier release knows no such question and says nothing."""


class IceAsking:
    """Used on the event loop. `intend` asks the region (False: out of reach), `notices` are what it says."""

    def __init__(self, intend: Callable[[str, Intent], bool], notices: Callable[[], Notices]) -> None:
        self._intend, self._notices = intend, notices
        self._open: dict[str, asyncio.Future[tuple[IceServer, ...] | None]] = {}

    async def servers(self) -> tuple[IceServer, ...] | None:
        """With credentials for some minutes; empty: the region has none. None: no answer."""
        number = uuid.uuid4().hex[:16]
        answer = self._open[number] = asyncio.get_running_loop().create_future()
        self._notices().on(KIND, self._take)
        try:
            if not self._intend(KIND, Intent(id=number)):
                return None
            return await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        except TimeoutError:
            return None
        finally:
            del self._open[number]

    def _take(self, notice: Notice) -> None:
        answer = self._open.get(notice.id or "")
        if answer is None or answer.done():
            return
        given = notice.ice_servers
        answer.set_result(
            None
            if given is None
            else tuple(IceServer(each.urls, each.username, each.credential) for each in given)
        )
