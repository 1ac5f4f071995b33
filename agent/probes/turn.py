"""Whether the region's TURN servers give us a relayed address, over each way that it names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from agent.media.facts import IceServer
from agent.media.ice_servers import Server, ways
from agent.media.ice_url import Transport
from agent.media.server_finder import reason_of
from agent.media.turn_endpoint import Opening, turn_endpoint
from agent.probes.give_way import unless_stopped
from agent.selftest import Context
from agent.verdict import Verdict, found, well

log = logging.getLogger(__name__)

AT_ONCE = 8

Ask = Callable[[], Awaitable[tuple[IceServer, ...] | None]]


class TurnProbe:
    """A Probe. For who tests the line: `relaying`, the best that gave an address; `asked`, the best to be asked
    by UDP. `known`: whether the region has said which servers there are.
    """

    name = "turn"

    def __init__(self, ask: Ask, opening: Callable[[], Opening]) -> None:
        self._ask, self._opening = ask, opening
        self.relaying: Server | None = None
        self.asked: Server | None = None
        self.known = False

    async def run(self, context: Context) -> list[Verdict] | None:
        """How many of the ways are open; None from a region that does not say which there are."""
        self.relaying = self.asked = None
        self.known = False
        return await unless_stopped(context, self._run())

    async def _run(self) -> list[Verdict] | None:
        servers = await self._ask()
        if servers is None:
            return None
        self.known = True
        given, _wrong = ways(servers)
        turn = [each for each in given if each.url.kind == "turn"]
        faults = await self._try_all(turn)
        self.relaying = next((each for each, fault in zip(turn, faults, strict=True) if not fault), None)
        self.asked = next((each for each in given if each.url.transport is Transport.UDP), None)
        return [_judge(turn, faults)]

    async def _try_all(self, turn: Sequence[Server]) -> list[str]:
        opening = self._opening()
        ports = opening.ports
        places = asyncio.Semaphore(AT_ONCE if ports is None else min(AT_ONCE, ports.last - ports.first + 1))

        async def one(server: Server) -> str:
            async with places:
                return await _try(server, opening)

        return list(await asyncio.gather(*(one(server) for server in turn)))


async def _try(server: Server, opening: Opening) -> str:
    """Why it gives no address; empty when it does."""
    try:
        async with turn_endpoint(server, opening):
            return ""
    except Exception as error:  # a network's or a server's fault, told by OSError or the engine's own
        log.warning("self-test: %s gives no relayed address: %s", server.url, reason_of(error))
        return f"{server.url}: {reason_of(error)}"


def _judge(turn: Sequence[Server], faults: Sequence[str]) -> Verdict:
    failed = [fault for fault in faults if fault]
    opened, unit = len(turn) - len(failed), f"of {len(turn)}"
    if not failed:
        return well("turn", opened, unit)
    return found("turn_partly" if opened else "turn", opened, unit, reason=failed[0][:120])
