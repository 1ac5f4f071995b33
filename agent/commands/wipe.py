"""`wipe`: this unit is taken out of service. The agent starts anew to do it, with nothing of it open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.commands.deeds import failed
from agent.commands.life import Ended, Entry
from agent.config_kept import kept_values
from agent.unit import Unit
from agent.wiping import Mark, write_mark

FACTS_WITHIN_S = 20
"""What happened in this room's sessions is to reach the meeting log first, if the region can be reached."""
UNSEEN = "the unit works from memory and cannot see its data partition: repair-data first, then wipe"
WAY_TO_THE_REGION = {"broker", "region_ca", "network"}


class WipeDeed:
    """A Deed that does not end: the region hears of its end from agent/wipe_mode.py, which has no journal left."""

    def __init__(
        self,
        unit: Unit,
        entry: Entry,
        name: str,
        state: Path,
        restart: Callable[[], None],
        *,
        sees_its_disk: Callable[[], bool] = lambda: True,
    ) -> None:
        self._unit = unit
        self._sees_its_disk = sees_its_disk
        self._name = name
        self._state = state
        self._restart = restart
        self._entry = entry
        self._ticks = 0

    def begin(self) -> Ended | None:
        """Let the facts go out first. What lies on a disk that cannot be seen now cannot be said to be gone."""
        return None if self._sees_its_disk() else failed(UNSEEN)

    def tick(self) -> None:
        """Mark it and begin anew, once there are no facts left, or after a while."""
        self._ticks += 1
        if self._ticks < FACTS_WITHIN_S and (self._ticks < 2 or self._unit.outbox.pending()):
            return
        mark = Mark(
            command=self._entry.id,
            keep_bootstrap=self._entry.arguments.get("bootstrap", "keep") == "keep",
            unit=self._name,
            boot=self._entry.boot,
            at=self._unit.clock.now().isoformat(),
            config=kept_values(self._unit.store).model_dump_json(include=WAY_TO_THE_REGION),
        )
        write_mark(self._state, mark)
        self._restart()

    def stop(self) -> None:
        """Before the mark nothing has been touched; after it nothing holds it back."""
