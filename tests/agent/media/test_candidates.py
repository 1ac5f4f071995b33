from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.media.candidates import CANDIDATES_MAX, RemoteCandidates, is_admissible_address


def candidate(host: str, port: int | str = 50000, transport: str = "udp") -> str:
    return f"1 1 {transport} 2113937151 {host} {port} typ host generation 0"


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.0.9", "198.51.100.7", "2a00:801::5", "fd12:3456::1", "100.64.0.1"]
)
def test_a_colleague_s_address_is_admitted_the_clinic_s_own_network_among_them(host: str) -> None:
    assert RemoteCandidates(loopback=False).admit(candidate(host))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "2a00:801::5%eth0",
        "224.0.0.251",
        "ff02::fb",
        "255.255.255.255",
        "240.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "fec0::1",
        "localhost",
        "printer.clinic.example",
        "0b7ca4d4-aaaa.local",
        "127.1",
        "2130706433",
        "0x7f000001",
    ],
)
def test_an_address_that_no_colleague_s_browser_can_have_is_refused(host: str) -> None:
    candidates = RemoteCandidates(loopback=False)
    assert not candidates.admit(candidate(host))
    assert candidates.refused == 1


def test_loopback_is_for_those_who_are_reached_there_themselves() -> None:
    candidates = RemoteCandidates(loopback=True)
    assert candidates.admit(candidate("127.0.0.1"))
    assert candidates.admit(candidate("::1"))
    assert not candidates.admit(candidate("::ffff:127.0.0.1"))


@pytest.mark.parametrize("port", [0, 53, 443, 1023, 65536, 10**30, "-5", "0x50", "٥٠٠٠", ""])
def test_ports_of_services_and_of_nobody_are_refused(port: int | str) -> None:
    assert not RemoteCandidates(loopback=False).admit(candidate("10.1.2.3", port))


def test_tcp_is_refused() -> None:
    assert not RemoteCandidates(loopback=False).admit(candidate("10.1.2.3", transport="tcp"))


def test_no_more_places_than_a_browser_has_and_the_same_one_again_is_none_more() -> None:
    candidates = RemoteCandidates(loopback=False)
    admitted = [candidates.admit(candidate("10.1.2.3", 2000 + n // 2)) for n in range(300)]
    assert sum(admitted) == 2 * CANDIDATES_MAX
    assert candidates.admit(candidate("10.1.2.3", 2000))
    assert not candidates.admit(candidate("10.1.2.3", 9000))


@given(st.text() | st.lists(st.text(), min_size=8).map(" ".join))
def test_whatever_is_written_nothing_is_raised(text: str) -> None:
    RemoteCandidates(loopback=True).admit(text)


@given(st.ip_addresses())
def test_what_is_admitted_is_an_ordinary_unicast_address(address: object) -> None:
    if is_admissible_address(str(address), loopback=False):
        assert not (address.is_multicast or address.is_loopback or address.is_unspecified)
