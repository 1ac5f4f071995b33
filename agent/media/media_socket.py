"""The UDP socket of a connection: in the firewall's port range, and marked for the network's priority."""

from __future__ import annotations

import errno
import ipaddress
import random
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

DSCP_AF41 = 34
"""RFC 8837, section 5: interactive video with or without sound, medium priority. One bundled transport carries
sound and picture and has one mark; EF (46) is for sound alone."""
RECEIVE_BUFFER_BYTES = 256 * 1024
REST_S = 30.0
"""A TURN server that has just been given an address back takes no other from the same port of ours for a second or
more (coturn 4.6 refuses the first request with 437 and then says nothing): others of the range come first."""
_used_at: dict[int, float] = {}
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


class NoFreePort(OSError):
    """Every port of the range is in use."""


@dataclass(frozen=True, slots=True)
class PortRange:
    """Local UDP ports, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        """Refuse what no firewall could mean."""
        if not 1024 <= self.first <= self.last <= 65535:
            raise ValueError("the ports must be 1024 to 65535, the lower first")

    @staticmethod
    def parse(text: str) -> PortRange:
        """Read "50000-50099"; ValueError says what is wrong."""
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise ValueError('a port range is written as "50000-50099"')
        return PortRange(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def shuffled(self) -> Iterator[int]:
        """Every port once, in an order that cannot be guessed."""
        return iter(
            random.SystemRandom().sample(range(self.first, self.last + 1), self.last + 1 - self.first)
        )


def is_host_address(text: str) -> bool:
    """Whether other machines may reach us at this address: neither loopback nor link-local, which needs a zone."""
    address = ipaddress.ip_address(text)
    return not (
        address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    )


def open_udp(address: str, ports: PortRange | None, dscp: int) -> socket.socket:
    """A UDP socket at this address of ours; any address of the family for "0.0.0.0" and "::".

    Raises NoFreePort when the range is used up, and OSError when the address is not (any more) ours.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        mark(opened, dscp)
        _bind(opened, address, ports)
    except BaseException:
        opened.close()
        raise
    return opened


def mark(opened: socket.socket, dscp: int) -> None:
    """Mark what is sent with this code point (RFC 2474), where the system lets us; 0 leaves it alone."""
    if not dscp:
        return
    with suppress(OSError):
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


def _rested_first(ports: PortRange) -> list[int]:
    since = time.monotonic() - REST_S
    return sorted(ports.shuffled(), key=lambda port: max(since, _used_at.get(port, since)))


def _bind(opened: socket.socket, address: str, ports: PortRange | None) -> None:
    if ports is None:
        opened.bind((address, 0))
        return
    for port in _rested_first(ports):
        try:
            opened.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            _used_at[port] = time.monotonic()
            return
    raise NoFreePort(
        errno.EADDRINUSE,
        f"media_ports {ports}: all in use at {address}. Give the unit a wider range and open it in the firewall.",
    )
