from __future__ import annotations

import pytest
from aiortc import rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from hypothesis import given
from hypothesis import strategies as st

from agent.media.rtp_packet import SequenceUnwrapper, extension_value, parse_rtp

TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


def built_by_aiortc(**fields: object) -> bytes:
    packet = rtp.RtpPacket(
        payload_type=100, marker=1, sequence_number=65535, timestamp=7, ssrc=9, payload=b"abc"
    )
    for name, value in fields.items():
        setattr(packet, name, value)
    extensions = rtp.HeaderExtensionsMap()
    extensions.configure(
        RTCRtpParameters(
            headerExtensions=[
                RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
                RTCRtpHeaderExtensionParameters(id=5, uri=TWCC),
            ]
        )
    )
    packet.extensions.mid = "audio0"
    packet.extensions.transport_sequence_number = 0x1234
    return packet.serialize(extensions)


def test_reads_what_aiortc_writes() -> None:
    packet = parse_rtp(built_by_aiortc(csrc=[1, 2], padding_size=4))
    assert (packet.marker, packet.payload_type, packet.sequence_number) == (1, 100, 65535)
    assert (packet.timestamp, packet.ssrc, packet.payload) == (7, 9, b"abc")
    assert extension_value(packet, 5) == b"\x12\x34"
    assert extension_value(packet, 1) == b"audio0"
    assert extension_value(packet, 3) is None


def test_two_byte_extensions() -> None:
    body = bytes([5, 2, 0x12, 0x34, 0, 7, 0, 0])
    packet = parse_rtp(b"\x90\x60" + bytes(10) + b"\x10\x00\x00\x02" + body + b"x")
    assert extension_value(packet, 5) == b"\x12\x34"
    assert extension_value(packet, 7) == b""
    assert packet.payload == b"x"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + bytes(11),
        b"\x90" + bytes(11),
        b"\x8f" + bytes(11),
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(11) + b"\x09",
    ],
)
def test_broken_packets_are_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTP"):
        parse_rtp(data)


@given(st.binary(max_size=80), st.integers(1, 15))
def test_a_stranger_can_only_cause_value_errors(data: bytes, identifier: int) -> None:
    try:
        packet = parse_rtp(b"\x90" + data)
    except ValueError:
        return
    value = extension_value(packet, identifier)
    assert value is None or len(value) <= 255


@given(st.lists(st.integers(-300, 3000), min_size=1, max_size=200), st.integers(0, 65535))
def test_unwrapping_follows_wraps_and_reordering(steps: list[int], start: int) -> None:
    unwrapper, true, highest = SequenceUnwrapper(), start, start
    assert unwrapper.unwrap(start) == start
    for step in steps:
        true = highest + step
        highest = max(highest, true)
        assert unwrapper.unwrap(true & 0xFFFF) == true
