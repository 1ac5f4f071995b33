"""The room's panel, whose pins may be others tomorrow: what is lit stays lit when it is opened anew."""

from __future__ import annotations

from collections.abc import Callable

from firmware.board import PinsProfile
from firmware.panel import HelpSignal, Panel, open_panel


class RoomPanel:
    """As firmware.panel.Panel. Used on the event loop."""

    def __init__(self, pins: PinsProfile, on_help: Callable[[], None]) -> None:
        self._on_help = on_help
        self._pins = pins
        self._panel: Panel = open_panel(pins, on_help)
        self._camera = self._door = self._locating = False
        self._help: HelpSignal = "off"

    @property
    def missing(self) -> str | None:
        """Why there is no panel; None where there is one."""
        return self._panel.missing

    def use(self, pins: PinsProfile) -> None:
        """Take these pins from now on."""
        if pins == self._pins:
            return
        self._panel.close()
        self._pins = pins
        self._panel = open_panel(pins, self._on_help)
        self._panel.camera_lamp(self._camera)
        self._panel.door_lamp(self._door)
        self._panel.help(self._help)
        self._panel.locate(self._locating)

    def camera_lamp(self, lit: bool) -> None:
        """Lit whenever the camera is open."""
        self._camera = lit
        self._panel.camera_lamp(lit)

    def door_lamp(self, lit: bool) -> None:
        """Lit while the room is occupied."""
        self._door = lit
        self._panel.door_lamp(lit)

    def locate(self, on: bool) -> None:
        """Be found."""
        self._locating = on
        self._panel.locate(on)

    def help(self, signal: HelpSignal) -> None:
        """Somebody calls for help."""
        self._help = signal
        self._panel.help(signal)

    def close(self) -> None:
        """Put everything out and give the pins back."""
        self._panel.close()
