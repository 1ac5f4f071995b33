"""A clinician without a browser: a stock aiortc connection on the office's network, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.sdp import candidate_from_sdp

from agent.media.facts import IceServer
from tests.system.network import Side


class OfficeParty:
    """Use as a context manager. Answers offers with sound and picture; gathers everything before it answers."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: side.call(self._loop.run_forever), daemon=True)
        self._connection: RTCPeerConnection | None = None
        self._pictures = 0
        self._reading: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def join(self, sdp: str, servers: list[IceServer]) -> str:
        """Our answer, with every candidate in it."""
        return await self._do(self._join(sdp, servers))

    async def add(self, candidate: str, sdp_mid: str | None) -> None:
        """A candidate of the unit's that came after its offer."""
        await self._do(self._add(candidate, sdp_mid))

    async def pictures(self) -> int:
        """How many have been decoded on this connection."""
        return self._pictures

    async def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _join(self, sdp: str, servers: list[IceServer]) -> str:
        await self._close()
        given = [RTCIceServer(list(each.urls), each.username, each.credential) for each in servers]
        self._connection = connection = RTCPeerConnection(RTCConfiguration(given))
        connection.on("track", self._read)
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        connection.addTrack(AudioStreamTrack())
        connection.addTrack(VideoStreamTrack())
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def _add(self, candidate: str, sdp_mid: str | None) -> None:
        if self._connection is not None:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = sdp_mid, 0
            await self._connection.addIceCandidate(parsed)

    def _read(self, track: Any) -> None:
        async def read() -> None:
            while True:
                await track.recv()
                self._pictures += track.kind == "video"

        self._reading.append(self._loop.create_task(read()))

    async def _close(self) -> None:
        self._pictures = 0
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        tasks, self._reading = self._reading, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
