"""A camera's gate that writes down what its lamp does."""

from __future__ import annotations

from collections.abc import MutableSequence


class LampGate:
    """True when a camera is about to be opened, False when it has been closed."""

    def __init__(self, lamp: MutableSequence[bool]) -> None:
        self.lamp = lamp

    def camera_opens(self) -> None:
        self.lamp.append(True)

    def camera_closed(self) -> None:
        self.lamp.append(False)
