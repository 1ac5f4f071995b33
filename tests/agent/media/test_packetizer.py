from __future__ import annotations

from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from agent.media.packetizer import (
    PAYLOAD_BYTES_MAX,
    SharedPacketizer,
    packetize_h264,
    packetize_vp8,
    starts_keyframe,
)
from agent.media.source import EncodedFrame
from tests.agent.media.synthetic import SilentSource

START = b"\x00\x00\x00\x01"
SPS, PPS, IDR, SLICE, AUD = (bytes([0x60 | kind]) for kind in (7, 8, 5, 1, 9))


def unit(kind: bytes, size: int) -> bytes:
    return kind + b"\x55" * (size - 1)


units = st.lists(
    st.builds(unit, st.sampled_from([SPS, PPS, IDR, SLICE]), st.integers(2, 6000)), min_size=1, max_size=8
)


@given(units, st.integers(50, 1300), st.booleans())
def test_h264_comes_back_whole_through_aiortc(parts: list[bytes], payload_max: int, short: bool) -> None:
    access_unit = b"".join((START[1:] if short else START) + part for part in parts)
    payloads = packetize_h264(access_unit, payload_max)
    assert max(map(len, payloads)) <= payload_max
    assert b"".join(h264_depayload(p) for p in payloads) == b"".join(START + part for part in parts)


def test_parameter_sets_share_a_packet_and_delimiters_are_left_out() -> None:
    payloads = packetize_h264(START + AUD + b"\xf0" + START + unit(SPS, 20) + START + unit(PPS, 5))
    assert len(payloads) == 1
    assert payloads[0][0] & 0x1F == 24
    assert packetize_h264(START + AUD) == ()


def test_keyframe_starts_are_seen_in_every_packet_kind() -> None:
    key = START + unit(SPS, 20) + START + unit(PPS, 5) + START + unit(IDR, 5000)
    assert [starts_keyframe("H264", p) for p in packetize_h264(key)] == [True, True, *[False] * 4]
    assert not any(starts_keyframe("H264", p) for p in packetize_h264(START + unit(SLICE, 5000)))
    assert [starts_keyframe("VP8", p) for p in packetize_vp8(b"\x10" * 3000, 5)] == [True, False, False]
    assert not starts_keyframe("VP8", packetize_vp8(b"\x11" * 10, 5)[0])
    assert not starts_keyframe("H264", b"")


@given(st.binary(max_size=8), st.sampled_from(["H264", "VP8"]))
def test_keyframe_start_reads_anything(payload: bytes, codec: str) -> None:
    assert starts_keyframe(codec, payload) in (True, False)


@given(st.binary(min_size=1, max_size=5000), st.integers(0, 0x7FFF))
def test_vp8_comes_back_whole_through_aiortc(frame: bytes, picture_id: int) -> None:
    parsed = [VpxPayloadDescriptor.parse(p) for p in packetize_vp8(frame, picture_id)]
    assert b"".join(rest for _, rest in parsed) == frame
    assert [d.partition_start for d, _ in parsed] == [1] + [0] * (len(parsed) - 1)
    assert all(d.picture_id == picture_id for d, _ in parsed)


def test_a_frame_is_cut_once_for_all_and_the_source_rests_when_nobody_listens() -> None:
    source = SilentSource("H264")
    packetizer = SharedPacketizer(source)
    seen: list[list] = [[], []]
    undo = [packetizer.subscribe(each.append) for each in seen]
    source.emit(EncodedFrame(START + unit(IDR, 3 * PAYLOAD_BYTES_MAX), 1, 2.0, True))
    assert seen[0][0] is seen[1][0]
    assert len(seen[0][0].payloads) == 4
    assert (packetizer.frames, packetizer.keyframes) == (1, 1)
    for each in undo:
        each()
    assert source.listeners == []
