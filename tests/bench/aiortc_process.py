"""Stock aiortc as the sender, as its own examples use it: MediaPlayer, and its H.264 encoder untouched."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from av import VideoFrame

from agent.__main__ import go_before_the_screen
from agent.media.aiortc_internals import LOOPBACK
from agent.media.clock_pattern import draw_clock
from agent.media.pixels import copied, planes
from tests.bench.lines import answer_lines
from tests.gathering import gather_only


class ClockedTrack(MediaStreamTrack):
    """The player's pictures with the clock drawn in when each is due."""

    kind = "video"

    def __init__(self, player: MediaStreamTrack) -> None:
        super().__init__()
        self._player = player

    async def recv(self) -> VideoFrame:
        frame = await self._player.recv()
        assert isinstance(frame, VideoFrame) and frame.format.name == "yuv420p"
        picture = copied(frame)
        draw_clock(*planes(picture), unix_ms=round(time.time() * 1000))
        picture.pts, picture.time_base = frame.pts, frame.time_base
        return picture


class StockSender:
    """One connection that sends the film."""

    def __init__(self, film: str) -> None:
        player = MediaPlayer(film)
        assert player.audio is not None and player.video is not None
        self._audio, self._video = player.audio, player.video
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def offer(self) -> dict[str, Any]:
        self._connection.addTrack(self._audio)
        sender = self._connection.addTrack(ClockedTrack(self._video))
        known = RTCRtpSender.getCapabilities("video").codecs
        h264 = [codec for codec in known if codec.mimeType == "video/H264"]
        rtx = [codec for codec in known if codec.mimeType == "video/rtx"]
        for transceiver in self._connection.getTransceivers():
            if transceiver.sender is sender:
                transceiver.setCodecPreferences(h264 + rtx)
        gather_only(self._connection, [LOOPBACK])
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return {"sdp": self._connection.localDescription.sdp}

    async def answer(self, sdp: str) -> dict[str, Any]:
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        return {}

    async def close(self) -> None:
        await self._connection.close()
        self._audio.stop()
        self._video.stop()


async def main(film: str) -> None:
    go_before_the_screen()
    sender = StockSender(film)
    await answer_lines({"offer": sender.offer, "answer": sender.answer})
    await sender.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
