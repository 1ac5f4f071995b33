from __future__ import annotations

import itertools

from agent.media.ntp import middle_32, ntp_from_monotonic, seconds_from_ntp
from agent.media.packetizer import PacketizedFrame
from agent.media.rtcp import ReportBlock
from agent.media.rtp_link import RtpLink
from agent.media.rtp_packet import RtpPacket, parse_rtp
from agent.media.rtp_stream import RESEND_ALLOWANCE_BYTES, RtpStream, StreamParameters
from tests.agent.media.clock import StillLoop

PARAMETERS = StreamParameters(11, 12, 90_000, {"H264": 100, "VP8": 102}, {100: 101})


class Rig:
    def __init__(self, parameters: StreamParameters = PARAMETERS) -> None:
        self.loop = StillLoop()
        self.sent: list[RtpPacket] = []
        self.keyframes = 0
        link = RtpLink(self.send, paced=False, loop=self.loop)
        self.stream = RtpStream(link, parameters, self.on_keyframe)

    def send(self, data: bytes) -> bool:
        self.sent.append(parse_rtp(data))
        return True

    def on_keyframe(self) -> None:
        self.keyframes += 1

    def frame(self, index: int, *, keyframe: bool = False, payloads: int = 2) -> None:
        data = tuple(bytes([index, n]) for n in range(payloads))
        self.stream.send_frame(
            PacketizedFrame(data, index * 3000, self.loop.now - 0.04, keyframe), "H264", self.loop.now
        )

    def forward(
        self, sequence: int, timestamp: int = 0, ssrc: int = 77, payload: bytes = b"\x61data"
    ) -> None:
        packet = RtpPacket(1, 125, sequence & 0xFFFF, timestamp, ssrc, payload)
        self.stream.forward(packet, "H264", self.loop.now)


def steps(values: list[int]) -> list[int]:
    return [(b - a) & 0xFFFF for a, b in itertools.pairwise(values)]


def test_starts_with_a_keyframe_that_it_asks_for_at_most_twice_a_second() -> None:
    rig = Rig()
    for index in range(20):
        rig.frame(index)
        rig.loop.advance(0.033)
    assert (rig.sent, rig.keyframes) == ([], 2)
    rig.frame(20, keyframe=True)
    rig.frame(21)
    assert [p.marker for p in rig.sent] == [0, 1, 0, 1]
    assert steps([p.sequence_number for p in rig.sent]) == [1, 1, 1]
    assert rig.sent[2].timestamp - rig.sent[0].timestamp & 0xFFFFFFFF == 3000


def test_a_lost_packet_comes_again_as_rtx() -> None:
    rig = Rig()
    rig.frame(0, keyframe=True)
    original = rig.sent[1]
    rig.stream.on_nack([original.sequence_number, original.sequence_number + 500 & 0xFFFF], rig.loop.now)
    repeat = rig.sent[-1]
    assert (repeat.ssrc, repeat.payload_type, repeat.marker) == (12, 101, 1)
    assert repeat.payload == original.sequence_number.to_bytes(2, "big") + original.payload
    assert (rig.stream.packets_resent, rig.stream.packets_missed) == (1, 1)


def test_on_a_line_that_loses_much_it_comes_twice_and_not_after_the_end() -> None:
    rig = Rig()
    rig.frame(0, keyframe=True)
    rig.stream._link.repeats_twice = True
    lost = rig.sent[1].sequence_number
    rig.stream.on_nack([lost], rig.loop.now)
    rig.loop.advance(0.1)
    first, second = rig.sent[2:]
    assert first.payload == second.payload == lost.to_bytes(2, "big") + rig.sent[1].payload
    assert steps([first.sequence_number, second.sequence_number]) == [1]
    rig.loop.advance(1)
    rig.stream.on_nack([lost], rig.loop.now)
    rig.stream._link.close()
    rig.loop.advance(0.1)
    assert len(rig.sent) == 5


def test_without_rtx_the_packet_itself_comes_again() -> None:
    rig = Rig(StreamParameters(11, 12, 90_000, {"H264": 100}))
    rig.frame(0, keyframe=True)
    rig.stream.on_nack([rig.sent[0].sequence_number], rig.loop.now)
    assert rig.sent[-1] == rig.sent[0]


def test_hostile_nacks_cannot_multiply_what_is_sent() -> None:
    rig = Rig()
    data = tuple(bytes(1000) for _ in range(500))
    rig.stream.send_frame(PacketizedFrame(data, 0, 0.0, True), "H264", rig.loop.now)
    numbers = [p.sequence_number for p in rig.sent]
    for _ in range(20):
        rig.loop.advance(0.12)
        rig.stream.on_nack(numbers, rig.loop.now)
    assert sum(len(p.payload) for p in rig.sent[500:]) <= RESEND_ALLOWANCE_BYTES + 2000


def test_forwarding_keeps_sequence_time_and_payload_in_any_order() -> None:
    rig = Rig()
    for sequence in (65534, 65535, 1, 2, 0):
        rig.forward(sequence, timestamp=sequence)
    sent = rig.sent
    assert steps([p.sequence_number for p in sent]) == [1, 2, 1, 0xFFFE]
    assert all(p.ssrc == 11 and p.payload_type == 100 and p.payload == b"\x61data" for p in sent)
    rig.stream.on_nack([sent[-1].sequence_number], rig.loop.now)
    assert rig.sent[-1].payload.endswith(b"\x61data")


def test_a_rebuilt_connection_goes_on_where_the_old_one_ended() -> None:
    rig = Rig()
    rig.forward(500, timestamp=1000)
    rig.loop.advance(2.0)
    rig.forward(9, timestamp=5_000_000, ssrc=78, payload=b"\x67sps")
    rig.forward(10, timestamp=5_003_000, ssrc=78)
    rig.forward(8, timestamp=4_997_000, ssrc=78)  # older than the first: its place belongs to the old one
    assert steps([p.sequence_number for p in rig.sent]) == [1, 1]
    gap = rig.sent[1].timestamp - rig.sent[0].timestamp & 0xFFFFFFFF
    assert gap == 180_000
    assert rig.sent[2].timestamp - rig.sent[1].timestamp & 0xFFFFFFFF == 3000


def test_joining_without_a_keyframe_leaves_a_hole_for_the_decoder_to_see() -> None:
    rig = Rig()
    rig.forward(500)
    rig.forward(9, ssrc=78, payload=b"\x61delta")
    assert steps([p.sequence_number for p in rig.sent]) == [2]


def test_unknown_codecs_are_not_forwarded() -> None:
    rig = Rig(StreamParameters(11, 12, 90_000, {"VP8": 102}))
    rig.forward(1)
    assert rig.sent == []


def test_sender_reports_tell_when_the_picture_was_captured() -> None:
    rig = Rig()
    assert rig.stream.sender_report(rig.loop.now) is None
    rig.frame(0, keyframe=True)
    report = rig.stream.sender_report(rig.loop.now)
    assert report.ntp == ntp_from_monotonic(rig.loop.now)
    assert report.rtp_timestamp - rig.sent[0].timestamp & 0xFFFFFFFF == 3600  # captured 40 ms ago
    assert (report.packet_count, report.octet_count) == (2, 4)


def test_forwarded_reports_keep_lip_sync_by_one_offset() -> None:
    rig = Rig()
    rig.forward(5, timestamp=50_000)
    now = rig.loop.now
    # The sender said: timestamp 41_000 was at an instant that our clock calls 0.2 s ago.
    rig.stream.translate_report(77, 41_000, seconds_from_ntp(ntp_from_monotonic(now - 0.2)))
    report = rig.stream.sender_report(now)
    expected = rig.sent[0].timestamp + (41_000 - 50_000) + 18_000
    assert abs((report.rtp_timestamp - expected + 2**31 & 0xFFFFFFFF) - 2**31) <= 1
    rig.stream.translate_report(99, 0, 0.0)  # of an SSRC that is not ours any more
    assert rig.stream.sender_report(now) == report


def test_round_trip_is_measured_by_our_own_clock() -> None:
    rig = Rig()
    now = rig.loop.now
    sent_at = middle_32(ntp_from_monotonic(now - 0.35))
    rig.stream.on_report(ReportBlock(11, 5, 1, 0, 0, sent_at, int(0.25 * 65536)), now)
    assert abs(rig.stream.round_trip_s - 0.1) < 0.001
    rig.stream.on_report(ReportBlock(11, 5, 1, 0, 0, sent_at, 0xFFFFFFF), now)
    assert abs(rig.stream.round_trip_s - 0.1) < 0.001, "nonsense is not believed"
