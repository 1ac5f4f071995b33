"""The room's panel, whose pins may be others tomorrow: what is lit stays lit when it is opened anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from firmware.gpio_chip import is_plugged_in
from firmware.panel import Panel, PanelEvents, open_panel
from firmware.patterns import DoorState, HelpSignal
from firmware.pins import PartName, PinsProfile

Open = Callable[[PinsProfile, PanelEvents], Panel]
LOOK_EVERY_S = 5


class RoomPanel:
    """As firmware.panel.Panel; any thread may ask for anything. It is the gate of agent/media/camera_gate.py, too:
    the lamp is lit from before the first camera opens until after the last has closed."""

    def __init__(
        self,
        pins: PinsProfile,
        events: PanelEvents,
        open_: Open = open_panel,
        is_there: Callable[[PinsProfile], bool] = is_plugged_in,
    ) -> None:
        self._events, self._open, self._pins, self._is_there = events, open_, pins, is_there
        self._lock = threading.RLock()
        self._panel: Panel = open_(pins, events)
        self._looks_in_s = LOOK_EVERY_S if self._lacks_chip() else None
        self._cameras = 0
        self._door: DoorState = "off"
        self._help: HelpSignal = "off"
        self._locating = self._muted = False

    @property
    def missing(self) -> str | None:
        """Why there is no panel, or what of it is broken; None where all is well."""
        return self._panel.missing

    @property
    def faults(self) -> Mapping[PartName, str]:
        """What is broken or not there though it has a pin, by part."""
        return self._panel.faults

    @property
    def present(self) -> bool | None:
        """Whether somebody moves in the room now; None without a sensor."""
        return self._panel.present

    @property
    def is_wanted(self) -> bool:
        """Whether this room is to have one."""
        return bool(self._pins.given)

    @property
    def parts(self) -> tuple[PartName, ...]:
        """What has a pin."""
        return tuple(self._pins.by_part)

    def use(self, pins: PinsProfile) -> None:
        """Take these pins from now on."""
        if pins != self._pins:
            self._pins = pins
            self._open_anew()

    def mend(self) -> None:
        """Try again with what is not there: it may have been plugged in."""
        if self._panel.faults and not self._cameras:
            self._open_anew()

    def tick(self) -> None:
        """Once a second. An adapter that was pulled out is let go and told of, and taken again soon after it is
        back, also while a camera is open: its lamp has to be lit."""
        if self._panel.is_gone:
            self._open_anew()
        elif self._looks_in_s is not None:
            self._looks_in_s -= 1
            if self._looks_in_s <= 0:
                self._looks_in_s = LOOK_EVERY_S
                if self._is_there(self._pins):
                    self._open_anew()

    def camera_opens(self) -> None:
        """In the thread that opens a camera, before it does; may take a second, for the shutter."""
        with self._lock:
            self._cameras += 1
            if self._cameras == 1:
                self._panel.camera_opens()

    def camera_closed(self) -> None:
        """In the same, after it has closed it."""
        with self._lock:
            self._cameras -= 1
            if self._cameras == 0:
                self._panel.camera_closed()

    def door(self, state: DoorState) -> None:
        """The lamp at the door."""
        self._door = state
        self._panel.door(state)

    def muted(self, is_muted: bool) -> None:
        """Whether a session's others hear nothing of the room, by the patient's own wish."""
        self._muted = is_muted
        self._panel.muted(is_muted)

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

    def _open_anew(self) -> None:
        with self._lock:
            self._panel.close()
            self._panel = self._open(self._pins, self._events)
            if self._cameras:
                self._panel.camera_opens()
            self._panel.door(self._door)
            self._panel.help(self._help)
            self._panel.muted(self._muted)
            self._panel.locate(self._locating)
        self._looks_in_s = LOOK_EVERY_S if self._lacks_chip() else None
        self._events.on_faults()

    def _lacks_chip(self) -> bool:
        return bool(self._panel.faults) and not self._is_there(self._pins)
