from __future__ import annotations

import time

from aiortc import clock

from agent.media.ntp import middle_32, monotonic_from_ntp_seconds, ntp_from_monotonic, seconds_from_ntp


def test_agrees_with_the_wall_clock_at_start_and_with_itself() -> None:
    now = time.monotonic()
    ntp = ntp_from_monotonic(now)
    assert abs(seconds_from_ntp(ntp) - seconds_from_ntp(clock.current_ntp_time())) < 60
    assert abs(monotonic_from_ntp_seconds(seconds_from_ntp(ntp)) - now) < 1e-4
    assert middle_32(0x0123456789ABCDEF) == 0x456789AB
