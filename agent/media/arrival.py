"""When a datagram came, by the kernel's clock: a busy event loop must not look like a slow line."""

from __future__ import annotations

import fcntl
import struct
import time

_SIOCGSTAMP = 0x8906  # Linux, socket(7): time of the last datagram that was handed to us
_TIMEVAL = struct.Struct("@ll")
_EMPTY = bytes(_TIMEVAL.size)
MAX_LAG_S = 2.0  # more, or less than none, is a wall clock that was set meanwhile


class ArrivalClock:
    """Tells when the datagram that was last read from a socket came to the machine.

    Transport-wide feedback and jitter are made from this. Without it, every stall of ours would make the
    other side believe in congestion and lower its picture.
    """

    def __init__(self, file_descriptor: int | None) -> None:
        self._file_descriptor = file_descriptor

    def now(self) -> float:
        """Seconds of time.monotonic(); the present, where the kernel does not say."""
        present = time.monotonic()
        if self._file_descriptor is None:
            return present
        try:
            stamp = fcntl.ioctl(self._file_descriptor, _SIOCGSTAMP, _EMPTY)
        except OSError:  # no time stamp yet, or a socket that is being closed
            return present
        seconds, microseconds = _TIMEVAL.unpack(stamp)
        lag = time.time() - seconds - microseconds * 1e-6
        return present - lag if 0.0 <= lag < MAX_LAG_S else present
