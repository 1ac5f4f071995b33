"""Why a bundle that a unit puts here is not taken."""

from __future__ import annotations


class UploadRefused(Exception):
    """`status` is the answer's (RFC 9110, section 15)."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status
