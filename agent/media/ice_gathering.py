"""Gathers one connection's ICE candidates: our own addresses at once, STUN's and TURN's as they come (RFC 8838).

With relayed candidates alone there is nothing to offer before TURN has answered, so then the offer waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aioice import Candidate, ice
from aioice.candidate import candidate_foundation, candidate_priority

from agent.media.aiortc_internals import IceEngine
from agent.media.facts import IceServer
from agent.media.ice_servers import Server
from agent.media.ice_url import Transport
from agent.media.media_socket import DSCP_AF41, NoFreePort, PortRange, is_host_address, open_udp
from agent.media.server_finder import ServerFinder
from agent.media.turn_allocation import relayed

logger = logging.getLogger(__name__)

ALLOCATE_TIMEOUT_S = 3.0
REFLEXIVE_TIMEOUT_S = 3.0
RELAY_ONLY_TIMEOUT_S = 8.0
COMPONENT = 1  # RTP and RTCP are multiplexed
_HIDDEN = {4: ("0.0.0.0", 9), 6: ("::", 9)}  # noqa: S104 - not bound to: RFC 9429, section 3.5.3

OnCandidate = Callable[[Candidate], None]


class NoRelay(ConnectionError):
    """Only relayed candidates are allowed, and no TURN server gave us one."""


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Where and how a connection's packets leave this machine.

    addresses: our own, one socket each. relay_only: W3C's RTCIceTransportPolicy "relay".
    """

    addresses: tuple[str, ...]
    ports: PortRange | None = None
    dscp: int = DSCP_AF41
    relay_only: bool = False


class Gatherer:
    """One connection's gathering. on_candidate gets those that the description does not hold."""

    def __init__(
        self,
        engine: IceEngine,
        settings: TransportSettings,
        *,
        servers: Sequence[IceServer] = (),
        finder: ServerFinder | None = None,
        on_candidate: OnCandidate = lambda candidate: None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._servers = servers
        self._finder = finder
        self._on_candidate = on_candidate
        self._task: asyncio.Task[None] | None = None
        engine.gather_with(self._gather)

    async def _gather(self) -> list[Candidate]:
        finder = self._finder
        ways = finder.look_at(self._servers) if finder is not None else []
        stun = [way for way in ways if way.url.kind == "stun"]
        turn = [way for way in ways if way.url.kind == "turn"]
        if self._settings.relay_only:
            return [await self._relay_alone(finder, turn)]
        candidates = await self._hosts()
        if finder is not None and ways:
            self._task = asyncio.get_running_loop().create_task(self._trickle(finder, stun, turn))
        return candidates

    @property
    def going_on(self) -> bool:
        """Whether more candidates may come after the description."""
        return self._task is not None and not self._task.done()

    async def close(self) -> None:
        """Gather no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _hosts(self) -> list[Candidate]:
        candidates = []
        full: NoFreePort | None = None
        for address in self._settings.addresses:
            try:
                candidates.append(await self._host(address))
            except NoFreePort as error:
                full = error
                logger.error("%s", error.strerror)  # noqa: TRY400 - the sentence is all there is to know
            except OSError as error:
                logger.info("An address of ours is left out: %s", error.strerror)
        if full is not None and not candidates:
            raise full
        return candidates

    async def _host(self, address: str) -> Candidate:
        opened = open_udp(address, self._settings.ports, self._settings.dscp)
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(self._engine.new_protocol, sock=opened)
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = _candidate("host", (host, port))
        self._engine.add_protocol(protocol)
        return protocol.local_candidate

    async def _trickle(self, finder: ServerFinder, stun: Sequence[Server], turn: Sequence[Server]) -> None:
        # A TURN server over UDP tells our own address too (RFC 8656, section 3), where no STUN server is given.
        asked = stun or [way for way in turn if way.url.transport is Transport.UDP]
        await asyncio.gather(self._reflexive(finder, asked), self._relayed(finder, turn))

    async def _reflexive(self, finder: ServerFinder, servers: Sequence[Server]) -> None:
        server = await finder.best(servers) if servers else None
        address = finder.book.address(server.url) if server is not None else ""
        if server is None or not address or ":" in address:
            return
        hosts = [each for each in self._engine.protocols if _is_outward_ipv4(each.local_candidate.host)]
        asking = [ice.server_reflexive_candidate(each, (address, server.url.port)) for each in hosts]
        with suppress(TimeoutError):
            async with asyncio.timeout(REFLEXIVE_TIMEOUT_S):
                results = await asyncio.gather(*asking, return_exceptions=True)
            self._tell_reflexive(results)

    def _tell_reflexive(self, results: Sequence[tuple[Candidate, None] | BaseException]) -> None:
        for result in results:
            if not isinstance(result, BaseException) and result[0].host != result[0].related_address:
                self._tell(result[0])

    async def _relayed(self, finder: ServerFinder, servers: Sequence[Server]) -> None:
        protocol = await self._allocate(finder, servers)
        if protocol is None:
            return
        if not self._engine.takes_candidates:
            await protocol.close()
            return
        self._engine.add_protocol(protocol)
        self._tell(protocol.local_candidate)

    def _tell(self, candidate: Candidate) -> None:
        if self._engine.takes_candidates:
            self._engine.add_late(candidate)
            self._on_candidate(candidate)

    async def _relay_alone(self, finder: ServerFinder | None, servers: Sequence[Server]) -> Candidate:
        protocol = None
        if finder is not None and servers:
            async with asyncio.timeout(RELAY_ONLY_TIMEOUT_S):
                protocol = await self._allocate(finder, servers)
        if protocol is None:
            raise NoRelay("no TURN server gave a relayed address")
        self._engine.add_protocol(protocol)
        return protocol.local_candidate

    async def _allocate(self, finder: ServerFinder, servers: Sequence[Server]) -> ice.StunProtocol | None:
        """A relayed address from the best server that gives one; the next best is tried when one does not."""
        left = list(servers)
        while left:
            server = await finder.best(left)
            if server is None:
                return None
            left.remove(server)
            try:
                async with asyncio.timeout(ALLOCATE_TIMEOUT_S):
                    return await self._allocate_at(server, finder)
            except Exception as error:  # a network's or a server's fault, told by OSError or the engine's own
                finder.failed(server, error)
        return None

    async def _allocate_at(self, server: Server, finder: ServerFinder) -> ice.StunProtocol:
        protocol = self._engine.new_protocol()
        settings = self._settings
        ours, mapped = await relayed(
            server,
            finder.book.address(server.url),
            protocol,
            ports=settings.ports,
            dscp=settings.dscp,
            tls=finder.tls,
        )
        related = _HIDDEN[_version(ours[0])] if settings.relay_only else mapped
        protocol.local_candidate = _candidate("relay", ours, related)
        return protocol


def _candidate(kind: str, address: tuple[str, int], related: tuple[str, int] | None = None) -> Candidate:
    return Candidate(
        foundation=candidate_foundation(kind, "udp", address[0]),
        component=COMPONENT,
        transport="udp",
        priority=candidate_priority(COMPONENT, kind),
        host=address[0],
        port=address[1],
        type=kind,
        related_address=related[0] if related else None,
        related_port=related[1] if related else None,
    )


def _version(address: str) -> int:
    return 6 if ":" in address else 4


def _is_outward_ipv4(address: str) -> bool:
    return _version(address) == 4 and is_host_address(address)
