"""Configurations on a unit with its disk: kept at every step, undone when the unit is not well."""

from __future__ import annotations

import sqlite3

import pytest

from agent import applying as module
from agent import room as rooms
from agent.config_kept import LEDGER_KEY, NO_DISK, RESTARTED, kept_ledger, kept_values
from agent.contract.events import Ack
from agent.contract.unit_config import BrokerAddress, Config, Devices
from agent.session_events import CheckedIn

SID = "k3v9q2m4x8t1"
TRIAL_S = 120.0


class FakePart:
    """Notes what it is told; `wrong` is its fault, `fails` what it raises."""

    def __init__(self, *fields):
        self.fields = frozenset(fields)
        self.told = []
        self.wrong = ""
        self.fails = None

    def apply(self, values, *, on_trial):
        if self.fails is not None:
            raise self.fails
        self.told.append((*(getattr(values, field) for field in sorted(self.fields)), on_trial))

    def fault(self):
        return self.wrong


class Rig:
    """A house whose unit takes configurations; `link` and `devices` are its parts."""

    def __init__(self, house):
        self.house = house
        self.join()

    def join(self):
        house = self.house
        self.link, self.devices = FakePart("broker"), FakePart("devices")
        house.join_configuration(house.unit.configuration, (self.link, self.devices), TRIAL_S)
        self.applying = house.applying
        house.wire.on_connection(self.applying.connection)
        house.connect()
        house.tested()

    def kill(self):
        """And start again."""
        self.house.start()
        self.join()

    def set(self, rev, **values):
        self.house.hear("dn/config", Config(**values), rev=rev)

    def tick(self, seconds=1):
        self.house.tick(seconds)
        self.applying.tick()

    def acknowledged(self):
        self.house.hear("dn/ack", Ack(epoch=0, seq=0))

    @property
    def states(self):
        return [body.state for body in self.house.link.bodies("up/config")]

    @property
    def last(self):
        return self.house.link.bodies("up/config")[-1]


@pytest.fixture
def rig(house):
    return Rig(house)


BROKER = BrokerAddress(host="mqtt.example")


def test_a_harmless_change_is_shown_kept_and_said_again_on_every_connect(rig):
    rig.set(3, room_name="Rum 9")
    assert rig.house.unit.screen().room_name == "Rum 9"
    rig.kill()
    assert (rig.house.unit.configuration.room_name, rig.last.state, rig.last.wanted_rev) == (
        "Rum 9",
        "applied",
        3,
    )


def test_what_the_screen_cannot_say_is_left_out_and_told(rig):
    rig.house.unit.complete_languages = {"sv"}
    rig.set(3, languages=("sv", "so"))
    assert (rig.last.applied, rig.last.errors[0].split(" is ")[0]) == (True, "languages: so")


def test_in_a_session_the_harmless_is_taken_and_the_rest_when_the_room_is_free(rig, make_plan):
    house = rig.house
    house.schedule(make_plan())
    house.unit.session_event(SID, CheckedIn("code"))
    rig.set(4, phone="010-4", broker=BROKER)
    rig.tick()
    assert (house.unit.configuration.phone, rig.states[-1], rig.last.fields) == (
        "010-4",
        "deferred",
        ("broker",),
    )
    assert rig.link.told == [(None, False)]
    house.schedule()
    house.unit.room_event(rooms.Released(SID))
    rig.tick()
    assert (rig.states[-1], rig.link.told[-1]) == ("trial", (BROKER, True))


def test_no_trial_begins_when_a_patient_is_expected_before_it_could_end(rig, make_plan):
    rig.house.schedule(make_plan(start_min=1))
    rig.set(4, broker=BROKER)
    assert rig.states[-1] == "deferred"
    rig.house.schedule(make_plan(start_min=30))
    rig.tick()
    assert rig.states[-1] == "trial"


def test_a_trial_waits_for_a_region_that_is_away_unless_it_is_the_way_there(rig):
    rig.house.connect()  # and nothing heard over this connection yet
    rig.set(4, devices=Devices(camera="/dev/video9"))
    rig.tick()
    assert (rig.states[-1], rig.last.fields) == ("deferred", ("devices",))
    rig.set(5, devices=Devices(camera="/dev/video9"), broker=BROKER)
    assert (rig.states[-1], rig.last.fields) == ("trial", ("broker", "devices"))


def test_a_trial_is_proven_by_the_regions_answer_after_it(rig):
    rig.acknowledged()
    rig.tick()
    rig.set(4, broker=BROKER)
    rig.tick()
    assert rig.states[-1] == "trial"
    assert BROKER not in rig.house.ways, (
        "a way is not kept for a unit without its store before it has been gone"
    )
    rig.acknowledged()
    rig.tick()
    assert (rig.states[-1], rig.link.told[-1]) == ("applied", (BROKER, False))
    assert kept_values(rig.house.store).broker == rig.house.ways[-1] == BROKER


def test_it_is_rolled_back_when_nothing_answers_and_stays_so(rig):
    rig.set(4, broker=BROKER)
    rig.tick(TRIAL_S - 1)
    assert rig.states[-1] == "trial"
    rig.tick(2)
    assert (rig.states[-1], rig.link.told[-1]) == ("rolled_back", (None, False))
    assert rig.last.errors == ("the region did not answer within 120 s",)
    rig.set(4, broker=BROKER)
    rig.tick()
    rig.kill()
    assert (rig.states[-1], rig.link.told) == ("rolled_back", [(None, False)])


def test_it_is_rolled_back_when_a_part_is_not_well(rig):
    rig.acknowledged()
    rig.set(4, devices=Devices(camera="/dev/video9"))
    rig.devices.wrong = "the self-test failed: camera"
    for _ in range(3):
        rig.acknowledged()
        rig.tick(50)
    assert (rig.states[-1], rig.last.errors) == (
        "rolled_back",
        ("the self-test failed: camera within 120 s",),
    )
    assert rig.devices.told[-1] == (None, False)


def test_what_cannot_even_be_begun_is_rolled_back_at_once(rig):
    rig.link.fails = OSError("not a certificate")
    rig.set(4, broker=BROKER)
    assert (rig.states[-1], rig.last.errors) == ("rolled_back", ("broker: not a certificate",))


def test_a_patient_who_comes_in_a_trial_gets_the_room_as_it_was(rig, make_plan):
    rig.house.schedule(make_plan(start_min=30))
    rig.set(4, broker=BROKER)
    rig.house.unit.session_event(SID, CheckedIn("staff"))
    rig.tick()
    assert (rig.states[-1], rig.link.told[-1]) == ("deferred", (None, False))


@pytest.mark.parametrize("at", ["deferred", "trial", "applied", "rolled_back"])
def test_a_kill_in_each_state(rig, make_plan, at):
    if at == "deferred":
        rig.house.schedule(make_plan())
        rig.house.unit.session_event(SID, CheckedIn("code"))
    rig.set(4, phone="010-4", broker=BROKER)
    if at == "applied":
        rig.acknowledged()
        rig.tick()
    elif at == "rolled_back":
        rig.tick(TRIAL_S + 1)
    assert rig.states[-1] == at
    # What looks at the disk alone, as a wipe does, goes by no broker that has not proven itself.
    assert kept_values(rig.house.store).broker == (BROKER if at == "applied" else None)
    rig.kill()
    after = {
        "deferred": "deferred",
        "trial": "rolled_back",
        "applied": "applied",
        "rolled_back": "rolled_back",
    }
    assert (rig.states[-1], rig.house.unit.configuration.phone) == (after[at], "010-4")
    assert rig.link.told == [(BROKER if at == "applied" else None, False)]
    if at == "trial":
        assert rig.last.errors == (RESTARTED,)
    rig.set(3, phone="old")
    assert rig.house.unit.configuration.phone == "010-4"


class FullDisk:
    """The store refuses from the `ok`-th write of a ledger on, until it is emptied."""

    def __init__(self, monkeypatch, ok):
        self.left, self.full, self.real = ok, True, module.save
        monkeypatch.setattr(module, "save", self.save)

    def save(self, store, ledger):
        if self.full and self.left <= 0:
            raise sqlite3.OperationalError("database or disk is full")
        self.left -= 1
        self.real(store, ledger)


@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_disk_that_is_full_at_each_write(rig, monkeypatch, writes):
    # The writes of a trial: that it was heard, that it begins, that it is proven.
    disk = FullDisk(monkeypatch, writes)
    rig.set(4, broker=BROKER)
    for _ in range(3):
        rig.acknowledged()
        rig.tick()
    assert "applied" not in rig.states
    if writes == 0:
        assert rig.last.errors == (NO_DISK,)
    disk.full = False
    for _ in range(3):
        rig.acknowledged()
        rig.tick()
    assert (rig.states[-1], rig.link.told[-1]) == ("applied", (BROKER, False))
    assert kept_ledger(rig.house.store).rev == 4


def test_a_disk_that_is_full_when_a_trial_is_rolled_back(rig, monkeypatch):
    disk = FullDisk(monkeypatch, 2)
    rig.set(4, broker=BROKER)
    rig.tick(TRIAL_S + 1)
    assert (rig.states[-1], rig.link.told[-1]) == ("rolled_back", (None, False))
    assert b'"trial"' in rig.house.store.get(LEDGER_KEY)  # a kill now would roll back once more
    disk.full = False
    rig.tick()
    assert kept_ledger(rig.house.store).state == "rolled_back"


def test_a_part_that_could_not_be_put_back_is_put_back_when_it_can(rig):
    rig.set(4, broker=BROKER)
    rig.link.fails = OSError("no space")
    rig.tick(TRIAL_S + 1)
    rig.link.fails = None
    rig.tick()
    assert rig.link.told[-1] == (None, False)
    told = len(rig.link.told)
    rig.tick()
    assert len(rig.link.told) == told


def test_what_an_earlier_release_has_kept_is_taken_up(rig):
    store = rig.house.store
    store.put("config", Config(phone="010").model_dump_json().encode())
    store.put("config_rev", b"5")
    store.put(LEDGER_KEY, b"")
    rig.kill()
    assert (rig.house.unit.configuration.phone, rig.last.state, rig.applying.ledger.rev) == (
        "010",
        "applied",
        5,
    )


def test_a_ledger_that_cannot_be_read_is_begun_anew(rig):
    rig.house.store.put(LEDGER_KEY, b"{broken")
    assert kept_values(rig.house.store) == Config()
    rig.kill()
    rig.set(1, phone="1")
    assert rig.house.unit.configuration.phone == "1"
