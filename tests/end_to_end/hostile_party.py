"""A remote party without a browser's manners: real ICE, DTLS and SRTP, and then whatever a test sends."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

import pylibsrtp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from tests.bench.lines import Child
from tests.gathering import gather_only

LOOPBACK = "127.0.0.1"
CONNECT_WITHIN_S = 15.0


class Party:
    """Joined to the unit; counts the media packets that come to it, undecoded."""

    def __init__(self, unit: Child, name: str) -> None:
        self._unit = unit
        self.name = name
        self.received = 0
        self.channel: Any = None
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.connection.on("datachannel", self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self.channel = channel

    async def answer(self) -> str:
        """Our answer to the unit's offer, not sent yet."""
        offer = (await self._unit.ask("connect", peer=self.name))["sdp"]
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in self.connection.getTransceivers():
            transceiver.direction = "sendrecv"
            transceiver.receiver._handle_rtp_packet = self._count
        gather_only(self.connection, [LOOPBACK])
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return str(self.connection.localDescription.sdp)

    async def join(self) -> Party:
        """Connect, and wait until media comes."""
        await self._unit.ask("answer", peer=self.name, sdp=await self.answer())
        async with asyncio.timeout(CONNECT_WITHIN_S):
            while not self.received or self.channel is None:
                await asyncio.sleep(0.02)
        return self

    async def _count(self, packet: Any, arrival_time_ms: int) -> None:
        self.received += 1

    @property
    def _dtls(self) -> Any:
        return self.connection.getTransceivers()[0].receiver.transport

    def send_raw(self, data: bytes) -> None:
        """A datagram as it is, from the socket that the unit knows."""
        pair = self._dtls.transport._connection._nominated.get(1)
        if pair is not None:  # the unit may have closed the connection
            pair.protocol.transport.sendto(data, pair.remote_addr)

    def send(self, kind: str, data: bytes) -> None:
        """An RTP or RTCP packet, encrypted and authenticated as it should be."""
        session = self._dtls._tx_srtp
        try:
            self.send_raw(session.protect_rtcp(data) if kind == "rtcp" else session.protect(data))
        except pylibsrtp.Error:
            return  # our own encryption refuses numbers that it has used

    @property
    def unit_address(self) -> tuple[str, int]:
        return self._dtls.transport._connection._nominated[1].remote_addr  # type: ignore[no-any-return]

    @cached_property
    def ssrcs(self) -> list[int]:
        """Those of the unit's media, as it announced them."""
        lines = self.connection.remoteDescription.sdp.splitlines()
        return sorted({int(line[7:].split()[0]) for line in lines if line.startswith("a=ssrc:")})

    @cached_property
    def h264(self) -> int:
        """The payload type that was agreed on."""
        lines = self.connection.localDescription.sdp.splitlines()
        return next(
            int(line[9:].split()[0]) for line in lines if line.startswith("a=rtpmap:") and "H264" in line
        )

    async def close(self) -> None:
        await self.connection.close()
