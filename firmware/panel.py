"""The panel beside the screen: buttons, a camera lamp that nobody can mistake, a lamp at the door, a shutter.

    panel = open_panel(board.pins, PanelEvents(on_help=ring))
    panel.camera_opens()
    panel.door("occupied")
    panel.help("calling")

Wiring: each lamp from its pin over a resistor (330 ohm for a 3.3 V LED) to ground; the help lamp and the buzzer
(an active one, up to 16 mA, a stronger one over a transistor) may hang outside the room, where staff see and
hear them; each button from its pin to ground, the pin's own pull-up holds it. All of it needs no network.
A unit without a panel works; what is missing or broken is said in `Panel.faults`, part by part.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firmware.debounce import PushButton, Switch
from firmware.panel_clock import PanelClock
from firmware.panel_parts import Input, Output, Parts, take_parts, words
from firmware.patterns import BEEP, BLINK, DOOR, LOCATE, STEADY, Colour, DoorState, HelpSignal, Look, seen_on
from firmware.pins import PartName, PinsProfile

log = logging.getLogger(__name__)

NO_PINS = "the board profile gives no pins to the panel"
SHUTTER_S = 1.0
"""A shutter's solenoid or servo is through by then; its switch is asked that long."""
TRAVEL_S = 0.3
"""And without a switch it is given so long."""
LOOK_S = 0.01
_COLOURS: Mapping[PartName, Colour] = {"door_red": "red", "door_green": "green", "door_blue": "blue"}
_LAMPS: tuple[PartName, ...] = ("camera_lamp", "mute_lamp", "help_lamp", "buzzer")
_ONE_COLOUR = Look(STEADY, frozenset({"red"}))


@dataclass(frozen=True, slots=True)
class PanelEvents:
    """Who is told; in the panel's own thread. on_faults: `Panel.faults` has changed."""

    on_start: Callable[[], None] = lambda: None
    on_help: Callable[[], None] = lambda: None
    on_mute: Callable[[], None] = lambda: None
    on_presence: Callable[[bool], None] = lambda _present: None
    on_faults: Callable[[], None] = lambda: None


class Lamp:
    """One output or several colours of one, shown in a rhythm; broken(part, error) when the pin library fails."""

    def __init__(
        self,
        name: str,
        outputs: Mapping[PartName, Output],
        clock: PanelClock,
        broken: Callable[[PartName, str], None],
    ) -> None:
        self._name, self._outputs, self._clock, self._broken = name, dict(outputs), clock, broken
        self._colours = {part: _COLOURS.get(part, "red") for part in self._outputs}
        self._look: Look | None = None
        self._since = 0.0
        self._lock = threading.RLock()

    def show(self, look: Look | None) -> None:
        """From now on this; None is dark. Told the same again, its rhythm goes on."""
        with self._lock:
            if look == self._look:
                return
            self._look, self._since = look, self._clock.now()
            wrong = self._light()
        self._tell(wrong)

    def _draw(self) -> None:
        with self._lock:
            wrong = self._light()
        self._tell(wrong)

    def _light(self) -> list[tuple[PartName, str]]:
        look, elapsed_s = self._look, self._clock.now() - self._since
        lit = frozenset[Colour]()
        wrong: list[tuple[PartName, str]] = []
        if look is not None and look.pattern.is_lit(elapsed_s):
            lit = seen_on(look.colours, frozenset(self._colours.values()))
        for part, output in self._outputs.items():
            try:
                output.on() if self._colours[part] in lit else output.off()
            except Exception as error:  # whatever the pin library raises
                wrong.append((part, words(error)))
        change_s = look.pattern.changes_in_s(elapsed_s) if look is not None else None
        if change_s is None:
            self._clock.forget(self._name)
        else:
            self._clock.after(self._name, max(change_s, LOOK_S), self._draw)
        return wrong

    def _tell(self, wrong: list[tuple[PartName, str]]) -> None:
        """Without the lamp's lock: the panel has one of its own, and lights lamps while it holds that."""
        for part, reason in wrong:
            self._broken(part, reason)


class Panel:
    """Switching a part that is not there does nothing. Any thread may ask for anything."""

    def __init__(
        self,
        parts: Parts,
        events: PanelEvents,
        *,
        clock: PanelClock,
        sleep: Callable[[float], None] = time.sleep,
        missing: str | None = None,
    ) -> None:
        self._parts, self._events, self._clock, self._sleep = parts, events, clock, sleep
        self._missing = missing
        self._faults: dict[PartName, str] = dict(parts.faults)
        self._lock = threading.RLock()
        self._door: DoorState = "off"
        self._help: HelpSignal = "off"
        self._locating = False
        self._lamps = {name: self._lamp(name) for name in _LAMPS}
        door = {part: output for part, output in parts.outputs.items() if part.startswith("door_")}
        self._door_lamp = Lamp("door", door, clock, self._broken)
        self._presence: Switch | None = None
        self._join_inputs()

    @property
    def faults(self) -> Mapping[PartName, str]:
        """What is broken or not there though the profile gives it a pin, by part, in words."""
        with self._lock:
            return dict(self._faults)

    @property
    def missing(self) -> str | None:
        """The same in one sentence, or that there is no panel; None if all is well."""
        faults = "; ".join(f"{part}: {reason}" for part, reason in self.faults.items())
        return self._missing or (f"the panel is not whole: {faults}" if faults else None)

    @property
    def is_gone(self) -> bool:
        """Whether the chip that it hangs on was pulled out."""
        return self._parts.is_gone

    @property
    def present(self) -> bool | None:
        """Whether somebody moves in the room, as the sensor says now; None without one. Kept nowhere."""
        return self._presence.is_on if self._presence is not None else None

    def camera_opens(self) -> None:
        """Before the camera is opened: its lamp is lit, its shutter open when this returns. Waits up to 1 s for
        a shutter; one that does not open is a fault, and the camera is opened all the same."""
        self._lamps["camera_lamp"].show(_ONE_COLOUR)
        shutter = self._parts.outputs.get("shutter")
        if shutter is not None and self._switched(shutter, on=True):
            self._clock.forget("shutter")
            switch = self._parts.inputs.get("shutter_open")
            opened = True if switch is None else self._opens(switch)
            if switch is None:
                self._sleep(TRAVEL_S)
            self._say("shutter", "" if opened else "it does not open: its switch says closed")

    def camera_closed(self) -> None:
        """After the camera is closed: shutter to, lamp out."""
        shutter, switch = self._parts.outputs.get("shutter"), self._parts.inputs.get("shutter_open")
        if shutter is not None and self._switched(shutter, on=False) and switch is not None:
            self._clock.after("shutter", SHUTTER_S, lambda: self._closed(switch))
        self._lamps["camera_lamp"].show(None)

    def door(self, state: DoorState) -> None:
        """The lamp at the door."""
        with self._lock:
            self._door = state
            self._door_lamp.show(LOCATE if self._locating else DOOR.get(state))

    def muted(self, is_muted: bool) -> None:
        """The lamp in the mute button: lit while nobody hears the room."""
        self._lamps["mute_lamp"].show(_ONE_COLOUR if is_muted else None)

    def locate(self, on: bool) -> None:
        """Be found: the lamp at the door blinks and the buzzer beeps. A call for help goes before it."""
        with self._lock:
            self._locating = on
            self.door(self._door)
            self._sound()

    def help(self, signal: HelpSignal) -> None:
        """Somebody calls for help: the lamp blinks and the buzzer beeps; answered, the lamp is lit, still."""
        with self._lock:
            self._help = signal
            looks = {"calling": Look(BLINK, _ONE_COLOUR.colours), "answered": _ONE_COLOUR}
            self._lamps["help_lamp"].show(looks.get(signal))
            self._sound()

    def close(self) -> None:
        """Put everything out and give the pins back."""
        self._clock.stop()
        parts, self._parts = self._parts, Parts()
        self._presence = None
        for lamp in (self._door_lamp, *self._lamps.values()):
            lamp.show(None)
        self._lamps = {name: self._lamp(name) for name in _LAMPS}
        self._door_lamp = Lamp("door", {}, self._clock, self._broken)
        parts.close()

    def _sound(self) -> None:
        beeps = self._locating or self._help == "calling"
        self._lamps["buzzer"].show(Look(BEEP, _ONE_COLOUR.colours) if beeps else None)

    def _lamp(self, name: PartName) -> Lamp:
        output = self._parts.outputs.get(name)
        return Lamp(name, {name: output} if output is not None else {}, self._clock, self._broken)

    def _join_inputs(self) -> None:
        pressed: dict[PartName, Callable[[], None]] = {
            "start_button": self._events.on_start,
            "help_button": self._events.on_help,
            "mute_button": self._events.on_mute,
        }
        for name, device in self._parts.inputs.items():
            if name in pressed:
                reads = self._reads(name, device)
                button = PushButton(name, reads, self._clock, pressed[name], self._stuck(name))
                device.when_activated = device.when_deactivated = button.edge
            elif name == "presence":
                reads = self._reads(name, device)
                self._presence = Switch(name, reads, self._clock, self._events.on_presence)
                device.when_activated = device.when_deactivated = self._presence.edge

    def _reads(self, name: PartName, device: Input) -> Callable[[], bool]:
        def read() -> bool:
            try:
                return bool(device.is_active)
            except Exception as error:  # whatever the pin library raises
                self._broken(name, words(error))
                return False

        return read

    def _stuck(self, name: PartName) -> Callable[[bool], None]:
        return lambda is_stuck: self._say(
            name, "it is stuck, or held since half a minute" if is_stuck else ""
        )

    def _opens(self, switch: Input) -> bool:
        until = self._clock.now() + SHUTTER_S
        try:
            while not switch.is_active:
                if self._clock.now() >= until:
                    return False
                self._sleep(LOOK_S)
        except Exception as error:  # whatever the pin library raises
            self._broken("shutter_open", words(error))
        return True

    def _closed(self, switch: Input) -> None:
        if switch.is_active:
            self._say("shutter", "it does not close: its switch says open")

    def _switched(self, output: Output, *, on: bool) -> bool:
        try:
            output.on() if on else output.off()
        except Exception as error:  # whatever the pin library raises
            self._broken("shutter", words(error))
            return False
        return True

    def _broken(self, part: PartName, reason: str) -> None:
        self._say(part, reason)

    def _say(self, part: PartName, reason: str) -> None:
        with self._lock:
            if self._faults.get(part, "") == reason:
                return
            if reason:
                self._faults[part] = reason
                log.warning("the panel's %s: %s", part, reason)
            else:
                del self._faults[part]
                log.info("the panel's %s is well again", part)
        self._events.on_faults()


def open_panel(pins: PinsProfile, events: PanelEvents = PanelEvents()) -> Panel:
    """Take the pins. Never raises: what cannot be had is in the panel's `faults`."""
    if not pins.given:
        return Panel(Parts(), events, clock=PanelClock(), missing=NO_PINS)
    return Panel(take_parts(pins), events, clock=PanelClock())
