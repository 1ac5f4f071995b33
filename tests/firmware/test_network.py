"""The network's way from the agent to root and back: trials, proofs, power cuts, full disks."""

from __future__ import annotations

import json
import subprocess

import pytest

from firmware import network, network_apply
from firmware.board import NetworkProfile
from firmware.network import HandedOver, Remembered, open_network

FIRST = json.dumps({"method": "dhcp"})
SECOND = json.dumps(
    {"method": "static", "address": "192.0.2.10/24", "gateway": "192.0.2.1", "eap_tls": "unit-7"}
)


class Machine:
    """Root's side, whose commands are noted; `boot` is another after a power cut."""

    def __init__(self, folder, monkeypatch):
        self.state, self.run = folder / "state", folder / "run"
        self.commands, self.refuses, self.boot = [], "", "boot-1"
        monkeypatch.setattr(network, "boot_id", lambda: self.boot)
        monkeypatch.setattr(network_apply, "boot_id", lambda: self.boot)
        monkeypatch.setattr(network_apply.subprocess, "run", self._command)
        self.start_agent()

    def start_agent(self):
        result = self.run / "halsorum-network" / "result.json"
        self.agent = open_network(NetworkProfile(kind="networkd", result=str(result)), self.state / "network")

    def _command(self, command, **_):
        self.commands.append(" ".join(command))
        failed = bool(self.refuses) and self.refuses in self.commands[-1]
        return subprocess.CompletedProcess(
            command, int(failed), "", "Interface not found\n" if failed else ""
        )

    def apply(self):
        self.commands.clear()
        return network_apply.main(["--state", str(self.state), "--run", str(self.run)])

    @property
    def files(self):
        return sorted(
            file.name for file in self.run.rglob("*") if file.is_file() and file.name != "result.json"
        )

    @property
    def wire(self):
        file = self.run / "systemd/network/05-halsorum.network"
        return file.read_text() if file.exists() else None


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_a_machine_whose_network_is_not_ours_is_left_alone(tmp_path):
    backend = open_network(NetworkProfile(), tmp_path)
    assert isinstance(backend, Remembered)
    assert (backend.use(SECOND, on_trial=True), backend.outcome(), list(tmp_path.iterdir())) == (
        False,
        "",
        [],
    )


def test_nothing_set_leaves_the_images_own_network(machine):
    assert machine.apply() == 0
    assert (machine.files, machine.commands, machine.agent.outcome()) == ([], [], "")


def test_a_trial_is_set_and_proven(machine):
    assert machine.agent.use(SECOND, on_trial=True) is True
    assert machine.agent.outcome() is None
    machine.apply()
    assert machine.agent.outcome() == ""
    assert "Address=192.0.2.10/24" in machine.wire
    assert "networkctl reconfigure eth0" in machine.commands
    assert "systemctl restart halsorum-wired@eth0.service" in machine.commands
    assert machine.agent.use(SECOND, on_trial=True) is False
    machine.agent.use(SECOND, on_trial=False)
    machine.apply()
    assert (machine.commands, machine.agent.outcome()) == ([], "")  # proven, it is what it was


def test_the_images_own_network_is_had_again_on_trial_too(machine):
    machine.agent.use(FIRST, on_trial=False)
    machine.apply()
    assert machine.agent.use(None, on_trial=True) is True
    assert machine.agent.outcome() is None
    machine.apply()
    assert (machine.wire, machine.agent.outcome()) == (None, "")
    machine.agent.use(None, on_trial=False)
    assert list((machine.state / "network").iterdir()) == []


def test_a_vlans_interface_is_removed_with_it(machine):
    machine.agent.use(json.dumps({"vlan": 40}), on_trial=False)
    machine.apply()
    machine.agent.use(json.dumps({"vlan": 41}), on_trial=False)
    machine.apply()
    assert "networkctl delete eth0.40" in machine.commands
    machine.agent.use(FIRST, on_trial=False)
    machine.apply()
    assert "networkctl delete eth0.41" in machine.commands
    assert machine.files == ["05-halsorum.network"]


@pytest.mark.parametrize("before", [None, FIRST])
def test_a_trial_rolled_back_is_as_it_was_before(machine, before):
    machine.agent.use(before, on_trial=False)
    machine.apply()
    was = machine.wire
    machine.agent.use(SECOND, on_trial=True)
    machine.apply()
    machine.agent.use(before, on_trial=False)
    machine.apply()
    assert machine.wire == was
    assert "networkctl reload" in machine.commands
    assert "systemctl stop halsorum-wired@eth0.service" in machine.commands
    assert [name for name in machine.files if "8021x" in name] == []


def test_a_power_cut_in_a_trial_boots_with_what_was_proven_before_the_agent_is_even_there(machine):
    machine.agent.use(FIRST, on_trial=False)
    machine.agent.use(SECOND, on_trial=True)
    machine.apply()
    machine.boot = "boot-2"
    machine.apply()
    assert "DHCP=yes" in machine.wire
    machine.start_agent()
    machine.agent.use(FIRST, on_trial=False)
    assert machine.agent.outcome() == ""
    assert [file.name for file in (machine.state / "network").iterdir()] == ["proven.json"]


@pytest.mark.parametrize("proven", [True, False])
def test_a_trial_can_end_on_a_full_disk(machine, monkeypatch, proven):
    machine.agent.use(FIRST, on_trial=False)
    machine.agent.use(SECOND, on_trial=True)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(HandedOver, "_write", full)
    machine.agent.use(SECOND if proven else FIRST, on_trial=False)
    machine.apply()
    assert ("Address=192.0.2.10/24" in machine.wire) is proven


def test_a_trial_that_could_not_be_written_has_changed_nothing(machine, monkeypatch):
    machine.agent.use(FIRST, on_trial=False)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(network.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        machine.agent.use(SECOND, on_trial=True)
    assert [file.name for file in (machine.state / "network").iterdir()] == ["proven.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"network": 7}', '{"network": "{}"}'])
def test_a_file_that_is_not_whole_sets_nothing(machine, text):
    (machine.state / "network" / "trial.json").write_text(text)
    machine.apply()
    assert machine.wire is None


def test_what_root_refuses_is_told(machine):
    machine.agent.use(json.dumps({"interface": "eth0\n[Network]"}), on_trial=True)
    assert machine.apply() == 1
    assert (machine.agent.outcome(), machine.wire) == ("interface: string_pattern_mismatch", None)


def test_what_networkd_refuses_is_told(machine):
    machine.refuses = "reconfigure"
    machine.agent.use(FIRST, on_trial=True)
    machine.apply()
    assert machine.agent.outcome() == "networkctl reconfigure eth0: Interface not found"
    machine.apply()
    assert machine.agent.outcome() != ""  # the files are there, and still not in use
    machine.refuses = ""
    machine.apply()
    assert machine.agent.outcome() == ""


def test_another_certificate_restarts_the_supplicant(machine):
    folder = machine.state / "identity" / "current"
    folder.mkdir(parents=True)
    (folder / "certificate.pem").write_text("one")
    machine.agent.use(SECOND, on_trial=False)
    machine.apply()
    (folder / "certificate.pem").write_text("two")
    machine.apply()
    assert "systemctl restart halsorum-wired@eth0.service" in machine.commands


def test_a_rollback_that_comes_while_the_service_still_runs_is_done_by_it(machine, monkeypatch):
    """systemd.path(5) triggers nothing then, and the unit would stay on a network nobody reaches it over."""
    tell = network_apply._tell

    def told(file, wanted, fault):
        tell(file, wanted, fault)
        if machine.agent.outcome():
            machine.agent.use(None, on_trial=False)

    monkeypatch.setattr(network_apply, "_tell", told)
    machine.refuses = "systemctl restart"
    machine.agent.use(SECOND, on_trial=True)
    assert machine.apply() == 0
    assert (machine.wire, machine.agent.outcome()) == (None, "")


def test_what_nobody_has_heard_of_is_said_again_until_it_is(machine, monkeypatch):
    said = []
    monkeypatch.setattr(network.os, "utime", lambda folder: said.append((second, folder.name)))
    machine.agent.use(SECOND, on_trial=True)
    for second in range(1, 101):
        machine.agent.tick()
    assert said == [(10, "network"), (30, "network"), (70, "network")], "and ever more seldom"
    machine.apply()
    for _ in range(2000):
        machine.agent.tick()
    assert len(said) == 3
    machine.agent.use(None, on_trial=False)
    for second in range(1, 11):
        machine.agent.tick()
    assert said[3:] == [(10, "network")]
