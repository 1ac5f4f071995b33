"""Root's part: it checks again what it is asked, and marks only what it should."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware.helper import Helper
from firmware.update import grubenv, service
from firmware.update.rauc import Bundle, RaucError
from firmware.update.service import Updater
from firmware.update.slots import slots

RELEASE = {"IMAGE_ID": "halsorum-vm", "IMAGE_VERSION": "0.5.0"}


class FakeRauc:
    """Notes what it is asked; `bundle` is what look() finds."""

    def __init__(self, environment):
        self.environment, self.done = environment, []
        self.bundle, self.fails = Bundle("halsorum-vm", "0.5.1", 1), ""

    def look(self, _bundle):
        if self.fails:
            raise RaucError(self.fails)
        return self.bundle

    def install(self, _bundle):
        self.done.append("install")
        if self.fails:
            raise RaucError(self.fails)

    def mark(self, what, slot):
        self.done.append(f"{what} {slot}")
        if what == "active":
            grubenv.change(self.environment, {"ORDER": "B A", "B_OK": "1", "B_TRY": "0"})


class Rig:
    """A machine's root part, its folders and its boots."""

    def __init__(self, folder):
        self.environment, self.run = folder / "grubenv", folder / "run"
        self.requests, self.bundle = folder / "requests", folder / "bundle.raucb"
        self.run.mkdir()
        self.requests.mkdir()
        self.bundle.touch()
        grubenv.create(self.environment)
        self.rauc, self.told, self.booted = FakeRauc(self.environment), [], "A"
        self.updater = Updater(
            lambda: slots(f"rauc.slot={self.booted}", RELEASE, grubenv.read(self.environment)),
            tool=self.rauc,
            environment=self.environment,
            run=self.run,
            bundle=self.bundle,
            systemctl=self.told.append,
        )

    def ask(self, name, **values):
        """As the agent does; the answer."""
        (self.requests / f"{name}.request").write_text(json.dumps({"id": "a1b2c3", **values}))
        Helper(self.requests, works=self.updater.works).answer_all(self.requests)
        self.updater.install()
        return json.loads((self.requests / f"{name}.answer").read_text())

    def install(self, **more):
        return self.ask("install", **{"job": "0f0f-1", "version": "0.5.1", "allow_downgrade": False} | more)

    def boots(self, slot):
        """The machine starts: what was in /run is gone."""
        self.booted = slot
        for file in self.run.iterdir():
            file.unlink()
        self.updater.tell()

    def installation(self):
        return json.loads((self.run / "install.json").read_text())

    def status(self):
        return json.loads((self.run / "status.json").read_text())

    @property
    def variables(self):
        return grubenv.read(self.environment)


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


def test_a_bundle_is_installed_started_once_and_kept(rig):
    assert rig.install()["ok"]
    assert (rig.installation()["state"], rig.variables["FILLED"]) == ("done", "B")
    assert rig.ask("restart")["ok"]
    assert rig.rauc.done == ["install", "active other"]
    assert rig.told == ["reboot"]
    assert rig.variables["PROVEN"] == "A"
    rig.boots("B")
    assert not (rig.run / "proven").exists()
    assert rig.ask("good")["ok"]
    assert (rig.variables["PROVEN"], rig.variables.get("FILLED")) == ("B", None)
    assert (rig.run / "proven").exists()
    assert rig.status()["booted"] == rig.status()["proven"] == "B"


def test_a_slot_that_is_not_proven_goes_back_and_is_cleaned_away(rig):
    rig.install()
    rig.ask("restart")
    rig.booted = "B"
    assert rig.ask("back")["ok"]
    assert rig.told == ["reboot"] * 2
    grubenv.change(rig.environment, {"B_TRY": "1"})
    rig.boots("A")
    assert rig.status()["tried"] is True
    assert rig.ask("clean")["ok"]
    assert (rig.variables["ORDER"], rig.variables["B_OK"], rig.status()["tried"]) == ("A B", "0", False)


@pytest.mark.parametrize(
    ("bundle", "asked", "why"),
    [
        (Bundle("halsorum-pi5", "0.5.1", 1), {}, "is for halsorum-pi5"),
        (Bundle("halsorum-vm", "0.5.2", 1), {}, "not the one asked for"),
        (Bundle("halsorum-vm", "0.4.9", 1), {"version": "0.4.9"}, "older than 0.5.0"),
        (Bundle("halsorum-vm", "x", 1), {"version": "x"}, "older than 0.5.0"),
        (Bundle("halsorum-vm", "0.5.1", 1), {"job": "../x"}, "no job"),
        (Bundle("halsorum-vm", "0.5.1", 1), {"job": None}, "no job"),
    ],
)
def test_a_bundle_that_is_signed_and_still_wrong_is_refused(rig, bundle, asked, why):
    rig.rauc.bundle = bundle
    answer = rig.install(**asked)
    assert not answer["ok"]
    assert why in answer["reason"]
    assert rig.rauc.done == []


def test_an_older_one_comes_in_only_by_a_plain_yes(rig):
    rig.rauc.bundle = Bundle("halsorum-vm", "0.4.9", 1)
    assert not rig.install(version="0.4.9", allow_downgrade="yes")["ok"]
    assert rig.install(version="0.4.9", allow_downgrade=True)["ok"]


def test_a_bad_signature_is_said_before_anything_is_written(rig):
    rig.rauc.fails = "its signature is not one this unit trusts"
    assert "signature" in rig.install()["reason"]
    assert rig.rauc.done == []


def test_a_link_is_no_bundle(rig, tmp_path):
    rig.bundle.unlink()
    rig.bundle.symlink_to(tmp_path / "grubenv")
    assert "no file" in rig.install()["reason"]


def test_an_installation_that_fails_leaves_a_slot_that_nobody_can_start(rig):
    grubenv.change(rig.environment, {"FILLED": "B"})
    rig.rauc.install = lambda _bundle: (_ for _ in ()).throw(RaucError("its system is larger than the slot"))
    assert rig.install()["ok"]
    assert rig.installation()["state"] == "failed"
    assert "larger" in rig.installation()["reason"]
    assert not rig.ask("restart")["ok"]
    assert rig.told == []


@pytest.mark.parametrize("name", ["restart", "back", "clean"])
def test_what_does_not_fit_the_moment_is_refused(rig, name):
    rig.booted = "B" if name == "clean" else "A"
    before = rig.variables
    assert not rig.ask(name)["ok"]
    assert (rig.variables, rig.told) == (before, [])


def test_nothing_is_installed_from_a_slot_that_has_not_proven_itself_or_is_none(rig):
    rig.booted = "B"
    assert "not proven" in rig.install()["reason"]
    rig.booted = ""
    assert "not started from a slot" in rig.install()["reason"]


def test_a_proven_system_says_so_at_every_start(rig):
    rig.updater.tell()
    assert (rig.run / "proven").exists()
    assert rig.status() == {
        "booted": "A",
        "proven": "A",
        "compatible": "halsorum-vm",
        "version": "0.5.0",
        "tried": False,
        "filled": False,
    }


def test_it_is_this_machine_that_restarts(rig, monkeypatch):
    asked = []
    monkeypatch.setattr(service, "run_systemctl", lambda *words: asked.append(words))
    grubenv.change(rig.environment, {"PROVEN": "B"})
    works = Updater(
        rig.updater._slots, tool=rig.rauc, environment=rig.environment, run=rig.run, bundle=rig.bundle
    ).works
    works["back"]({})
    assert asked == [(Path("/"), "reboot")]
