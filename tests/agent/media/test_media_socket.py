"""Sockets in the firewall's range, marked for the network."""

import socket

import pytest

from agent.media.media_socket import DSCP_AF41, NoFreePort, PortRange, is_host_address, open_udp


def free_range(length: int) -> PortRange:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        first = min(probe.getsockname()[1], 65535 - length)
    return PortRange(first, first + length - 1)


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_ports_come_from_the_range_until_it_is_used_up() -> None:
    ports = free_range(2)
    opened = [open_udp("127.0.0.1", ports, 0) for _ in range(2)]
    try:
        assert {each.getsockname()[1] for each in opened} == {ports.first, ports.last}
        with pytest.raises(NoFreePort) as caught:
            open_udp("127.0.0.1", ports, 0)
        assert str(ports) in str(caught.value) and "wider" in str(caught.value)
        with open_udp("127.0.0.2", ports, 0) as elsewhere:
            assert elsewhere.getsockname()[1] in (ports.first, ports.last), "each address has them all"
    finally:
        for each in opened:
            each.close()


def test_a_port_that_was_just_used_rests_while_there_are_others() -> None:
    ports = free_range(4)
    taken = []
    for _ in range(8):
        with open_udp("127.0.0.1", ports, 0) as opened:
            taken.append(opened.getsockname()[1])
    assert sorted(taken[:4]) == list(range(ports.first, ports.last + 1))
    assert taken[4:] == taken[:4], "then the one that has rested longest"


def test_an_address_that_is_not_ours_is_not_taken_for_a_used_up_range() -> None:
    with pytest.raises(OSError) as caught:
        open_udp("203.0.113.77", PortRange(50000, 65000), 0)
    assert not isinstance(caught.value, NoFreePort)


@pytest.mark.parametrize(
    ("address", "level", "option"),
    [
        ("127.0.0.1", socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
def test_packets_are_marked_and_not_when_told_so(address: str, level: int, option: int) -> None:
    if ":" in address and not has_ipv6_loopback():
        pytest.skip("this machine has no IPv6")
    with open_udp(address, None, DSCP_AF41) as marked, open_udp(address, None, 0) as unmarked:
        assert marked.getsockopt(level, option) == 34 << 2
        assert unmarked.getsockopt(level, option) == 0


@pytest.mark.parametrize("text", ["50000", "50099-50000", "1000-2000", "50000-70000", "a-b", "-", ""])
def test_a_range_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        PortRange.parse(text)


def test_a_range_is_read_and_written() -> None:
    ports = PortRange.parse(" 50000-50099 ")
    assert (ports, str(ports)) == (PortRange(50000, 50099), "50000-50099")
    assert sorted(ports.shuffled()) == list(range(50000, 50100))


def test_link_local_and_loopback_are_no_addresses_for_others() -> None:
    ours = ["192.0.2.1", "10.0.0.1", "fd00::2", "2001:db8::1"]
    others = ["127.0.0.1", "::1", "169.254.3.4", "fe80::1", "0.0.0.0", "ff02::1"]
    assert [each for each in ours + others if is_host_address(each)] == ours
