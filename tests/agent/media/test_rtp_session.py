"""Two sessions back to back over a line that loses packets: one plays the browser."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from agent.media import rtcp
from agent.media.congestion import CongestionController
from agent.media.negotiation import TRANSPORT_CC, MediaSection
from agent.media.packetizer import PacketizedFrame
from agent.media.remote_media import RemoteMedia
from agent.media.rtp_packet import RtpPacket, parse_rtp
from agent.media.rtp_session import RtpSession
from tests.agent.media.clock import StillLoop

DELAY_S = 0.01
VIDEO = MediaSection(
    "video", {"H264": 100, "VP8": 102}, {100: 101, 102: 103}, {TRANSPORT_CC: 4}, (1,), {2: 1}, True, True
)
AUDIO = MediaSection("audio", {"opus": 111}, {}, {TRANSPORT_CC: 4}, (3,), {}, True, True)


class End:
    """One end: a session, and what it heard."""

    def __init__(self, loop: StillLoop, controller: CongestionController | None = None) -> None:
        self.loop = loop
        self.lose_reports = False
        self.lose: Callable[[bytes], bool] = lambda data: False
        self.other: End | None = None
        self.media: list[RtpPacket] = []
        self.reports: list[tuple[str, int, int, float]] = []
        self.keyframes = 0
        self.rtcp_sent: list[bytes] = []
        self.session = RtpSession(
            self.send_rtp, self.send_rtcp, self, cname="x", controller=controller, loop=loop
        )

    def send_rtp(self, data: bytes) -> bool:
        if not self.lose(data):
            self.loop.call_later(DELAY_S, self.other.session.on_rtp, data, self.loop.now + DELAY_S)
        return True

    def send_rtcp(self, data: bytes) -> bool:
        self.rtcp_sent.append(data)
        if self.lose_reports and self.lose(data):
            return True
        self.loop.call_later(DELAY_S, self.other.session.on_rtcp, data)
        return True

    def on_media(self, kind: str, codec: str, packet: RtpPacket, now: float) -> None:
        self.media.append(packet)

    def on_sender_report(self, kind: str, ssrc: int, timestamp: int, ntp_s: float) -> None:
        self.reports.append((kind, ssrc, timestamp, ntp_s))

    def on_keyframe(self) -> None:
        self.keyframes += 1


def pair() -> tuple[StillLoop, End, End]:
    loop = StillLoop()
    sender, receiver = End(loop, CongestionController()), End(loop)
    sender.other, receiver.other = receiver, sender
    sender.session.send_on(VIDEO, (1, 2), sender.on_keyframe)
    sender.session.send_on(AUDIO, (3, 4))
    receiver.session.send_on(VIDEO, (21, 22))
    receiver.session.receive_on([VIDEO, AUDIO], [VIDEO, AUDIO])
    return loop, sender, receiver


def play(
    loop: StillLoop, sender: End, receiver: End, frames: int, start: int = 0, ends: tuple[End, ...] = ()
) -> None:
    for index in range(start, start + frames):
        payloads = tuple(bytes([index & 0xFF, n]) * 500 for n in range(6))
        frame = PacketizedFrame(payloads, index * 3000, loop.now, index == 0)
        sender.session.streams["video"].send_frame(frame, "H264", loop.now)
        sound = PacketizedFrame((b"sound",), index * 1600, loop.now, True)
        sender.session.streams["audio"].send_frame(sound, "opus", loop.now)
        for _ in range(3):
            loop.advance(0.0111)
            for end in ends or (sender, receiver):
                end.session.tick(loop.now)
    for _ in range(12):
        loop.advance(0.025)
        for end in ends or (sender, receiver):
            end.session.tick(loop.now)


def test_everything_lost_once_or_twice_comes_again_within_the_call() -> None:
    loop, sender, receiver = pair()
    count = 0

    def lose(data: bytes) -> bool:
        nonlocal count
        count += 1
        return count % 12 in (5, 6) and parse_rtp(data).ssrc != 3

    sender.lose = lose
    play(loop, sender, receiver, 60)
    sender.lose = lambda data: False
    play(loop, sender, receiver, 3, start=60)
    pictures = [p for p in receiver.media if p.ssrc == 1]
    numbers = sorted((p.sequence_number - pictures[0].sequence_number) & 0xFFFF for p in pictures)
    assert numbers == list(range(63 * 6)), "each picture packet came, and came once"
    assert {p.payload_type for p in pictures} == {100}
    received = receiver.session.received("video")
    assert received.recovered > 20
    assert received.packets_lost == 0


def test_feedback_reaches_congestion_control_and_reports_carry_the_clock() -> None:
    loop, sender, receiver = pair()
    play(loop, sender, receiver, 90)
    assert sender.session.sending.controller.bit_rate > 1_550_000
    assert abs(sender.session.round_trip_s - 2 * DELAY_S) < 0.02
    kinds = {kind for kind, *_ in receiver.reports}
    assert kinds == {"audio", "video"}
    first, last = receiver.reports[0], receiver.reports[-1]
    assert abs((last[3] - first[3]) - round(last[3] - first[3])) < 0.1


def test_keyframe_requests_pass_at_most_twice_a_second() -> None:
    loop, sender, receiver = pair()
    play(loop, sender, receiver, 1)
    for _ in range(100):
        receiver.session.request_keyframe()
        loop.advance(0.01)
        receiver.session.tick(loop.now)
    loop.advance(0.1)
    assert 2 <= sender.keyframes <= 3


def test_padding_in_rtx_and_unknown_types_are_dropped() -> None:
    loop, _, receiver = pair()
    receiver.session.on_rtp(b"\xb0\x65" + bytes(10) + b"\xbe\xde\x00\x00" + bytes(3) + b"\x04", loop.now)
    receiver.session.on_rtp(b"\x80\x65" + bytes(10) + b"\x00\x01x", loop.now)
    receiver.session.on_rtp(b"\x80\x7f" + bytes(10) + b"data", loop.now)
    assert receiver.media == []


def test_broken_rtcp_is_dropped_and_ssrcs_are_limited() -> None:
    loop, _, receiver = pair()
    for data in (b"", b"\x80", b"\x81\xc8\x00\x01" + bytes(4), b"\x8f\xcd\x00\x03" + bytes(12), b"\xff" * 40):
        receiver.session.on_rtcp(data)
    for ssrc in range(100, 200):
        receiver.session.on_rtp(b"\x80\x64\x00\x01" + bytes(4) + ssrc.to_bytes(4, "big") + b"x", loop.now)
    assert len({p.ssrc for p in receiver.media}) == 8


def test_says_goodbye() -> None:
    _, sender, _receiver = pair()
    sender.session.close()
    assert rtcp.Goodbye((1, 3)) in rtcp.parse_compound(sender.rtcp_sent[-1])


def test_through_the_unit_to_the_kiosk_nothing_is_missing_with_two_percent_lost_on_both_legs() -> None:
    loop, rng = StillLoop(), random.Random(5)
    browser, kiosk = End(loop, CongestionController()), End(loop)
    party, view = End(loop), End(loop)  # the unit's ends of the two legs
    browser.other, party.other, view.other, kiosk.other = party, browser, kiosk, view
    media = RemoteMedia()
    party.on_media, party.on_sender_report = media.on_media, media.on_sender_report
    browser.session.send_on(VIDEO, (1, 2))
    browser.session.send_on(AUDIO, (3, 4))
    party.session.send_on(VIDEO, (21, 22))
    party.session.receive_on([VIDEO, AUDIO], [VIDEO, AUDIO])
    plain = replace(VIDEO, extensions={}, payload_types={"H264": 96}, rtx_payload_types={96: 97})
    view.session.send_on(plain, (31, 32), media.request_keyframe)
    view.session.send_on(replace(AUDIO, extensions={}), (33, 34))
    kiosk.session.receive_on([plain, AUDIO], [replace(plain, rtx_ssrcs={32: 31}), AUDIO])
    media.follow(party.session)
    media.add_viewer("kiosk", view.session.streams)

    def lose(data: bytes) -> bool:
        return rng.random() < 0.02

    browser.lose = party.lose = view.lose = kiosk.lose = lose
    ends = (browser, party, view, kiosk)
    for end in ends:
        end.lose_reports = True
    for part in range(10):
        play(loop, browser, party, 30, start=30 * part, ends=ends)
    for end in ends:
        end.lose = lambda data: False
    play(loop, browser, party, 3, start=300, ends=ends)
    pictures = [p for p in kiosk.media if p.ssrc == 31]
    numbers = {(p.sequence_number - pictures[0].sequence_number) & 0xFFFF for p in pictures}
    assert numbers >= set(range(max(numbers) + 1)), "every picture packet reached the kiosk"
    assert len(numbers) >= 303 * 6 - 6
    assert party.session.received("video").recovered > 10
    assert kiosk.session.received("video").recovered > 10
    assert {kind for kind, *_ in kiosk.reports} == {"audio", "video"}, "lip sync reaches the kiosk"
