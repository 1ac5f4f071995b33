"""The machine's own end of the line: a carrier, an address with a way out, and a name service."""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.diagnostics.network_path import look_up
from agent.media.media_socket import is_host_address
from agent.probes.give_way import unless_stopped
from agent.selftest import LOOK_S, Context
from agent.verdict import Verdict, found, well

SETTLE_S = 3.0
"""A cable that was just put in, or a machine that just started, may still be on its way to an address."""
NAMES_WITHIN_S = 2.5
ANYWHERE = ("192.0.2.1", "2001:db8::1")
"""Addresses of nobody (RFC 5737, RFC 3849): whether there is a default route to them. Nothing is sent there."""
_SIOCGIFFLAGS = 0x8913
_IFF_LOOPBACK, _IFF_RUNNING = 0x8, 0x40
_IFREQ = struct.Struct("16sH22x")


@dataclass(frozen=True, slots=True)
class Interface:
    """running: it has a carrier, or is with a wireless network (netdevice(7), IFF_RUNNING)."""

    name: str
    running: bool
    is_device: bool
    """A part of the machine, and not made by a program."""


def interfaces(devices: Path = Path("/sys/class/net")) -> list[Interface]:
    """All but the loopback, of the network that this process is in."""
    seen = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # gone between the two questions
                answer = fcntl.ioctl(asked, _SIOCGIFFLAGS, _IFREQ.pack(name.encode(), 0))
                flags: int = _IFREQ.unpack(answer)[1]
                if not flags & _IFF_LOOPBACK:
                    is_device = (devices / name / "device").exists()
                    seen.append(Interface(name, bool(flags & _IFF_RUNNING), is_device))
    return seen


def has_carrier(seen: Sequence[Interface]) -> bool:
    """Whether any of the machine's own interfaces has one; where none is known for a device's, any at all."""
    own = [each for each in seen if each.is_device] or seen
    return any(each.running for each in own)


def source_address(target: str) -> str | None:
    """The address of ours that would be used towards this one; None without a route or an address of use."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((target, 9))  # for UDP this asks the routing table alone
            ours = str(asked.getsockname()[0])
    except OSError:
        return None
    return ours if is_host_address(ours) else None


def is_address(host: str) -> bool:
    """Whether this is an address, which needs no name service."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_this_machine(host: str) -> bool:
    """Whether no network is needed to reach it."""
    return host in ("", "localhost") or (is_address(host) and ipaddress.ip_address(host).is_loopback)


class NetworkProbe:
    """A Probe. host: the broker's, or the proxy's before it; empty while nobody knows."""

    name = "network"

    def __init__(
        self,
        host: Callable[[], str],
        seen: Callable[[], Sequence[Interface]] = interfaces,
        source: Callable[[str], str | None] = source_address,
    ) -> None:
        self._host, self._seen, self._source = host, seen, source
        self._tried: Context | None = None

    async def run(self, context: Context) -> list[Verdict]:
        """The cable, else the address. Waits a little for both, the first time in a test."""
        left_s = 0.0 if context is self._tried else SETTLE_S
        self._tried = context
        while (wrong := self._look()) is not None and left_s > 0 and await context.pause(LOOK_S):
            left_s -= LOOK_S
        return [wrong or well("network")]

    def _look(self) -> Verdict | None:
        host = self._host()
        if is_this_machine(host):
            return None
        seen = self._seen()
        if not has_carrier(seen):
            names = ", ".join(each.name for each in seen) or "no interface"
            return found("network_cable", reason=f"no carrier: {names}"[:120])
        targets = (*ANYWHERE, host) if is_address(host) else ANYWHERE
        if not any(self._source(target) for target in targets):
            return found("network_address", reason="no address, or no default route")
        return None


class NamesProbe:
    """A Probe. An address needs no name service: nothing is said of it then."""

    name = "names"

    def __init__(self, host: Callable[[], str]) -> None:
        self._host = host

    async def run(self, context: Context) -> list[Verdict]:
        """How long the name took, in ms."""
        host = self._host()
        if is_this_machine(host) or is_address(host):
            return []
        answer = await unless_stopped(context, _look_up(host))
        if answer is None:
            return []
        if fault := answer.get("fault"):
            return [found("name_service", reason=f"{host}: {fault}"[:120])]
        return [well("names", float(str(answer["ms"])), "ms")]


async def _look_up(host: str) -> dict[str, object]:
    try:
        # The system's resolver cannot be broken off: its thread goes on until it gives up by itself.
        return dict(await asyncio.wait_for(asyncio.to_thread(look_up, host), NAMES_WITHIN_S))
    except TimeoutError:
        return {"fault": f"no answer within {NAMES_WITHIN_S} s"}
