"""Whatever one party sends: parsers raise ValueError at most, a session nothing, and what it keeps is bounded."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.media import rtcp
from agent.media.congestion import MAX_BIT_RATE, MIN_BIT_RATE, CongestionController
from agent.media.history import PacketHistory
from agent.media.negotiation import (
    NegotiationError,
    clean_remote_description,
    offered_kinds,
    parse_description,
)
from agent.media.pacer import Pacer
from agent.media.packetizer import PacketizedFrame, starts_keyframe
from agent.media.peer import UNREAD_BYTES_MAX, Peer
from agent.media.remote_media import RemoteMedia
from agent.media.rtp_packet import extension_value, parse_rtp
from agent.media.rtp_session import RtpSession
from agent.media.rtp_stream import RESEND_ALLOWANCE_BYTES
from agent.media.transport_feedback import parse_feedback
from tests.agent.media.clock import StillLoop
from tests.agent.media.hostile import RTCP, RTP, feedback, flood, rtp
from tests.agent.media.test_negotiation import OFFER
from tests.agent.media.test_rtp_session import AUDIO, VIDEO


@dataclass
class Room:
    """The unit between a hostile party, which has a session of its own, and the kiosk that is shown it."""

    loop: StillLoop = field(default_factory=StillLoop)
    sent_bytes: int = 0
    last_sequence: int = 0
    keyframes: int = 0
    frames: int = 0
    frame_bytes: int = 0

    def __post_init__(self) -> None:
        self.controller = CongestionController()
        media = RemoteMedia()
        self.party = RtpSession(
            self._send, self._send, media, cname="x", controller=self.controller, loop=self.loop
        )
        self.video = self.party.send_on(VIDEO, (21, 22), self._keyframe)
        self.party.send_on(AUDIO, (23, 24))
        self.party.receive_on([VIDEO, AUDIO], [VIDEO, AUDIO])
        media.follow(self.party)
        self.kiosk = RtpSession(self._to_kiosk, self._to_kiosk, media, cname="x", loop=self.loop)
        self.kiosk.send_on(VIDEO, (31, 32))
        self.kiosk.send_on(AUDIO, (33, 34))
        media.add_viewer("screen", self.kiosk.streams)

    def _send(self, data: bytes) -> bool:
        self.sent_bytes += len(data)
        if data[8:12] == bytes([0, 0, 0, 21]):
            self.last_sequence = data[2] << 8 | data[3]
        return True

    def _to_kiosk(self, data: bytes) -> bool:
        return True

    def _keyframe(self) -> None:
        self.keyframes += 1

    def takes(self, kind: str, data: bytes) -> None:
        if kind == "rtp":
            self.party.on_rtp(data, self.loop.now)
        else:
            self.party.on_rtcp(data)

    def passes(self, seconds: float) -> None:
        """Time, with a frame of ours in it."""
        self.loop.advance(seconds)
        frame = PacketizedFrame((bytes(1000),) * 3, self.frames * 3000, self.loop.now, self.frames % 30 == 0)
        self.frames += 1
        self.frame_bytes += 3000
        self.video.send_frame(frame, "H264", self.loop.now)
        self.party.tick(self.loop.now)
        self.kiosk.tick(self.loop.now)


def held(thing: object, seen: set[int] | None = None) -> int:
    """How many objects are kept in it, all the way down, but for histories: rings that are emptied at times."""
    seen = set() if seen is None else seen
    ends = type | int | float | bytes | str | None | PacketHistory | Pacer
    if id(thing) in seen or isinstance(thing, ends):
        return 1
    seen.add(id(thing))
    if isinstance(thing, Mapping):
        return len(thing) + sum(held(value, seen) for value in thing.values())
    if isinstance(thing, Sequence | Set | deque):
        return 1 + sum(held(each, seen) for each in thing)
    names = list(getattr(thing, "__dict__", ())) + [
        name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())
    ]
    return 1 + sum(held(getattr(thing, name, None), seen) for name in names)


@given(st.binary(max_size=1500) | RTP)
def test_an_rtp_packet_is_read_or_is_a_value_error(data: bytes) -> None:
    try:
        packet = parse_rtp(data)
    except ValueError:
        return
    assert len(packet.payload) + len(packet.extension) < len(data)
    for identifier in (0, 1, 4, 14, 15, 255):
        extension_value(packet, identifier)
    for codec in ("H264", "VP8", "opus"):
        starts_keyframe(codec, packet.payload)


@given(st.binary(max_size=1500) | RTCP)
def test_an_rtcp_packet_is_read_or_is_a_value_error(data: bytes) -> None:
    try:
        packets = rtcp.parse_compound(data)
    except ValueError:
        return
    assert len(packets) <= len(data)
    for packet in packets:
        if isinstance(packet, rtcp.TransportFeedbackBody):
            try:
                parse_feedback(packet.body)
            except ValueError:
                continue


@given(st.lists(st.one_of(RTP.map(lambda d: ("rtp", d)), RTCP.map(lambda d: ("rtcp", d))), max_size=60))
def test_a_session_takes_anything_in_any_order(packets: list[tuple[str, bytes]]) -> None:
    room = Room()
    for index, (kind, data) in enumerate(packets):
        room.takes(kind, data)
        if index % 7 == 0:
            room.passes(0.05)
    room.passes(1.1)
    assert MIN_BIT_RATE <= room.controller.bit_rate <= MAX_BIT_RATE
    assert room.party.round_trip_s is None or 0 <= room.party.round_trip_s < math.inf
    assert room.sent_bytes > 0


def test_a_flood_leaves_a_bounded_state_behind() -> None:
    room, sizes = Room(), []
    for index in range(1100):  # so that every ring of ours is full
        room.passes(0.001)
        room.takes("rtp", rtp(100, index, index * 3000, 1, b"\x61" + bytes(20)))
    for session in (room.party, room.kiosk):
        for _ in range(9000):
            session.link.sent_log.add(1000, room.loop.now)
    for base in range(0, 1 << 16, 4000):
        room.takes("rtcp", feedback(base, 4000, 0, (4000).to_bytes(2, "big")))
    for index, (kind, data) in enumerate(flood(1, 2000)):
        if index == 1000:
            sizes.append(held(room.party))
        room.takes(kind, data)
        if index % 20 == 0:
            room.passes(0.03)
    sizes.append(held(room.party))
    assert sizes[1] - sizes[0] < 500, sizes
    assert room.keyframes <= 2 * (room.loop.now - 1000) + 1


def test_asking_for_everything_again_and_again_does_not_multiply_what_we_send() -> None:
    room = Room()
    for _ in range(60):
        room.passes(1 / 30)
    before, frames = room.sent_bytes, room.frame_bytes
    for _ in range(60):
        for start in range(room.last_sequence - 450, room.last_sequence, 50):
            room.takes("rtcp", rtcp.build_nack(1, 21, [n & 0xFFFF for n in range(start, start + 50)]))
        room.passes(1 / 30)
    assert room.video.packets_resent > 50
    media = room.frame_bytes - frames
    assert room.sent_bytes - before <= 1.7 * media + RESEND_ALLOWANCE_BYTES


def test_a_hundred_keyframe_requests_a_second_are_two_for_the_encoder() -> None:
    room = Room()
    for _ in range(1000):
        room.takes("rtcp", rtcp.build_keyframe_request(1, 21))
        room.loop.advance(0.01)
    assert 18 <= room.keyframes <= 21


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from([*OFFER.split("\r\n"), "m=", "a=rtpmap:x", "a=ssrc:", "a=fmtp:109 apt=x"]))
    .map("\r\n".join)
    .map("v=0\r\n".__add__)
)
def test_a_description_is_read_or_is_a_negotiation_error(text: str) -> None:
    for read in (clean_remote_description, parse_description, offered_kinds):
        try:
            read(text)
        except NegotiationError as error:
            assert not text.strip() or str(error).find(text) < 0 or len(text) < 3


def test_of_what_a_page_does_not_read_little_waits_for_it() -> None:
    channel = SimpleNamespace(readyState="open", bufferedAmount=0)

    def never_read(text: str) -> None:
        channel.bufferedAmount += len(text)

    channel.send = never_read
    peer: Any = SimpleNamespace(connection=SimpleNamespace(channel=channel), _ended=False)
    for _ in range(1000):
        Peer.send_message(peer, "x" * 1024)
    assert channel.bufferedAmount == UNREAD_BYTES_MAX + 1024
