"""Every service runs confined, and nothing is missing for it: scores as systemd gives them in the running machine,
a real systemd-networkd, the helper's restart of the machine, and a watchdog that is starved."""

from __future__ import annotations

import json
import re

from tests.vm.lab import Lab

SHORT = False
FRESH = True
LIMIT = 2.0
LIMITS = {"halsorum-kiosk": 2.5}
STATIC = {"method": "static", "address": "10.0.2.77/24", "gateway": "10.0.2.2", "dns": ["10.0.2.3"]}
NETWORK = "/var/lib/halsorum/network"
HELPER = "/var/lib/halsorum/helper"
WITHIN_S = 240.0


def play(lab: Lab) -> None:
    """One after the other; the machine's restart comes last."""
    confined(lab)
    if not re.search("enp|eth|ens", lab.vm.check("ls /sys/class/net")):
        return
    network(lab)
    starved(lab)
    restarted_by_the_helper(lab)


def confined(lab: Lab) -> None:
    """systemd-analyze security of each service that is loaded, as run."""
    with lab.trial("systemd-analyze security", "at most 2.0 each, kiosk 2.5, nothing failed") as trial:
        names = lab.vm.check(
            "systemctl list-units --all --plain --no-legend 'halsorum-*.service' | cut -d' ' -f1"
        )
        loaded = [name for name in names.split() if "not-found" not in name]
        told = lab.vm.run(
            f"systemd-analyze security --no-pager {' '.join(loaded)} | grep level", timeout_s=180
        ).out
        scores = {name: float(score) for name, score in re.findall(r"for (\S+)\.service: ([0-9.]+)", told)}
        assert scores, told
        trial.seen = ", ".join(f"{name.removeprefix('halsorum-')} {score}" for name, score in scores.items())
        assert {name: each for name, each in scores.items() if each > LIMITS.get(name, LIMIT)} == {}, (
            trial.seen
        )
        failed = lab.vm.check("systemctl --failed --plain --no-legend 'halsorum-*' | cut -d' ' -f1").split()
        assert failed == []


def network(lab: Lab) -> None:
    """As the agent lays it down; rendered by root, taken by the real systemd-networkd."""
    wire = lab.vm.check("ls /sys/class/net | grep -v lo | head -1").strip()
    _wait_for_agent(lab)  # as it starts it lays what it knows, and takes away what a hand has laid
    with lab.trial("static address on trial, then rolled back", "set, and DHCP's again") as trial:
        wanted = {**STATIC, "interface": wire}
        _lay(lab, "trial.json", wanted)
        set_s = lab.vm.wait_for(lambda: "10.0.2.77/24" in _addresses(lab), "the static address", WITHIN_S)
        lab.vm.wait_for(lambda: _result(lab) == "", "the result", WITHIN_S)
        _ended(lab)
        lab.vm.check(f"rm {NETWORK}/trial.json")
        back_s = lab.vm.wait_for(lambda: "10.0.2.15/24" in _addresses(lab), "DHCP's address", WITHIN_S)
        trial.seen = f"set after {set_s:.0f} s, back after {back_s:.0f} s"
    with lab.trial("a VLAN proven, then taken away", "its interface comes and goes") as trial:
        _lay(
            lab,
            "proven.json",
            {**STATIC, "interface": wire, "address": "10.0.40.7/24", "gateway": "10.0.40.1", "vlan": 40},
        )
        lab.vm.wait_for(lambda: "10.0.40.7/24" in _addresses(lab), "the VLAN's address", WITHIN_S)
        _ended(lab)
        lab.vm.check(f"rm {NETWORK}/proven.json")
        lab.vm.wait_for(lambda: f"{wire}.40" not in _addresses(lab), "the VLAN's end", WITHIN_S)
        lab.vm.wait_for(lambda: "10.0.2.15/24" in _addresses(lab), "DHCP's address", WITHIN_S)
        trial.seen = "came and went"


def starved(lab: Lab) -> None:
    """The whole process is held still: systemd ends it, and starts another."""
    with lab.trial("agent held still (SIGSTOP)", "ended by the watchdog, runs again") as trial:
        before = _main_process(lab)
        lab.vm.check(f"kill -STOP {before}")
        took = lab.vm.wait_for(lambda: _main_process(lab) not in {before, "0"}, "another agent", WITHIN_S)
        _wait_for_agent(lab)
        trial.seen = f"another one after {took:.0f} s"


def restarted_by_the_helper(lab: Lab) -> None:
    """The agent's own way to root: a file, a path unit, and a service that may do little else."""
    with lab.trial("helper asked to restart the machine", "another boot") as trial:
        boot = lab.vm.boot_id()
        lab.vm.put("/run/reboot.new", json.dumps({"id": "abcd1"}).encode())
        lab.vm.check(f"install -o halsorum -m 600 /run/reboot.new {HELPER}/reboot.request")
        took = lab.vm.wait_for_restart(boot)
        trial.seen = f"up again after {took:.0f} s"


def _lay(lab: Lab, name: str, network: dict[str, object]) -> None:
    _ended(lab)
    boot = lab.vm.boot_id()
    lab.vm.put(f"/run/{name}", json.dumps({"boot": boot, "network": json.dumps(network)}).encode())
    lab.vm.check(
        f"install -o halsorum -m 600 /run/{name} {NETWORK}/{name}.new && mv {NETWORK}/{name}.new {NETWORK}/{name}"
    )


def _wait_for_agent(lab: Lab) -> None:
    active = "systemctl is-active halsorum-agent || true"
    lab.vm.wait_for(lambda: lab.vm.check(active).strip() == "active", "the agent's readiness", WITHIN_S)


def _ended(lab: Lab) -> None:
    """What changes while the service runs triggers nothing; the agent would say it again, a hand does not."""
    quiet = "systemctl is-active halsorum-network.service || true"
    lab.vm.wait_for(lambda: lab.vm.check(quiet).strip() == "inactive", "the service's end", WITHIN_S)


def _result(lab: Lab) -> str:
    return str(json.loads(lab.vm.get("/run/halsorum-network/result.json"))["fault"])


def _addresses(lab: Lab) -> str:
    return lab.vm.check("ip -br address")


def _main_process(lab: Lab) -> str:
    return lab.vm.check("systemctl show -P MainPID halsorum-agent").strip()
