"""The panel on gpiozero's mock pins, by a clock of the test's own: what is lit, pressed and broken."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from firmware.debounce import STUCK_S
from firmware.panel import NO_PINS, SHUTTER_S, TRAVEL_S, Panel, PanelEvents, open_panel
from firmware.panel_clock import PanelClock
from firmware.panel_parts import take_parts
from firmware.pins import PinsProfile

WHOLE = PinsProfile(
    mock=True,
    camera_lamp=17,
    door_red=5,
    door_green=6,
    door_blue=13,
    start_button=16,
    help_button=22,
    help_lamp=23,
    mute_button=20,
    mute_lamp=21,
    buzzer=24,
    shutter=18,
    shutter_open=19,
    presence=26,
)


class Bench:
    """A panel on mock pins, whose time passes when the test says so."""

    def __init__(self, pins: PinsProfile = WHOLE, broken: tuple[int, ...] = ()) -> None:
        self.factory = MockFactory()
        self.told: list[Any] = []
        self.now = 100.0
        self.clock = PanelClock(lambda: self.now, runs=False)
        self.shutter_works = True
        pin = self.factory.pin

        def pin_or_not(name: int) -> Any:
            if name in broken:
                raise OSError(f"line {name} is taken by w1-gpio")
            return pin(name)

        self.factory.pin = pin_or_not
        self.pin = pin
        if pins.presence is not None:
            pin(pins.presence).drive_low()
        events = PanelEvents(
            on_start=lambda: self.told.append("start"),
            on_help=lambda: self.told.append("help"),
            on_mute=lambda: self.told.append("mute"),
            on_presence=lambda present: self.told.append(present),
            on_faults=lambda: self.told.append("faults"),
        )
        parts = take_parts(pins, lambda _: self.factory)
        self.panel = Panel(parts, events, clock=self.clock, sleep=self.sleep)

    def passes(self, seconds: float) -> None:
        """Do what is due, at its time."""
        until = self.now + seconds
        while (wait_s := self.clock.run_due()) is not None and self.now + wait_s <= until:
            self.now += wait_s
        self.now = until
        self.clock.run_due()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.shutter_works and self.pin(18).state:
            self.pin(19).drive_low()

    def press(self, pin: int, held_s: float = 0.1) -> None:
        self.pin(pin).drive_low()
        self.passes(held_s)
        self.pin(pin).drive_high()
        self.passes(0.1)

    def lit(self, *pins: int) -> list[int]:
        return [int(self.pin(pin).state) for pin in pins]


def test_the_camera_s_lamp_and_shutter_frame_the_camera() -> None:
    bench = Bench()
    bench.panel.camera_opens()
    assert bench.lit(17, 18) == [1, 1]
    assert bench.now < 100 + SHUTTER_S
    bench.panel.camera_closed()
    assert bench.lit(17, 18) == [0, 0]
    bench.pin(19).drive_high()
    bench.passes(SHUTTER_S + 1)
    assert (bench.panel.missing, bench.told) == (None, [])


def test_a_shutter_that_does_not_open_is_a_fault_and_one_that_does_again_is_none() -> None:
    bench = Bench()
    bench.shutter_works = False
    bench.panel.camera_opens()
    assert "does not open" in bench.panel.faults["shutter"]
    bench.panel.camera_closed()
    bench.shutter_works = True
    bench.panel.camera_opens()
    assert bench.panel.faults == {}
    bench.panel.camera_closed()  # and its switch still says open
    bench.passes(SHUTTER_S)
    assert "does not close" in bench.panel.faults["shutter"]
    assert bench.told == ["faults"] * 3


def test_a_shutter_without_a_switch_gets_its_time() -> None:
    bench = Bench(replace_pins(shutter_open=None))
    bench.panel.camera_opens()
    assert (bench.now, bench.panel.missing) == (100 + TRAVEL_S, None)


def replace_pins(**changes: Any) -> PinsProfile:
    return PinsProfile.model_validate({**WHOLE.model_dump(), **changes})


def test_the_door_says_each_state_in_a_colour_and_in_a_rhythm_of_its_own() -> None:
    bench = Bench()
    seen = {}
    for state in ("free", "soon", "occupied", "help", "fault", "off"):
        bench.panel.door(state)
        shown = []
        for _ in range(60):
            shown.append(bench.lit(5, 6, 13))
            bench.passes(0.05)
        colours = {tuple(each) for each in shown if any(each)}
        rhythm = "".join("#" if any(each) else "." for each in shown)
        seen[state] = (colours, rhythm)
    assert seen["free"][0] == {(0, 1, 0)}
    assert seen["soon"][0] == seen["fault"][0] == {(1, 1, 0)}
    assert seen["occupied"] == ({(1, 0, 0)}, "#" * 60)
    assert seen["help"][0] == {(0, 0, 1)}
    assert seen["off"] == (set(), "." * 60)
    assert len({rhythm for _, rhythm in seen.values()}) == len(seen), "told apart without colour"


def test_a_lamp_of_one_colour_and_one_of_two_say_it_too() -> None:
    one = Bench(PinsProfile(mock=True, door_lamp=27))
    one.panel.door("help")
    assert one.lit(27) == [1]
    one.passes(0.25)
    assert one.lit(27) == [0]
    two = Bench(replace_pins(door_blue=None))
    two.panel.door("help")
    assert two.lit(5, 6) == [1, 0]


def test_a_state_told_again_keeps_its_rhythm() -> None:
    bench = Bench()
    bench.panel.door("soon")
    bench.passes(0.9)
    bench.panel.door("soon")
    bench.passes(0.2)
    assert bench.lit(5, 6) == [0, 0]


def test_one_press_is_one_call_however_it_bounces_is_held_or_trembles() -> None:
    bench = Bench()
    for _ in range(9):  # a contact that bounces for 9 ms, and then rests
        bench.pin(22).drive_low()
        bench.now += 0.001
        bench.pin(22).drive_high()
    bench.press(22, held_s=5)
    assert bench.told == ["help"]
    bench.press(22)  # let go and pressed again at once: a hand that trembles
    assert bench.told == ["help"]
    bench.passes(1)
    for button in (22, 20, 16):
        bench.press(button)
    assert bench.told == ["help", "help", "mute", "start"]


def test_noise_on_a_wire_is_no_press_and_a_contact_that_never_rests_is_one() -> None:
    bench = Bench()
    bench.pin(22).drive_low()
    bench.now += 0.005
    bench.pin(22).drive_high()
    bench.passes(1)
    assert bench.told == []
    for _ in range(30):
        bench.pin(22).drive_high()
        bench.pin(22).drive_low()
        bench.passes(0.01)
    assert bench.told == ["help"]


def test_a_button_that_sticks_is_told_of_and_well_again_when_it_is_let_go() -> None:
    bench = Bench()
    bench.pin(20).drive_low()
    bench.passes(STUCK_S + 1)
    assert bench.told == ["mute", "faults"]
    assert "stuck" in bench.panel.faults["mute_button"]
    bench.passes(STUCK_S * 3)
    bench.pin(20).drive_high()
    bench.passes(1)
    assert (bench.panel.faults, bench.told) == ({}, ["mute", "faults", "faults"])


def test_a_button_that_is_held_at_the_start_is_no_press_but_stuck_in_time() -> None:
    factory = MockFactory()
    clock = PanelClock(lambda: now[0], runs=False)
    now, told = [0.0], []
    take = take_parts(PinsProfile(mock=True, help_button=22), lambda _: factory)
    factory.pin(22).drive_low()
    panel = Panel(take, PanelEvents(on_help=lambda: told.append("help")), clock=clock)
    now[0] = STUCK_S
    clock.run_due()
    assert (told, list(panel.faults)) == ([], ["help_button"])


def test_somebody_moves_in_the_room_is_known_now_and_not_kept() -> None:
    bench = Bench()
    assert bench.panel.present is False
    bench.pin(26).drive_high()
    bench.passes(0.1)
    assert (bench.panel.present, bench.told) == (True, [True])
    bench.panel.close()
    assert bench.panel.present is None
    assert Bench(replace_pins(presence=None)).panel.present is None


def test_one_bad_pin_costs_that_part_alone() -> None:
    bench = Bench(broken=(6, 22))
    assert set(bench.panel.faults) == {"door_green", "help_button"}
    assert "pin 22: OSError: line 22 is taken by w1-gpio" in (bench.panel.missing or "")
    bench.panel.door("occupied")
    bench.panel.camera_opens()
    bench.press(20)
    assert (bench.lit(5, 17), bench.told) == ([1, 1], ["mute"])


def test_a_lamp_whose_adapter_is_unplugged_is_told_of_and_nothing_else_stops() -> None:
    bench = Bench()
    bench.panel.door("soon")

    def gone(*_: object) -> None:
        raise OSError("no such device")

    bench.pin(5)._set_state = gone
    bench.passes(1)
    assert "no such device" in bench.panel.faults["door_red"]
    assert bench.lit(6) == [0]
    bench.passes(1)
    assert (bench.lit(6), bench.told) == ([1], ["faults"])


def test_a_lamp_that_breaks_while_it_is_told_another_state_holds_nobody_up() -> None:
    """Of two threads one held the lamp and wanted the panel, the other the panel and wanted the lamp."""
    bench, drawing, asked = Bench(), threading.Event(), threading.Event()
    bench.panel.door("soon")

    def gone(*_: object) -> None:
        drawing.set()
        asked.wait(10)
        raise OSError("no such device")

    bench.pin(5)._set_state = gone
    draws = threading.Thread(target=bench.passes, args=(1,), daemon=True)
    draws.start()
    assert drawing.wait(10)
    tells = threading.Thread(target=bench.panel.door, args=("occupied",), daemon=True)
    tells.start()
    while bench.panel._lock.acquire(blocking=False):  # until the other has it, and waits for the lamp
        bench.panel._lock.release()
        time.sleep(0.01)
    asked.set()
    draws.join(10)
    tells.join(10)
    assert (draws.is_alive(), tells.is_alive()) == (False, False)
    assert "no such device" in bench.panel.faults["door_red"]


def test_help_blinks_and_beeps_until_it_is_answered_and_goes_before_being_looked_for() -> None:
    bench = Bench()
    bench.panel.help("calling")
    assert bench.lit(23, 24) == [1, 1]
    bench.passes(0.35)
    assert bench.lit(23, 24) == [1, 0]
    bench.passes(0.25)
    assert bench.lit(23, 24) == [0, 0]
    bench.panel.locate(True)
    bench.panel.locate(False)
    bench.passes(1.5)
    assert bench.lit(24) == [1], "who calls for help is heard on"
    bench.panel.help("answered")
    assert bench.lit(23, 24) == [1, 0]
    bench.panel.help("off")
    assert bench.lit(23, 24) == [0, 0]


def test_a_unit_that_is_looked_for_blinks_white_and_its_lamp_says_afterwards_what_is() -> None:
    bench = Bench()
    bench.panel.locate(True)
    assert bench.lit(5, 6, 13, 24) == [1, 1, 1, 1]
    bench.panel.door("occupied")
    bench.passes(0.6)
    assert bench.lit(5, 6, 13) == [0, 0, 0]
    bench.panel.locate(False)
    assert bench.lit(5, 6, 13, 24) == [1, 0, 0, 0]


def test_closed_everything_is_out_and_nothing_breaks_afterwards() -> None:
    bench = Bench()
    bench.panel.camera_opens()
    bench.panel.door("occupied")
    bench.panel.muted(True)
    assert bench.lit(17, 5, 21) == [1, 1, 1]
    bench.panel.close()
    assert bench.lit(17, 5, 21, 18) == [0, 0, 0, 0]
    bench.panel.camera_opens()
    bench.panel.help("calling")
    bench.panel.camera_closed()


def test_a_panel_that_is_not_there_at_all_names_the_chip_and_is_not_fatal() -> None:
    panel = open_panel(PinsProfile(chip="cp2112_gpio", camera_lamp=0, help_button=1))
    assert set(panel.faults) == {"camera_lamp", "help_button"}
    assert "cp2112_gpio is not there" in (panel.missing or "")
    panel.camera_opens()
    panel.close()


def test_without_pins_gpiozero_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    assert open_panel(PinsProfile()).missing == NO_PINS


def test_with_a_thread_of_its_own_a_press_arrives() -> None:
    pressed = threading.Semaphore(0)
    before = threading.enumerate()
    factory = MockFactory()
    parts = take_parts(PinsProfile(mock=True, help_button=22), lambda _: factory)
    panel = Panel(parts, replace(PanelEvents(), on_help=pressed.release), clock=PanelClock())
    factory.pin(22).drive_low()
    assert pressed.acquire(timeout=5)
    panel.close()
    assert [thread for thread in threading.enumerate() if thread not in before] == []
