"""Collects the bundle, checks it and sends it: what the command `collect-diagnostics` does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from agent.config import Settings
from agent.diagnostics import machine_parts, unit_parts
from agent.diagnostics.bundle import Bundle, pack
from agent.diagnostics.log_ring import LogRing
from agent.diagnostics.network_path import Way, network_path
from agent.diagnostics.parts import Collect, collect
from agent.diagnostics.personal import Scanner
from agent.diagnostics.upload import put, refuse_address
from agent.identity import Identity
from agent.unit import Unit

log = logging.getLogger(__name__)

PARTS_WITHIN_S = 40.0
"""The network path asks several servers that may all be silent."""


@dataclass(slots=True)
class Diagnostics:
    """Used on the event loop. What a part needs of others is asked for when a bundle is made."""

    settings: Settings
    identity: Identity
    unit: Unit
    ring: LogRing
    way: Callable[[], Way]
    more: dict[str, Collect] = field(default_factory=dict)
    """Further parts by file name, of other rooms of the agent."""

    async def collect_and_send(self, url: str) -> dict[str, str]:
        """Make a bundle and put it there; what became of it, as a command's result.

        Raises UploadError, bundle.NotClean or ValueError, in words for the command's report.
        """
        refuse_address(url)
        bundle = await self.collect()
        way = self.way()
        await asyncio.to_thread(
            put,
            url,
            bundle.data,
            bytes.fromhex(bundle.sha256),
            ca_file=way.ca_file,
            extra_ca=way.extra_ca,
            proxy=way.proxy,
        )
        log.info("diagnostics sent, %d bytes", len(bundle.data))
        return {
            "bytes": str(len(bundle.data)),
            "digest": bundle.sha256,
            "masked": str(sum(bundle.masked.values())),
            "missing": ", ".join(bundle.faults)[:400],
        }

    async def collect(self) -> Bundle:
        """Collect, mask and pack; raises bundle.NotClean or ValueError."""
        persons = set(unit_parts.words_of_persons(self.unit))
        parts = await collect(self._collectors(), PARTS_WITHIN_S)
        # Somebody may have come in meanwhile.
        persons |= set(unit_parts.words_of_persons(self.unit))
        scanner = Scanner(persons, allowed=(self.unit.configuration.phone, self.settings.phone))
        return await asyncio.to_thread(pack, parts, scanner, self.unit.clock.now())

    def _collectors(self) -> Mapping[str, Collect]:
        unit, settings = self.unit, self.settings
        return {
            "journal.txt": partial(machine_parts.journal, self.ring.text),
            "configuration.json": _now(partial(unit_parts.configuration, unit, settings)),
            "unit.json": _now(partial(unit_parts.standing, unit, self.identity)),
            "devices.json": machine_parts.devices,
            "versions.json": machine_parts.versions,
            "stores.json": partial(machine_parts.store_sizes, settings.state_dir),
            "network.json": partial(network_path, self.way()),
            **self.more,
        }


def _now(ask: Collect) -> Collect:
    """The answer of this moment, on this thread: the unit's memory is the event loop's. An error is told later."""
    try:
        found = ask()
    except Exception as error:
        return partial(_raise, error)
    return lambda: found


def _raise(error: Exception) -> None:
    raise error
