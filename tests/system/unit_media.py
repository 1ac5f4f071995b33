"""The unit's media alone, without region: calls, one after the other, with one other party."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from agent.media.call import Call
from agent.media.facts import (
    CallSettings,
    ConnectionFailed,
    Fact,
    IceServer,
    LocalCandidate,
    LocalOffer,
    MediaFlowing,
)
from agent.media.server_finder import ServerFinder
from tests.agent.media.synthetic import TestPicture, TestTone

WITHIN_S = 60.0


class Party(Protocol):
    """Whoever answers: a browser's page or a stock aiortc connection."""

    async def join(self, sdp: str, servers: list[IceServer]) -> str: ...
    async def add(self, candidate: str, sdp_mid: str | None) -> None: ...
    async def pictures(self) -> int: ...


class Failed(AssertionError):
    """The unit has given this connection up; the reason is the fact's."""


@dataclass(frozen=True)
class Route:
    """The way that media took, and how long it was in coming: from the order to connect to the first packet."""

    offered_s: float
    flowing_s: float
    local: str
    way: str
    port: int
    address: str
    remote: str


class UnitMedia:
    """Use as an asynchronous context manager; one call."""

    def __init__(self, settings: CallSettings, party: Party, finder: ServerFinder) -> None:
        self._settings = settings
        self._party = party
        self._finder = finder
        self._facts: asyncio.Queue[Fact] = asyncio.Queue()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._attempt = 0

    async def __aenter__(self) -> UnitMedia:
        picture, tone = TestPicture(320, 180, 400_000), TestTone()
        for source in (picture, tone):
            self._start(source.run())
        self.call = Call(
            picture, tone, on_fact=self._facts.put_nowait, settings=self._settings, finder=self._finder
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.call.close()
        for task in list(self._tasks):
            task.cancel()

    async def candidate(self, candidate: dict[str, Any]) -> None:
        """A candidate of the party's that came after its answer."""
        await self.call.candidate("doc", self._attempt, candidate)

    async def connect(self, ours: Sequence[IceServer], theirs: Sequence[IceServer] = ()) -> Route:
        """Build the connection, or build it anew, and wait until media flows both ways."""
        self._attempt += 1
        started = asyncio.get_running_loop().time()
        await self.call.connect("doc", self._attempt, ours)
        offer = await self.until(LocalOffer)
        offered = asyncio.get_running_loop().time()
        following = self._start(self._pass_on_candidates())
        await self.call.answer("doc", self._attempt, await self._party.join(offer.sdp, list(theirs)))
        following.cancel()
        await self.until(MediaFlowing)
        flowing = asyncio.get_running_loop().time()
        async with asyncio.timeout(WITHIN_S):
            while not await self._party.pictures():
                await asyncio.sleep(0.05)
        return self._route(offered - started, flowing - started)

    async def until(self, kind: type[Any]) -> Any:
        """The next fact of this kind; raises Failed when the connection is given up."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                fact = await self._facts.get()
                if isinstance(fact, LocalCandidate):
                    self._start(self._pass_on(fact))
                if isinstance(fact, kind):
                    return fact
                if isinstance(fact, ConnectionFailed):
                    raise Failed(fact.reason)

    async def _pass_on_candidates(self) -> None:
        await self.until(MediaFlowing)

    async def _pass_on(self, fact: LocalCandidate) -> None:
        with suppress(Exception):
            await self._party.add(fact.candidate, fact.sdp_mid)

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _route(self, offered_s: float, flowing_s: float) -> Route:
        ice = self.call._peers["doc"].connection._transport.ice
        assert ice.route is not None
        local, remote = ice.route
        way = "direct"
        if local.type == "relay":
            client = ice._engine._nominated[1].protocol.transport._TurnTransport__inner_protocol
            secure = client.transport.get_extra_info("ssl_object") is not None
            way = "tls" if secure else str(client).removeprefix("turn/")
        return Route(
            round(offered_s, 3), round(flowing_s, 3), local.type, way, local.port, local.host, remote.type
        )
