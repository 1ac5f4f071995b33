from __future__ import annotations

from aiortc import rtp
from hypothesis import given
from hypothesis import strategies as st

from agent.media import rtcp

BLOCK = rtcp.ReportBlock(7, 12, -3, 70000, 90, 0x01020304, 65536)


def test_reports_are_read_by_aiortc_as_they_were_meant() -> None:
    report = rtcp.SenderReport(5, 0x0123456789ABCDEF, 99, 2**32 + 1, 4000, (BLOCK,))
    data = rtcp.build_sender_report(report) + rtcp.build_source_description(5, "name")
    theirs, names = rtp.RtcpPacket.parse(data)
    assert (theirs.ssrc, theirs.sender_info.ntp_timestamp, theirs.sender_info.packet_count) == (
        5,
        0x0123456789ABCDEF,
        1,
    )
    block = theirs.reports[0]
    assert (block.ssrc, block.fraction_lost, block.packets_lost, block.dlsr) == (7, 12, -3, 65536)
    assert names.chunks[0].items == [(1, b"name")]


def test_reads_aiortc_reports() -> None:
    block = rtp.RtcpReceiverInfo(7, 12, -3, 70000, 90, 0x01020304, 65536)
    info = rtp.RtcpSenderInfo(1 << 40, 99, 3, 4000)
    data = bytes(rtp.RtcpSrPacket(5, info, [block])) + bytes(rtp.RtcpRrPacket(6, [block, block]))
    assert rtcp.parse_compound(data) == [
        rtcp.SenderReport(5, 1 << 40, 99, 3, 4000, (BLOCK,)),
        rtcp.ReceiverReport(6, (BLOCK, BLOCK)),
    ]


@given(st.integers(0, 65535), st.sets(st.integers(0, 60), min_size=1))
def test_nack_round_trip_and_oracle(start: int, offsets: set[int]) -> None:
    lost = [(start + offset) & 0xFFFF for offset in sorted(offsets)]
    data = rtcp.build_nack(1, 2, lost)
    assert rtcp.parse_compound(data) == [rtcp.Nack(2, tuple(lost))]
    assert [n & 0xFFFF for n in rtp.RtcpPacket.parse(data)[0].lost] == lost


def test_keyframe_requests_remb_and_goodbye() -> None:
    pli = rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_PLI, ssrc=1, media_ssrc=2)
    assert bytes(pli) == rtcp.build_keyframe_request(1, 2)
    fir = rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_FIR, ssrc=1, media_ssrc=0, fci=bytes([0, 0, 0, 8, 1, 0, 0, 0]))
    remb = rtp.RtcpPsfbPacket(
        fmt=rtp.RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=rtp.pack_remb_fci(1_200_000, [8, 9])
    )
    data = bytes(pli) + bytes(fir) + bytes(remb) + rtcp.build_goodbye([8])
    pli_read, fir_read, remb_read, bye = rtcp.parse_compound(data)
    assert (pli_read, fir_read) == (rtcp.KeyframeRequest(2), rtcp.KeyframeRequest(8))
    assert abs(remb_read.bit_rate - 1_200_000) < 16
    assert remb_read.ssrcs == (8, 9)
    assert bye == rtcp.Goodbye((8,))


def test_unknown_packets_are_skipped() -> None:
    extended = b"\x80\xcf\x00\x01" + bytes(4)
    assert rtcp.parse_compound(extended + rtcp.build_keyframe_request(1, 2)) == [rtcp.KeyframeRequest(2)]


@given(
    st.lists(st.tuples(st.integers(0, 31), st.integers(199, 207), st.binary(max_size=40)), max_size=4),
    st.binary(max_size=3),
)
def test_a_stranger_can_only_cause_value_errors(parts: list[tuple[int, int, bytes]], tail: bytes) -> None:
    data = b""
    for count, kind, body in parts:
        body += bytes(-len(body) % 4)
        data += bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big") + body
    for candidate in (data, data + tail, b"\xa0" + data[1:]):
        try:
            packets = rtcp.parse_compound(candidate)
        except ValueError:
            continue
        assert len(packets) <= len(candidate)
