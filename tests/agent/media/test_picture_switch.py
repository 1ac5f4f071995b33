from __future__ import annotations

import itertools

from agent.media.packetizer import SharedPacketizer
from agent.media.picture_switch import PictureSwitch
from agent.media.rtp_link import RtpLink
from agent.media.rtp_packet import RtpPacket, parse_rtp
from agent.media.rtp_stream import RtpStream, StreamParameters
from agent.media.source import EncodedFrame
from tests.agent.media.clock import StillLoop
from tests.agent.media.synthetic import SilentSource


class Rig:
    def __init__(self) -> None:
        self.loop, self.sent = StillLoop(), []
        self.full, self.small = SilentSource("H264"), SilentSource("H264")
        self.sources = SharedPacketizer(self.full), SharedPacketizer(self.small)
        self.switch = PictureSwitch("H264", self.loop)
        link = RtpLink(self._send, paced=False, loop=self.loop)
        stream = RtpStream(
            link, StreamParameters(11, 12, 90_000, {"H264": 100}), self.switch.request_keyframe
        )
        self.switch.feed(stream, self.sources[0])
        self.frame(self.full, 0, keyframe=True)

    def _send(self, data: bytes) -> bool:
        self.sent.append(parse_rtp(data))
        return True

    def frame(self, source: SilentSource, timestamp: int, *, keyframe: bool = False) -> None:
        kind = b"\x65" if keyframe else b"\x61"
        mark = b"full" if source is self.full else b"small"
        source.emit(EncodedFrame(b"\x00\x00\x00\x01" + kind + mark, timestamp, self.loop.now, keyframe))

    def shown(self) -> list[bytes]:
        return [packet.payload[1:] for packet in self.sent]


def is_one_stream(packets: list[RtpPacket]) -> bool:
    pairs = list(itertools.pairwise(packets))
    return (
        len({p.ssrc for p in packets}) == 1
        and all((b.sequence_number - a.sequence_number) & 0xFFFF == 1 for a, b in pairs)
        and all(0 < (b.timestamp - a.timestamp) & 0xFFFFFFFF < 0x80000000 for a, b in pairs)
    )


def test_the_old_encoding_goes_on_until_the_new_ones_keyframe() -> None:
    rig = Rig()
    rig.switch.follow(rig.sources[1])
    assert rig.small.keyframe_requests == 1
    rig.frame(rig.full, 3000)
    rig.frame(rig.small, 3000)
    rig.frame(rig.full, 6000)
    rig.frame(rig.small, 6000, keyframe=True)  # the same picture, made by both
    rig.frame(rig.small, 9000)
    assert rig.shown() == [b"full", b"full", b"full", b"small", b"small"]
    assert is_one_stream(rig.sent)
    assert rig.full.listeners == [], "an encoding that nobody wants is stopped"


def test_back_again_before_the_keyframe_came_changes_nothing() -> None:
    rig = Rig()
    rig.switch.follow(rig.sources[1])
    rig.switch.follow(rig.sources[0])
    assert rig.small.listeners == []
    rig.frame(rig.full, 3000)
    rig.switch.follow(rig.sources[0])
    assert rig.shown() == [b"full", b"full"]


def test_there_and_back_is_one_stream_and_nothing_listens_after_the_end() -> None:
    rig = Rig()
    for turn in range(1, 7):
        source, packetizer = ((rig.small, rig.sources[1]), (rig.full, rig.sources[0]))[turn % 2 == 0]
        rig.switch.follow(packetizer)
        rig.frame(source, turn * 3000, keyframe=True)
    assert is_one_stream(rig.sent)
    assert len(rig.sent) == 7
    rig.switch.follow(rig.sources[1])
    rig.switch.close()
    assert rig.full.listeners == rig.small.listeners == []
    rig.switch.follow(rig.sources[1])
    assert rig.small.listeners == [], "what is closed follows nobody"
