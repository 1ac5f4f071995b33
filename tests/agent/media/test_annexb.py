"""Access units leave with parameter sets in front of each keyframe, and without an encoder's own chatter."""

from __future__ import annotations

from agent.media.annexb import START_CODE, Headers, nal_type, nal_units

SPS, PPS, IDR, SEI, AUD = b"\x67\x42\xe0\x1f", b"\x68\xce", b"\x65\x88\x84", b"\x06\x05\xff", b"\x09\x10"


def annexb(*units: bytes) -> bytes:
    return b"".join(START_CODE + unit for unit in units)


def test_units_are_found_behind_start_codes_of_three_and_four_bytes() -> None:
    assert nal_units(START_CODE + SPS + b"\x00\x00\x01" + PPS + START_CODE + IDR) == [SPS, PPS, IDR]
    assert [nal_type(unit) for unit in (SPS, PPS, IDR)] == [7, 8, 5]
    assert nal_units(b"") == []


def test_chatter_is_dropped_and_sets_are_remembered_for_later_keyframes() -> None:
    headers = Headers()
    assert headers.keyframe(annexb(AUD, SPS, PPS, SEI, IDR)) == annexb(SPS, PPS, IDR)
    assert headers.keyframe(annexb(IDR)) == annexb(SPS, PPS, IDR)
    newer = b"\x67\x42\xe0\x20"
    assert headers.keyframe(annexb(newer, PPS, IDR)) == annexb(newer, PPS, IDR)
