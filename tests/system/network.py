"""A network of its own for one system: unit, region and clinician apart, on lines that a test can take away.

Three network namespaces (ip-netns(7)). The region's is the router between the two others, each of which hangs
on it by a cable and a Wi-Fi (veth pairs):

    unit  == cable, wifi ==  region  == cable, wifi ==  office

Nothing outside of these namespaces is touched, and they go with whatever is in them. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

Wire = Literal["cable", "wifi"]
WIRES: tuple[Wire, Wire] = ("cable", "wifi")
REGION_ADDRESS = "10.71.0.1"
CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


def why_not() -> str:
    """Why this machine cannot have such a network, in a sentence; empty if it can."""
    if os.geteuid() != 0:
        return "network namespaces are made by root; run as root to test a line that breaks"
    missing = [tool for tool in ("ip", "nft", "nsenter") if shutil.which(tool) is None]
    if missing:
        return f"{' and '.join(missing)} not found; install iproute2, nftables and util-linux"
    name = f"hs{os.getpid()}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    return (
        ""
        if made.returncode == 0
        else f"this machine lets us make no network namespace: {made.stderr.strip()}"
    )


@dataclass
class Side:
    """The unit's or the office's end: a namespace on two wires, of which one has an address at a time."""

    name: str
    namespace: str
    region: str
    subnet: int
    wire: Wire = "cable"
    silenced: bool = False

    def build(self) -> None:
        """Make the namespace and both wires; the cable is plugged in."""
        _run("ip", "netns", "add", self.namespace)
        _run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        for wire in WIRES:
            far = self.far(wire)
            _run(
                "ip",
                "-n",
                self.region,
                "link",
                "add",
                far,
                "type",
                "veth",
                "peer",
                "name",
                wire,
                "netns",
                self.namespace,
            )
            _run("ip", "-n", self.region, "address", "add", f"{self.gateway(wire)}/24", "dev", far)
            _run("ip", "-n", self.namespace, "link", "set", wire, "up")
        self.plug(self.wire)

    def far(self, wire: Wire) -> str:
        """The interface at the region's end of a wire."""
        return f"{self.name}-{wire}"

    def address(self, wire: Wire | None = None) -> str:
        """This side's address on a wire (the one in use)."""
        return f"10.71.{self.subnet + WIRES.index(wire or self.wire)}.2"

    def gateway(self, wire: Wire) -> str:
        """The region's address on a wire."""
        return f"10.71.{self.subnet + WIRES.index(wire)}.1"

    def plug(self, wire: Wire) -> None:
        """Carrier, address and default route, as a network manager sets them."""
        self.wire = wire
        _run("ip", "-n", self.region, "link", "set", self.far(wire), "up")
        _run("ip", "-n", self.namespace, "address", "add", f"{self.address(wire)}/24", "dev", wire)
        _run("ip", "-n", self.namespace, "route", "add", "default", "via", self.gateway(wire), "dev", wire)

    def unplug(self) -> None:
        """The carrier is gone, and with it address and routes, as a network manager does it."""
        _run("ip", "-n", self.region, "link", "set", self.far(self.wire), "down")
        _run("ip", "-n", self.namespace, "address", "flush", "dev", self.wire)

    def replug(self) -> None:
        """The same wire and address again."""
        self.plug(self.wire)

    def move(self, to: Wire) -> None:
        """From one wire to the other: the old address is gone, the new one is there."""
        self.unplug()
        self.plug(to)

    def silence(self) -> None:
        """Packets vanish both ways and nobody is told, as behind a dead router."""
        _run("ip", "netns", "exec", self.region, "nft", "-f", "-", text=self._rules())
        self.silenced = True

    def unsilence(self) -> None:
        """They come through again."""
        _run("ip", "netns", "exec", self.region, "nft", "delete", "table", "inet", f"away_{self.name}")
        self.silenced = False

    def _rules(self) -> str:
        links = ", ".join(f'"{self.far(wire)}"' for wire in WIRES)
        chains = [
            f"chain {hook} {{\ntype filter hook {hook} priority 0;\n{sides}\n}}"
            for hook, sides in (
                ("input", f"iifname {{ {links} }} drop;"),
                ("output", f"oifname {{ {links} }} drop;"),
                ("forward", f"iifname {{ {links} }} drop; oifname {{ {links} }} drop;"),
            )
        ]
        return "\n".join([f"table inet away_{self.name} {{", *chains, "}\n"])

    def inside(self, command: list[str]) -> list[str]:
        """A command as it is run on this side."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *command]

    def wrapper(self, folder: Path, program: str) -> Path:
        """A program that starts another one on this side, for those who take only a path."""
        file = folder / f"{Path(program).name}-{self.name}"
        words = " ".join(self.inside([program]))
        file.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        file.chmod(0o700)
        return file

    def call(self, work: Callable[[], Result]) -> Result:
        """Do something of this process on this side; sockets made in it stay there."""
        return within(self.namespace, work)


@dataclass
class Network:
    """Use as a context manager."""

    prefix: str = field(default_factory=lambda: f"hs{os.getpid()}")

    @property
    def region(self) -> str:
        """The region's namespace, which is also the router."""
        return f"{self.prefix}r"

    @cached_property
    def unit(self) -> Side:
        """The health room."""
        return Side("unit", f"{self.prefix}u", self.region, subnet=1)

    @cached_property
    def office(self) -> Side:
        """The clinician."""
        return Side("office", f"{self.prefix}o", self.region, subnet=3)

    def __enter__(self) -> Self:
        try:
            _run("ip", "netns", "add", self.region)
            _run("ip", "-n", self.region, "link", "set", "lo", "up")
            _run("ip", "-n", self.region, "address", "add", f"{REGION_ADDRESS}/32", "dev", "lo")
            _run("ip", "netns", "exec", self.region, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            self.unit.build()
            self.office.build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete the namespaces; veth pairs and rules go with them."""
        for namespace in (self.unit.namespace, self.office.namespace, self.region):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)

    def restore(self) -> None:
        """All lines whole again, on the cable."""
        for side in (self.unit, self.office):
            if side.silenced:
                side.unsilence()
            with suppress(subprocess.CalledProcessError):
                side.unplug()
            side.plug("cable")


def within(namespace: str, work: Callable[[], Result]) -> Result:
    """Do something on a thread that has entered a namespace (setns(2)); the rest of the process stays out."""
    done: list[Any] = []

    def enter_and_work() -> None:
        try:
            with Path(f"/run/netns/{namespace}").open() as handle:
                if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {namespace}")
            done.extend((True, work()))
        except BaseException as error:
            done.extend((False, error))

    thread = threading.Thread(target=enter_and_work)
    thread.start()
    thread.join()
    if not done[0]:
        raise done[1]
    return done[1]  # type: ignore[no-any-return]


def _run(*command: str, text: str | None = None) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, input=text)
