"""NTP timestamps that never step: the wall clock is read once, and time.monotonic() counts from there."""

from __future__ import annotations

import time

UNIX_TO_NTP_S = 2_208_988_800
_MONOTONIC_TO_NTP_S = time.time() - time.monotonic() + UNIX_TO_NTP_S


def ntp_from_monotonic(monotonic_s: float) -> int:
    """64-bit NTP timestamp, 32.32 fixed point, of an instant of time.monotonic() (RFC 3550 section 4).

    Round-trip times and lip sync only need a clock that runs evenly, so a wall clock that is set during a
    call does not upset them.
    """
    return int((monotonic_s + _MONOTONIC_TO_NTP_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def seconds_from_ntp(ntp: int) -> float:
    """Seconds since 1900 of a 64-bit NTP timestamp."""
    return ntp / (1 << 32)


def monotonic_from_ntp_seconds(seconds: float) -> float:
    """The instant of time.monotonic() that our own NTP clock calls `seconds` since 1900."""
    return seconds - _MONOTONIC_TO_NTP_S


def middle_32(ntp: int) -> int:
    """The middle 32 bits, 16.16 fixed point seconds, as LSR and DLSR carry them (RFC 3550 section 6.4.1)."""
    return (ntp >> 16) & 0xFFFFFFFF
