"""H.264 access units in Annex B form, made fit for RTP (ITU-T H.264, 7.4.1 and B.1)."""

from __future__ import annotations

SEI, SPS, PPS, AUD = 6, 7, 8, 9
START_CODE = b"\x00\x00\x00\x01"


def nal_units(access_unit: bytes) -> list[bytes]:
    """The NAL units between start codes of three or four bytes, without them."""
    units: list[bytes] = []
    start = access_unit.find(b"\x00\x00\x01")
    while start >= 0:
        following = access_unit.find(b"\x00\x00\x01", start + 3)
        end = len(access_unit) if following < 0 else following
        unit = access_unit[start + 3 : end].rstrip(b"\x00") if following >= 0 else access_unit[start + 3 :]
        if unit:
            units.append(unit)
        start = following
    return units


def nal_type(unit: bytes) -> int:
    """nal_unit_type of a NAL unit."""
    return unit[0] & 0x1F


class Headers:
    """Sees to it that every keyframe carries its parameter sets, and nothing a receiver has no use for.

    Hardware encoders write the sets once only; encoders add SEI with their own name, and delimiters.
    """

    def __init__(self) -> None:
        self._sets: list[bytes] = []

    def keyframe(self, access_unit: bytes) -> bytes:
        """The keyframe's access unit with SPS and PPS in front."""
        units = nal_units(access_unit)
        own = [unit for unit in units if nal_type(unit) in (SPS, PPS)]
        self._sets = own or self._sets
        rest = [unit for unit in units if nal_type(unit) not in (SPS, PPS, SEI, AUD)]
        return b"".join(START_CODE + unit for unit in (*self._sets, *rest))
