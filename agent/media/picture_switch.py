"""One party's stream, fed from one of several encodings: a change is a keyframe, and nothing else shows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.media.packetizer import PacketizedFrame, SharedPacketizer
from agent.media.rtp_stream import RtpStream
from agent.media.source import Codec, Unsubscribe


class PictureSwitch:
    """Keeps one SSRC with running sequence numbers and timestamps, whichever encoder feeds it.

    The old encoding goes on until the new one's keyframe is there, so that nothing stands still meanwhile.
    """

    def __init__(self, codec: Codec, loop: asyncio.AbstractEventLoop) -> None:
        self._codec, self._loop = codec, loop
        self._stream: RtpStream | None = None
        self._current: tuple[SharedPacketizer, Unsubscribe] | None = None
        self._coming: tuple[SharedPacketizer, Unsubscribe] | None = None
        self._last_timestamp = -1

    def feed(self, stream: RtpStream, source: SharedPacketizer) -> None:
        """Begin: this stream gets that encoding."""
        self._stream = stream
        self._current = source, source.subscribe(self._send)
        source.source.request_keyframe()

    def follow(self, source: SharedPacketizer) -> None:
        """Change to that encoding, at its next keyframe; nothing before feed()."""
        if self._current is None or source is (self._coming or self._current)[0]:
            return
        self._forget_coming()
        if source is not self._current[0]:
            self._coming = source, source.subscribe(self._take_over)
            source.source.request_keyframe()

    def request_keyframe(self) -> None:
        """Ask the encoding in use, and the coming one."""
        for chosen in (self._current, self._coming):
            if chosen is not None:
                chosen[0].source.request_keyframe()

    def _send(self, frame: PacketizedFrame) -> None:
        if frame.timestamp <= self._last_timestamp:
            # Both encoders made the same picture: two frames must not carry one timestamp.
            frame = replace(frame, timestamp=self._last_timestamp + 1)
        self._last_timestamp = frame.timestamp
        if self._stream is not None:
            self._stream.send_frame(frame, self._codec, self._loop.time())

    def _take_over(self, frame: PacketizedFrame) -> None:
        if self._coming is None or self._current is None or not frame.keyframe:
            return
        self._current[1]()
        source = self._coming[0]
        self._forget_coming()
        self._current = source, source.subscribe(self._send)
        self._send(frame)

    def _forget_coming(self) -> None:
        if self._coming is not None:
            self._coming[1]()
            self._coming = None

    def close(self) -> None:
        """Let go of every encoding."""
        self._forget_coming()
        if self._current is not None:
            self._current[1]()
            self._current = None
