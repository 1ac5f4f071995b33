"""The machine's own end: the cable is told before the address, and a system that needs no network has no fault."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agent.probes import network
from agent.probes.network import (
    Interface,
    NamesProbe,
    NetworkProbe,
    has_carrier,
    interfaces,
    is_this_machine,
    source_address,
)
from agent.selftest import Context
from agent.verdict import well

FAR = "192.0.2.7"
CABLE, OUT = Interface("eth0", True, True), Interface("eth0", False, True)
RADIO, BRIDGE = Interface("wlan0", True, True), Interface("docker0", True, False)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(network, "SETTLE_S", 0.0)


def word(host=FAR, seen=(CABLE,), source=lambda target: "10.0.0.2"):
    [verdict] = asyncio.run(NetworkProbe(lambda: host, lambda: seen, source).run(Context()))
    return verdict


def test_a_cable_that_is_out_is_told_by_its_interface_and_a_radio_counts_as_one():
    assert word() == well("network")
    assert (word(seen=[OUT]).instruction, word(seen=[OUT]).reason) == ("network_cable", "no carrier: eth0")
    assert word(seen=[OUT, RADIO]).ok
    assert word(seen=[]).instruction == "network_cable"


def test_what_a_program_made_stands_for_no_cable_unless_there_is_nothing_else():
    assert not has_carrier([OUT, BRIDGE])
    assert has_carrier([BRIDGE])


def test_without_an_address_or_a_way_out_the_address_is_told():
    assert word(source=lambda target: None).instruction == "network_address"
    assert word("broker.example", source=lambda target: None).instruction == "network_address"
    assert word(source=lambda target: "10.0.0.2" if target == FAR else None).ok, "it is on our own wire"


def test_a_broker_on_this_machine_needs_no_network():
    for host in ("127.0.0.1", "localhost", "::1", ""):
        assert is_this_machine(host)
        assert word(host, seen=[], source=lambda target: None).ok


def test_a_cable_just_put_in_is_waited_for_once_in_a_test(monkeypatch):
    monkeypatch.setattr(network, "SETTLE_S", 1.0)
    looks = []

    async def pass_by(_seconds):
        return None

    monkeypatch.setattr("agent.selftest.asyncio.sleep", pass_by)

    def seen():
        looks.append(1)
        return [CABLE if len(looks) == 4 else OUT]

    async def main():
        context, probe = Context(), NetworkProbe(lambda: FAR, seen, lambda target: "10.0.0.2")
        assert (await probe.run(context))[0].ok
        before = len(looks)
        assert not (await probe.run(context))[0].ok
        assert len(looks) == before + 1

    asyncio.run(main())


def test_this_machines_interfaces_are_all_but_the_loopback():
    names = {name for _, name in socket.if_nameindex()}
    assert {each.name for each in interfaces()} <= names - {"lo"}
    assert source_address("127.0.0.1") is None, "the loopback's own address leads nowhere"


def names(host, answer):
    seen = []

    def look_up(asked):
        seen.append(asked)
        return answer

    async def main():
        return await NamesProbe(lambda: host).run(Context())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "look_up", look_up)
        return asyncio.run(main()), seen


def test_a_name_that_is_not_known_is_told_and_an_address_asks_nobody():
    assert names("broker.example", {"ms": 12.5, "addresses": [FAR]})[0] == [well("names", 12.5, "ms")]
    [fault], _ = names("broker.example", {"fault": "Name or service not known"})
    assert (fault.instruction, fault.reason) == ("name_service", "broker.example: Name or service not known")
    for host in (FAR, "2001:db8::7", "localhost", ""):
        assert names(host, {}) == ([], [])


def test_a_name_service_that_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(network, "NAMES_WITHIN_S", 0.01)

    async def never(*_arguments):
        await asyncio.sleep(60)

    monkeypatch.setattr(network.asyncio, "to_thread", never)
    [fault] = asyncio.run(NamesProbe(lambda: "broker.example").run(Context()))
    assert fault.instruction == "name_service"
