"""The kiosk's browser as a viewer on this machine (WHEP, RFC 9725 draft: it offers to receive, we answer)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from functools import partial

from agent.media.aiortc_internals import LOOPBACK
from agent.media.connection import Connection
from agent.media.ice_gathering import TransportSettings
from agent.media.negotiation import MediaKind, NegotiationError
from agent.media.packetizer import SharedPacketizer
from agent.media.remote_media import RemoteMedia
from agent.media.rtp_packet import RtpPacket
from agent.media.rtp_stream import FrameSender
from agent.media.source import Codec, Unsubscribe

CONNECT_TIMEOUT_S = 10.0


class KioskView:
    """One resource shown by the kiosk, over loopback only: nothing leaves the machine or needs a network.

    Our own picture ("self") comes from the encoder's packets, a remote party's is forwarded from RemoteMedia.
    """

    def __init__(self, resource: str, kinds: Sequence[MediaKind], on_closed: Callable[[str], None]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.resource = resource
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._undo: Unsubscribe = _nothing
        self._ready = False
        self._timeout = self._loop.call_later(CONNECT_TIMEOUT_S, self._give_up)
        self._start: Callable[[], Unsubscribe] = lambda: _nothing
        self.connection = Connection(
            self,
            self._on_state,
            transport=TransportSettings((LOOPBACK,), dscp=0),
            direction="sendonly",
            cname=secrets.token_hex(8),
            kinds=kinds,
        )
        self.session = self.connection.session

    async def show_self(self, sdp: str, video: SharedPacketizer) -> str:
        """Answer with our own picture. NegotiationError if the offer has no place for it."""
        answer, sections = await self.connection.answer(sdp)
        codec = video.source.codec
        for section in sections:
            if section.kind == "video" and codec in section.payload_types:
                ssrcs = self.connection.local_ssrcs("video")
                stream = self.session.send_on(section, ssrcs, video.source.request_keyframe)

                self._begin(partial(video.subscribe, FrameSender(stream, codec, self._loop)))
                video.source.request_keyframe()
                return answer
        raise NegotiationError("the offer has no video section with our codec")

    async def show_peer(self, sdp: str, media: RemoteMedia) -> str:
        """Answer with a remote party's picture and sound, whether or not the party is here yet."""
        answer, sections = await self.connection.answer(sdp)
        for section in sections:
            self.session.send_on(section, self.connection.local_ssrcs(section.kind), media.request_keyframe)

        def start() -> Unsubscribe:
            media.add_viewer(self.id, self.session.streams)
            return lambda: media.remove_viewer(self.id)

        self._begin(start)
        return answer

    def _begin(self, start: Callable[[], Unsubscribe]) -> None:
        self._start = start
        if self.connection.state == "connected":
            self._on_state("connected")

    def _on_state(self, state: str) -> None:
        if state == "connected" and not self._ready:
            self._ready = True
            self._timeout.cancel()
            self._undo = self._start()
        elif state in ("failed", "closed"):
            self._on_closed(self.id)

    def _give_up(self) -> None:
        self._on_closed(self.id)

    def on_media(self, kind: MediaKind, codec: Codec, packet: RtpPacket, now: float) -> None:
        """RtpListener: the kiosk sends nothing, and is not asked to."""

    def on_sender_report(
        self, kind: MediaKind, ssrc: int, rtp_timestamp: int, ntp_on_our_clock_s: float
    ) -> None:
        """RtpListener: see on_media."""

    async def close(self) -> None:
        self._timeout.cancel()
        self._undo()
        self._undo = _nothing
        await self.connection.close()


def _nothing() -> None:
    return None
