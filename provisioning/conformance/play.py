"""Joins the checks to a real broker."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from agent.contract import PREFIX, bootstrap_down_filter, down_filter, up_filter
from provisioning.conformance.checks import Outcome, run_checks
from provisioning.conformance.peer import Connected, Credentials, Patience, Peer
from provisioning.conformance.region_chain_checks import CHAIN
from provisioning.conformance.region_checks import BASIC, LAST, PlayedUnit
from provisioning.conformance.unit_checks import CHECKS, PlayedRegion
from provisioning.conformance.unit_keys import UnitKeys

Told = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Door:
    """A broker's listener, and the identity shown to it."""

    host: str
    port: int
    us: Credentials


def check_region(
    door: Door, told: Told, *, bootstrap: Door | None = None, wait_command_s: float = 0.0
) -> list[Outcome]:
    """Play a unit; raises Broken if the broker does not let it in."""
    name = door.us.name
    with ExitStack() as stack:
        line = _Line(door, Patience(), stack)

        def enter_bootstrap() -> tuple[str, Peer] | None:
            if bootstrap is None:
                return None
            serial = bootstrap.us.name
            return serial, _Line(bootstrap, Patience(), stack).connect(bootstrap_down_filter(serial))

        unit = PlayedUnit(
            name,
            line.connect(down_filter(name)),
            UnitKeys(door.us),
            again=lambda: line.connect(down_filter(name)),
            everything=lambda: line.connect(f"{PREFIX}/+/dn/#", up_filter()),
            bootstrap=enter_bootstrap,
            wait_command_s=wait_command_s,
        )
        return run_checks((*BASIC, *CHAIN, *LAST), unit, told)


def check_unit(door: Door, unit: str, told: Told, *, wait_loss_s: float = 0.0) -> list[Outcome]:
    """Play a region; raises Broken if the broker does not let it in."""
    with ExitStack() as stack:
        peer = _Line(door, Patience(), stack).connect(f"{PREFIX}/{unit}/up/#")
        return run_checks(CHECKS, PlayedRegion(unit, peer, wait_loss_s=wait_loss_s), told)


class _Line:
    """One identity has one connection: a new one takes the place of the one before it."""

    def __init__(self, door: Door, patience: Patience, stack: ExitStack) -> None:
        self._door = door
        self._patience = patience
        self._now = stack.enter_context(ExitStack())

    def connect(self, *filters: str) -> Peer:
        """Connect anew, with these subscriptions."""
        self._now.close()
        door = self._door
        return self._now.enter_context(Connected(door.host, door.port, door.us, filters, self._patience))
