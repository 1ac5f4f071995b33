"""The unit's Call in a process of its own, which tells how it fares: stalls of its loop, memory, facts."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil

from agent.media.call import Call
from agent.media.facts import CallSettings, ConnectionFailed, Fact, LocalOffer
from agent.media.negotiation import NegotiationError
from tests.agent.media.synthetic import TestPicture, TestTone
from tests.bench.lines import answer_lines

BEAT_S = 0.005


class Unit:
    """Answers the test's questions."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        # A small picture, since it is encoded on the loop whose stalls are measured.
        self._picture, self._tone = TestPicture(320, 180, 300_000), TestTone()
        self._running = [asyncio.create_task(source.run()) for source in (self._picture, self._tone)]
        self._offers: dict[str, asyncio.Future[str]] = {}
        self._failed: dict[str, str] = {}
        self._longest_stall_s = 0.0
        self._beat_at = self._loop.time()
        self._beat()
        settings = CallSettings(addresses=("127.0.0.1",))
        self.call = Call(self._picture, self._tone, on_fact=self._on_fact, settings=settings)

    def _beat(self) -> None:
        now = self._loop.time()
        self._longest_stall_s = max(self._longest_stall_s, now - self._beat_at - BEAT_S)
        self._beat_at = now
        self._loop.call_later(BEAT_S, self._beat)

    def _on_fact(self, fact: Fact) -> None:
        if isinstance(fact, LocalOffer):
            self._offers[fact.peer].set_result(fact.sdp)
        if isinstance(fact, ConnectionFailed):
            self._failed[fact.peer] = f"{fact.reason}: {fact.detail}"

    async def connect(self, peer: str) -> dict[str, Any]:
        self._offers[peer] = self._loop.create_future()
        await self.call.connect(peer, 1)
        return {"sdp": await self._offers[peer]}

    async def answer(self, peer: str, sdp: str) -> dict[str, Any]:
        await self.call.answer(peer, 1, sdp)
        return {}

    async def candidate(self, peer: str, candidate: dict[str, Any]) -> dict[str, Any]:
        await self.call.candidate(peer, 1, candidate)
        return {}

    async def disconnect(self, peer: str) -> dict[str, Any]:
        await self.call.disconnect(peer)
        return {}

    async def kiosk(self, resource: str, sdp: str) -> dict[str, Any]:
        try:
            return {"sdp": (await self.call.kiosk_offer(resource, sdp)).sdp}
        except NegotiationError as error:
            return {"refused": str(error)}

    async def watch(self) -> dict[str, Any]:
        """Look for the longest stall from now on."""
        self._longest_stall_s = 0.0
        return {}

    async def fares(self) -> dict[str, Any]:
        """How it is."""
        stats = self.call.stats()
        return {
            "stall_ms": round(self._longest_stall_s * 1000, 1),
            "rss_mib": round(psutil.Process().memory_info().rss / 2**20, 1),
            "failed": self._failed,
            "keyframes": stats.keyframes,
            "bytes_sent": {name: peer.bytes_sent for name, peer in stats.peers.items()},
        }

    async def close(self) -> None:
        await self.call.close()
        for task in self._running:
            task.cancel()


async def main() -> None:
    unit = Unit()
    questions = (
        unit.connect, unit.answer, unit.candidate, unit.disconnect, unit.kiosk, unit.watch, unit.fares
    )  # fmt: skip
    await answer_lines({question.__name__: question for question in questions})
    await unit.close()


if __name__ == "__main__":
    asyncio.run(main())
