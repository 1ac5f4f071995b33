"""The C library's heap: kept small on a board with little memory (mallopt(3), malloc_trim(3)).

glibc gives each thread an arena of its own and returns little of it: with camera, encoder and web threads
that is 50 MiB of nothing. Where the C library has no such calls, nothing happens.
"""

from __future__ import annotations

import ctypes
import logging

log = logging.getLogger(__name__)

M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def use_one_arena() -> None:
    """Call before threads are started."""
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    except (OSError, AttributeError):
        log.debug("this C library has no mallopt")


def give_back() -> None:
    """Return what is free to the system; takes some milliseconds. After a self-test, and after a session."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        log.debug("this C library has no malloc_trim")
