"""Buttons, lamps and a broken panel in a unit: the same state as the screen's, and no fault of the room."""

from __future__ import annotations

import asyncio

import pytest
from gpiozero.pins.mock import MockFactory

from agent import session_events as ev
from agent.contract.unit_config import PanelPins
from agent.lights import Lights, shows_on
from agent.panel_buttons import AGAIN_S
from agent.panel_joined import JoinedPanel
from agent.room import FaultFound, Lamp
from agent.room_panel import LOOK_EVERY_S, RoomPanel
from agent.screen import Outcome
from firmware.panel import Panel, PanelEvents
from firmware.panel_clock import PanelClock
from firmware.panel_parts import take_parts
from firmware.pin_factory import NoPins
from firmware.pins import PART_NAMES, PinsProfile
from tests.agent.conftest import OTHER, SID, plan

PINS = PinsProfile(mock=True, camera_lamp=17, door_lamp=27, help_button=22, mute_button=20, mute_lamp=21)


class Does:
    """What would be touched."""

    def __init__(self):
        self.touches = []

    async def do(self, touch):
        self.touches.append((touch.kind, touch.sid, touch.on))
        return Outcome()


@pytest.fixture
def joined(ready_house):
    panel = JoinedPanel(PINS, ready_house.unit, lambda work: work())
    does = Does()
    panel.buttons.do = does.do
    panel.does = does.touches
    yield panel
    panel.panel.close()


def press(button):
    async def pressed():
        button()
        await asyncio.sleep(0)

    asyncio.run(pressed())


def test_the_mute_button_toggles_what_the_screen_shows_and_only_in_a_session(ready_house, joined):
    unit = ready_house.unit
    press(joined.buttons.mute)
    assert joined.does == []
    unit.session_event(SID, ev.CheckedIn("code"))
    press(joined.buttons.mute)
    unit.media.microphone = False
    press(joined.buttons.mute)
    assert joined.does == [("microphone", None, False), ("microphone", None, True)]


def test_lamps_follow_the_same_state_as_the_screen(ready_house):
    unit, lit = ready_house.unit, []
    unit.on_lights = lit.append
    unit.session_event(SID, ev.CheckedIn("code"))
    assert (lit[-1].door, lit[-1].muted) == (Lamp.OCCUPIED, False)
    unit.media.microphone = False
    unit.changed()
    assert lit[-1].muted is not unit.screen().session.microphone
    unit.help.ask(SID)
    unit.changed()
    assert (lit[-1].door, lit[-1].help, unit.screen().help_state) == (Lamp.HELP, "sent", "sent")
    unit.session_event(SID, ev.PatientLeft())
    unit.room_event(FaultFound("camera"))
    assert lit[-1].muted is False


def test_lights_are_shown_on_the_panel(ready_house, joined):
    shows_on(joined.panel)(Lights(Lamp.OCCUPIED, "answered", locating=False, muted=True))
    assert (joined.panel._door, joined.panel._help, joined.panel._muted) == ("occupied", "answered", True)


def test_start_opens_staff_s_page_where_nothing_is_ready_and_check_in_where_something_is(house, ready_house):
    panel = JoinedPanel(PINS, ready_house.unit, lambda work: work())
    press(panel.buttons.start)
    asked = ready_house.unit.screen().asked_page
    assert (asked.page, asked.again) == ("checkin", True)
    empty = house.unit
    empty.sessions.clear()
    press(JoinedPanel(PINS, empty, lambda work: work()).buttons.start)
    assert (empty.screen().asked_page.page, empty.screen().asked_page.again) == ("staff", False)


def test_a_second_press_within_half_a_minute_checks_in_to_the_one_time_there_is(ready_house, joined):
    press(joined.buttons.start)
    ready_house.time.passes(AGAIN_S + 1)
    press(joined.buttons.start)
    assert joined.does == []
    ready_house.time.passes(2)
    press(joined.buttons.start)
    assert joined.does == [("checkin_button", SID, None)]
    assert ready_house.unit.asked_page is None


def test_start_never_checks_in_where_the_clinic_wants_a_code_or_two_could_be_meant(ready_house, joined):
    for sessions in ([plan(methods=("code",))], [plan(SID, 5, 10), plan(OTHER, 10, 42)]):
        ready_house.schedule(*sessions)
        ready_house.tick()
        for _ in range(3):
            press(joined.buttons.start)
    assert joined.does == []


def test_start_does_nothing_while_somebody_is_in_the_room_and_ends_the_page_that_thanks(ready_house, joined):
    unit = ready_house.unit
    unit.session_event(SID, ev.CheckedIn("code"))
    press(joined.buttons.start)
    assert (joined.does, unit.asked_page) == ([], None)
    unit._ended = (unit.sessions[SID], unit.clock.now())
    unit.sessions.clear()
    assert unit.screen().page == "ended"
    press(joined.buttons.start)
    assert joined.does == [("done", None, None)]


def test_a_half_connected_panel_is_told_and_the_room_stays_well(ready_house, monkeypatch):
    factory = MockFactory()
    broken = {20}

    def pin(name, pin=factory.pin):
        if name in broken:
            raise OSError("taken")
        return pin(name)

    monkeypatch.setattr(factory, "pin", pin)

    def opened(pins, events):
        return Panel(take_parts(pins, lambda _: factory), events, clock=PanelClock(runs=False))

    monkeypatch.setattr("agent.panel_joined.RoomPanel", lambda pins, events: RoomPanel(pins, events, opened))
    unit = ready_house.unit
    joined = JoinedPanel(PINS, unit, lambda work: work())
    assert unit.notes["panel"] == ("mute_button",)
    assert (unit.room.ready, "panel" in unit.screen().faults) == (True, True)
    assert joined.report().endswith("mute_lamp; missing: mute_button (pin 20: OSError: taken)")
    broken.clear()  # somebody has mended it
    assert joined.check() is None
    assert ("panel" in unit.notes, joined.panel.missing) == (False, None)


def test_the_lamp_is_lit_until_the_last_of_two_cameras_is_closed_and_over_other_pins():
    factory = MockFactory()

    def opened(pins, events):
        return Panel(take_parts(pins, lambda _: factory), events, clock=PanelClock(runs=False))

    panel = RoomPanel(PINS, PanelEvents(), opened)
    panel.camera_opens()
    panel.camera_opens()
    panel.camera_closed()
    assert factory.pin(17).state
    panel.use(PINS.model_copy(update={"camera_lamp": 5}))
    assert factory.pin(5).state
    panel.camera_closed()
    assert not factory.pin(5).state
    panel.close()


class LinesOfAdapter(MockFactory):
    """Mock pins that hang on a chip, which is a file here."""

    chip = None

    @property
    def is_gone(self):
        file, number = self.chip
        return not file.exists() or file.stat().st_ino != number


class Adapter:
    """A GPIO chip on a cable, whose lines are mock pins; opened without it, the panel is not there."""

    def __init__(self, folder):
        self.file, self.factory, self.told = folder / "gpiochip0", LinesOfAdapter(), []
        self.plug_in()

    def plug_in(self):
        self.file.write_text("")

    def pull_out(self):
        self.file.unlink()

    def is_there(self, _pins=None):
        return self.file.exists()

    def opened(self, pins, events):
        def factory(_pins):
            if not self.is_there():
                raise NoPins("the adapter is not there")
            self.factory.chip = (self.file, self.file.stat().st_ino)
            return self.factory

        return Panel(take_parts(pins, factory), events, clock=PanelClock(runs=False))

    def panel(self):
        events = PanelEvents(on_faults=lambda: self.told.append("faults"))
        return RoomPanel(PINS, events, self.opened, self.is_there)


def test_an_adapter_that_is_pulled_out_is_let_go_and_taken_again_with_its_lamp_lit_when_it_is_back(tmp_path):
    adapter = Adapter(tmp_path)
    panel = adapter.panel()
    panel.camera_opens()
    panel.tick()
    assert (panel.faults, adapter.told) == ({}, [])
    adapter.pull_out()
    panel.tick()
    assert set(panel.faults) == {name for name, _ in PINS.by_part.items()}
    assert "the adapter is not there" in panel.missing
    assert not adapter.factory.pin(17).state, "its lines were given back"
    for _ in range(20):
        panel.tick()
    assert adapter.told == ["faults"], "and that is all until it is back"
    adapter.plug_in()
    for _ in range(LOOK_EVERY_S):
        panel.tick()
    assert (panel.faults, panel.missing, adapter.told) == ({}, None, ["faults", "faults"])
    assert adapter.factory.pin(17).state, "the camera is open still"


def test_an_adapter_plugged_in_again_within_the_second_is_another_one(tmp_path):
    adapter = Adapter(tmp_path)
    panel = adapter.panel()
    (tmp_path / "other").write_text("")  # the same number, another device
    (tmp_path / "other").rename(adapter.file)
    panel.tick()
    assert (panel.faults, adapter.told) == ({}, ["faults"])


def test_a_panel_without_its_adapter_at_the_start_is_taken_when_it_comes(tmp_path):
    adapter = Adapter(tmp_path)
    adapter.pull_out()
    panel = adapter.panel()
    assert panel.faults
    adapter.plug_in()
    for _ in range(LOOK_EVERY_S):
        panel.tick()
    assert panel.faults == {}


def test_every_part_can_be_set_by_the_region():
    assert set(PanelPins.model_fields) == {"chip", *PART_NAMES}
