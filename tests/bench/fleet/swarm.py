"""A process full of played units, told what to do over a pipe. One thread, one selector, no busy loop.

| told | answers |
|---|---|
| `("start",)` | connects all now; True |
| `("count", revs, since)` | how many are connected since then, heard by the region, and served these revisions |
| `("look",)` | every unit's `Seen`, and what went wrong with connections since the last look |
| `("seen", names)` | these units' `Seen` |
| `("silence", names)` | these say and hear nothing more, with their sockets open: a unit whose power is cut |
| `("wake", names)` | these connect anew |
| `("stop",)` | disconnects all and ends |

It ends by itself when its pipe closes, or after `life_s`.
"""

from __future__ import annotations

import gc
import resource
import selectors
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from tests.bench.fleet.connection import Connection
from tests.bench.fleet.played_unit import NEVER, PlayedUnit

TICK_S = 0.05
Revisions = Mapping[str, tuple[int, int]]


def run(
    pipe: Pipe, names: Sequence[tuple[str, str]], identities: Path, address: tuple[str, int], life_s: float
) -> None:
    """The process; `names` holds each unit's name and its certificate's SHA-256."""
    Swarm(pipe, names, identities, address).run(life_s)


class Swarm:
    """Its units, and what is done when told."""

    def __init__(
        self, pipe: Pipe, names: Sequence[tuple[str, str]], identities: Path, address: tuple[str, int]
    ) -> None:
        self._pipe = pipe
        self._selector = selectors.EpollSelector()
        self._selector.register(pipe, selectors.EVENT_READ, None)
        self._units: dict[str, Connection] = {}
        for name, digest in names:
            files = (identities / "ca.pem", identities / f"{name}.pem", identities / f"{name}.key")
            self._units[name] = Connection(PlayedUnit(name, digest), address, files, self._selector)
        self._over = False
        gc.freeze()
        pipe.send(True)

    def run(self, life_s: float) -> None:
        """Until told to stop."""
        until = time.monotonic() + life_s
        next_tick = 0.0
        while not self._over and time.monotonic() < until:
            for key, mask in self._selector.select(TICK_S):
                if key.data is None:
                    self._obey()
                else:
                    key.data.ready(mask)
            now = time.monotonic()
            if now >= next_tick:
                next_tick = now + TICK_S
                for unit in self._units.values():
                    unit.tick(now)
        for unit in self._units.values():
            unit.stop()

    def _obey(self) -> None:
        try:
            word, *given = self._pipe.recv()
        except EOFError:
            self._over = True
            return
        self._pipe.send(getattr(self, f"_told_{word}")(*given))

    def _told_start(self) -> bool:
        for unit in self._units.values():
            unit.start()
        return True

    def _told_count(self, revs: Revisions | None, since: float) -> dict[str, int]:
        counted = dict.fromkeys(("connected", "acked", "served"), 0)
        for name, unit in self._units.items():
            seen = unit.unit.seen
            if not unit.up or seen.connected_at is None or seen.connected_at < since:
                continue
            counted["connected"] += 1
            counted["acked"] += seen.acked_at is not None
            counted["served"] += seen.served != NEVER and (revs is None or seen.served == revs[name])
        return counted

    def _told_look(self) -> dict[str, Any]:
        faults: dict[str, int] = {}
        for unit in self._units.values():
            for why, count in unit.faults.items():
                faults[why] = faults.get(why, 0) + count
            unit.faults.clear()
        return {
            "units": {name: asdict(unit.unit.seen) for name, unit in self._units.items()},
            "attempts": sum(unit.attempts for unit in self._units.values()),
            "faults": faults,
            "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    def _told_seen(self, names: Sequence[str]) -> dict[str, Any]:
        return {name: asdict(self._units[name].unit.seen) for name in names}

    def _told_silence(self, names: Sequence[str]) -> bool:
        for name in names:
            self._units[name].silent = True
        return True

    def _told_wake(self, names: Sequence[str]) -> bool:
        for name in names:
            self._units[name].drop()
            self._units[name].start()
        return True

    def _told_stop(self) -> bool:
        self._over = True
        return True
