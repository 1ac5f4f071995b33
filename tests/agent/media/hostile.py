"""Packets that no browser sends, for tests: drawn by hypothesis, or by a seed for floods."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable

from hypothesis import strategies as st

from agent.media import rtcp

U8, U16, U32, U64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
OUR_SSRCS, THEIR_SSRCS, PAYLOAD_TYPES = (21, 22, 23, 24), (1, 2, 3), (100, 101, 102, 103, 111, 96, 0, 127)


def rtp(
    kind: int, sequence: int, timestamp: int, ssrc: int, body: bytes = b"\x61x", first: int = 0x80
) -> bytes:
    return struct.pack("!BBHLL", first, kind, sequence, timestamp, ssrc) + body


def running_number(number: int) -> bytes:
    """A header extension with a transport-wide number, for `first` 0x90."""
    return struct.pack("!HHBHx", 0xBEDE, 1, 4 << 4 | 1, number)


def feedback(base: int, count: int, reference: int, rest: bytes) -> bytes:
    """Transport-wide feedback, whatever it claims."""
    body = struct.pack("!HH", base, count) + reference.to_bytes(3, "big") + b"\x00" + rest
    return rtcp.build_transport_feedback(1, 21, body)


def remb(mantissa: int, exponent: int) -> bytes:
    word = exponent << 18 | mantissa
    return bytes([0x8F, 206, 0, 5]) + struct.pack("!LL4sL", 1, 0, b"REMB", 1 << 24 | word) + bytes(4)


SSRC = st.sampled_from(OUR_SSRCS + THEIR_SSRCS) | U32
RTP = st.builds(
    rtp,
    st.sampled_from(PAYLOAD_TYPES).flatmap(lambda kind: st.sampled_from((kind, kind | 0x80))),
    U16,
    U32,
    SSRC,
    st.binary(max_size=60) | st.builds(lambda n, tail: running_number(n) + tail, U16, st.binary(max_size=9)),
    st.sampled_from((0x80, 0x90, 0xA0, 0x8F, 0xBF)) | U8,
)
BLOCK = st.builds(rtcp.ReportBlock, SSRC, U8, st.integers(-(1 << 23), (1 << 23) - 1), U32, U32, U32, U32)
BLOCKS = st.lists(BLOCK, max_size=3).map(tuple)
RTCP = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda first, kind, body: struct.pack("!BBH", first, kind, len(body) // 4) + body,
        st.integers(0x80, 0xBF),
        st.integers(192, 223),
        st.binary(max_size=80),
    ),
    st.builds(lambda *f: rtcp.build_sender_report(rtcp.SenderReport(*f)), SSRC, U64, U32, U32, U32, BLOCKS),
    st.builds(rtcp.build_receiver_report, U32, BLOCKS),
    st.builds(rtcp.build_nack, U32, SSRC, st.lists(U16, max_size=200)),
    st.builds(rtcp.build_keyframe_request, U32, SSRC),
    st.builds(rtcp.build_goodbye, st.lists(SSRC, max_size=31)),
    st.builds(feedback, U16, U16, st.integers(0, (1 << 24) - 1), st.binary(max_size=60)),
    st.builds(remb, st.integers(0, (1 << 18) - 1), st.integers(0, 63)),
)


def flood(seed: int, count: int) -> Iterable[tuple[str, bytes]]:
    """Well-formed and absurd in turn, so that it reaches what is behind the parsers."""
    rng = random.Random(seed)
    for index in range(count):
        sequence, timestamp, ssrc = rng.randrange(1 << 16), rng.randrange(1 << 32), rng.randrange(1 << 32)
        source = rng.choice((*THEIR_SSRCS, ssrc))
        match index % 6:
            case 0:
                yield (
                    "rtp",
                    rtp(rng.choice((100, 102, 111)), sequence, timestamp, source, rng.randbytes(1200)),
                )
            case 1:  # in a row, with a running number that jumps, and a hole now and then
                body = running_number(sequence) + b"\x61" + bytes(900)
                yield "rtp", rtp(100, index & 0xFFFF, index * 500, 1, body, 0x90)
            case 2:
                yield "rtp", rtp(rng.choice((101, 103)), sequence, timestamp, 2, rng.randbytes(600))
            case 3:
                numbers = sorted(rng.randrange(1 << 16) for _ in range(300))
                yield "rtcp", rtcp.build_nack(1, rng.choice(OUR_SSRCS), numbers)
            case 4:
                yield (
                    "rtcp",
                    feedback(sequence, rng.randrange(1 << 16), rng.randrange(1 << 24), rng.randbytes(700)),
                )
            case 5:
                report = rtcp.SenderReport(source, rng.randrange(1 << 64), timestamp, 1, 1)
                yield (
                    "rtcp",
                    rtcp.build_sender_report(report) + remb(rng.choice((0, 1 << 17)), rng.choice((0, 63))),
                )
