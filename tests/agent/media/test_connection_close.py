"""A connection that is closed while it is being made leaves no task behind, and none that ends by an error."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from agent.media.connection import Connection
from agent.media.ice_gathering import TransportSettings
from tests.gathering import gather_only

LIMIT_S = 5.0


class NoMedia:
    """A listener of whom nothing is wanted."""

    def on_media(self, *_: Any) -> None: ...
    def on_sender_report(self, *_: Any) -> None: ...


class Line:
    """Our connection, and somebody who has answered its offer: it begins to be made."""

    def __init__(self) -> None:
        self.ours = Connection(
            NoMedia(),
            lambda _state: None,
            transport=TransportSettings(("127.0.0.1",), dscp=0),
            direction="sendrecv",
            cname="unit",
            data_channel="halsorum",
        )
        self.remote = RTCPeerConnection(RTCConfiguration([]))
        self.handshake, self.handshakes = asyncio.Event(), asyncio.Event()

    async def answer(self) -> None:
        offer = await self.ours.offer()
        self.remote.addTrack(AudioStreamTrack())
        self.remote.addTrack(VideoStreamTrack())
        await self.remote.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        gather_only(self.remote, ["127.0.0.1"])
        await self.remote.setLocalDescription(await self.remote.createAnswer())
        await self.ours.accept_answer(self.remote.localDescription.sdp)

    def hold_the_handshake(self) -> None:
        """DTLS comes to no end until the sockets are being closed, which takes its time, as with TURN."""

        async def start(_parameters: object) -> None:
            self.handshakes.set()
            await self.handshake.wait()

        async def close(at_once: Callable[[], Awaitable[None]]) -> None:
            self.handshake.set()
            await asyncio.sleep(0.01)
            await at_once()

        dtls: Any = self.ours._transport.dtls
        dtls.start = start
        for protocol in self.ours._transport.ice.protocols:
            at_once = protocol.close
            vars(protocol)["close"] = lambda at_once=at_once: close(at_once)

    async def until_handshake(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            await self.handshakes.wait()

    def connecting(self) -> list[str]:
        mine = (task.get_coro().__qualname__ for task in asyncio.all_tasks())
        return [name for name in mine if name == "Connecting._run"]


def played(scene: Callable[[Line], Awaitable[None]]) -> list[str]:
    """What tasks that nobody waited for have raised, once all is gone."""
    told: list[str] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(repr(context.get("exception"))))
        line = Line()
        await line.answer()
        await scene(line)
        await line.remote.close()

    asyncio.run(scenario())
    gc.collect()
    return told


def test_a_handshake_that_ends_while_its_sockets_are_closed_goes_no_further() -> None:
    async def scene(line: Line) -> None:
        line.hold_the_handshake()
        await line.until_handshake()
        await line.ours.close()
        assert line.connecting() == []

    assert played(scene) == []


def test_one_that_the_engine_closes_by_itself_ends_without_an_error_that_nobody_takes() -> None:
    async def scene(line: Line) -> None:
        line.hold_the_handshake()
        await line.until_handshake()
        await line.ours._engine.close()  # as when the other side says goodbye
        await line.ours.close()
        assert line.connecting() == []

    assert played(scene) == []


@pytest.mark.parametrize("state", ["new", "checking", "completed", "connected"])
def test_nothing_goes_on_after_a_close_at_any_time(state: str) -> None:
    async def scene(line: Line) -> None:
        ours = line.ours
        async with asyncio.timeout(LIMIT_S):
            while state not in ("new", ours._engine.iceConnectionState, ours.state):
                await asyncio.sleep(0)
        await ours.close()
        assert line.connecting() == []

    assert played(scene) == []


def test_a_connection_that_cannot_be_made_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(line: Line) -> None:
        async def fails(_parameters: object) -> None:
            raise ValueError("the other side's text stays out of the log")

        dtls: Any = line.ours._transport.dtls
        dtls.start = fails
        async with asyncio.timeout(LIMIT_S):
            while "could not be made (ValueError)" not in caplog.text:
                await asyncio.sleep(0.005)
        await line.ours.close()

    assert played(scene) == []
    assert "text stays out" not in caplog.text
