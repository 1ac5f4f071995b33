"""The commands of this version by name, and how each may be done. Wiring only.

| command | disturbs | what ends it |
|---|---|---|
| `restart` | yes | the new start |
| `selftest` | yes | the room's test |
| `set-clock-source`, `show-message` | no | itself |
| `locate` | yes | a touch, its time, somebody who comes in |
| `wipe` | yes | agent/wipe_mode.py |
| `update` | where agent/update/deed.py says so | the new system, once proven, or the old one |
| `collect-diagnostics`, `renew-certificate`, `rotate-bootstrap` | as said where they are made | itself |
| `repair-data` | yes | itself |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from agent.commands.clock_source import clock_deed
from agent.commands.deeds import Kind
from agent.commands.locate import LocateDeed
from agent.commands.message import message_deed
from agent.commands.restart import restart_deed
from agent.commands.selftest import SelftestDeed
from agent.commands.wipe import WipeDeed
from agent.helper import Helper
from agent.unit import Unit


def kinds(
    unit: Unit,
    name: str,
    state: Path,
    restart: Callable[[], None],
    others: Mapping[str, Kind],
    *,
    changed_info: Callable[[], None] = lambda: None,
    sees_its_disk: Callable[[], bool] = lambda: True,
) -> dict[str, Kind]:
    """All that this unit can do; `others` are those that other parts of the agent bring."""
    helper = Helper(state / "helper")
    own = {
        "restart": Kind(lambda entry: restart_deed(entry, restart, helper), disturbs=True),
        "selftest": Kind(lambda _entry: SelftestDeed(unit), disturbs=True),
        "set-clock-source": Kind(lambda entry: clock_deed(unit, helper, entry, changed_info)),
        "show-message": Kind(lambda entry: message_deed(unit, entry), alone=False),
        "locate": Kind(lambda entry: LocateDeed(unit, entry), disturbs=True, alone=False),
        "wipe": Kind(
            lambda entry: WipeDeed(unit, entry, name, state, restart, sees_its_disk=sees_its_disk),
            disturbs=True,
        ),
    }
    return {**own, **others}
