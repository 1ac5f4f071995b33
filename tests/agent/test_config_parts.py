"""What takes a configuration into use, and how each part knows whether the unit is well with it."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from agent import room as rooms
from agent.broker_link import link_settings
from agent.config_parts import (
    NETWORK_HOLDS,
    DevicesPart,
    LinkPart,
    NetworkPart,
    PanelPart,
    PortsPart,
    ScreenPart,
)
from agent.contract.unit_config import BrokerAddress, Config, Devices, PanelPins, ScreenSize, WiredNetwork
from agent.link import LinkSettings
from agent.room_panel import RoomPanel
from firmware.board import load_board
from firmware.panel import PanelEvents

SIM = load_board("sim")
FIRST = LinkSettings("localhost", 8883, "unit-7", Path("ca"), Path("cert"), Path("key"), ())
ELSEWHERE = Config(broker=BrokerAddress(host="mqtt.example"))


class FakeBrokerLink:
    """Notes what it is to use."""

    def __init__(self):
        self.settings, self.up, self.made = FIRST, True, []

    def use(self, settings, *, anew=False):
        self.settings = settings
        self.made.append((settings.host, anew))


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def link():
    return FakeBrokerLink()


@pytest.fixture
def link_part(link, clock):
    part = LinkPart(link, FIRST, clock)
    part.connection(True)
    return part


def test_the_link_is_well_when_it_has_connected_since_it_was_changed(link, link_part, clock):
    link_part.apply(Config(), on_trial=False)
    assert (link.made, link_part.fault()) == ([], "")
    clock.now_s = 110
    link_part.apply(ELSEWHERE, on_trial=True)
    assert link.settings == link_settings(FIRST, ELSEWHERE)
    assert link_part.fault() == "the broker at mqtt.example:8883 was not reached"  # up is the old one
    clock.now_s = 111
    link_part.connection(True)
    assert link_part.fault() == ""
    link.up = False
    link_part.connection(False)
    assert link_part.fault() != ""


class FakeNetwork:
    """Sets what it is given when it is told to."""

    def __init__(self):
        self.given, self.said = [], None

    def use(self, network, *, on_trial):
        self.given.append((network, on_trial))
        return True

    def outcome(self):
        return self.said


def test_the_network_must_be_set_before_a_new_connection_proves_it(link, link_part, clock):
    network = FakeNetwork()
    part = NetworkPart(network, link_part.renew, clock, trial_s=120)
    wired = WiredNetwork(interface="eth1")
    part.apply(Config(network=wired), on_trial=True)
    assert (network.given, part.fault()) == ([(wired.model_dump_json(), True)], "the network was not set")
    network.said = "networkctl reload: no"
    assert part.fault() == "the network could not be set: networkctl reload: no"
    clock.now_s, network.said = 60, ""
    assert "has not held" in part.fault()
    clock.now_s = 61
    link_part.connection(True)
    # What answers in the first moment may still be the network as it was.
    assert (link_part.fault(), link.made) == ("", [("localhost", True)])
    assert "has not held" in part.fault()
    clock.now_s = 60 + 120 * NETWORK_HOLDS
    assert (part.fault(), part.fault(), link.made) == ("", "", [("localhost", True)] * 2)
    assert link_part.fault() != ""
    clock.now_s += 1
    link_part.connection(True)
    assert (part.fault(), link_part.fault()) == ("", "")
    part.apply(Config(), on_trial=False)
    assert network.given[-1] == (None, False)


def test_devices_are_well_when_a_self_test_after_the_change_says_so(house):
    boards = []
    house.tested()
    part = DevicesPart(house.unit, SIM, boards.append)
    part.apply(Config(), on_trial=False)
    assert (boards, house.tests) == ([], ["start"])
    part.apply(Config(devices=Devices(camera="/dev/video9")), on_trial=True)
    assert [board.camera.device for board in boards] == ["/dev/video9"]
    assert (house.tests, part.fault()) == (["start", "start"], "the self-test was not made")
    house.time.passes(3)
    house.unit.room_event(rooms.TestDone(("region", "camera")))
    assert part.fault() == "the self-test failed: camera"
    house.tick(31)
    house.unit.room_event(rooms.TestDone(("region",)))
    assert part.fault() == ""
    part.apply(Config(), on_trial=False)
    assert boards[-1] == SIM


def test_the_panels_pins_must_be_had():
    panel = RoomPanel(SIM.pins, PanelEvents())
    part = PanelPart(SIM, panel)
    part.apply(Config(panel=PanelPins(door_lamp=5)), on_trial=True)
    assert part.fault() == ""
    real = SIM.model_copy(update={"pins": SIM.pins.model_copy(update={"mock": False})})
    of_real = PanelPart(real, panel)
    of_real.apply(Config(panel=PanelPins(chip="no-such-chip")), on_trial=True)
    assert "no-such-chip is not there" in of_real.fault()
    none = PanelPins(**dict.fromkeys(SIM.pins.by_part, -1))
    part.apply(Config(panel=none), on_trial=True)
    assert part.fault() == ""
    with pytest.raises(ValueError, match="one pin"):
        part.apply(Config(panel=PanelPins(door_lamp=17)), on_trial=True)
    panel.close()


def test_the_screens_size_is_the_boards_where_none_is_set():
    sizes = []
    part = ScreenPart(SIM, lambda *size: sizes.append(size))
    part.apply(Config(screen=ScreenSize(width_mm=210.0, height_mm=131.0)), on_trial=False)
    part.apply(Config(), on_trial=False)
    assert (sizes, part.fault()) == ([(210.0, 131.0), (217.0, 136.0)], "")


def test_one_port_of_the_medias_must_be_ours_to_take(house):
    part = PortsPart(house.unit)
    assert part.fault() == ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        network = replace(house.unit.configuration.network, media_ports=f"{port}-{port}")
        house.unit.configuration = replace(house.unit.configuration, network=network)
        assert "all in use" in part.fault()
    assert part.fault() == ""
