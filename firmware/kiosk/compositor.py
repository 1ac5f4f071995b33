"""Asks a Wayland compositor whether it still answers."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

DISPLAY, SYNC, NEW_ID = 1, 0, 2
"""wl_display is object 1, its first request is sync; its callback becomes object 2 (Wayland, appendix A)."""
ANSWER_WITHIN_S = 0.5


def answers(wayland: Path, within_s: float = ANSWER_WITHIN_S) -> bool:
    """Whether the compositor at this socket answers wl_display.sync in time."""
    request = struct.pack("=III", DISPLAY, 12 << 16 | SYNC, NEW_ID)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as display:
            display.settimeout(within_s)
            display.connect(str(wayland))
            display.sendall(request)
            return len(display.recv(12)) >= 8
    except OSError:
        return False
