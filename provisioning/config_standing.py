"""How far a unit has come with the configuration it shall have. Pure."""

from __future__ import annotations

from typing import cast

from web.clinic.fleet.services import ConfigStanding

_SAID_OF_OURS = frozenset({"deferred", "trial", "rejected", "rolled_back"})
Revision = tuple[int, int]
"""Epoch and rev."""


def standing(ours: Revision, theirs: Revision, state: str, wanted_rev: int) -> ConfigStanding:
    """theirs: in force at the unit; state and wanted_rev as in agent.contract.unit_config.ConfigReport.

    What a unit says of a newer revision than that in force counts only if ours is the one it speaks of; a
    unit that does not say which (0) means the one it was sent.
    """
    if ours[1] == 0:
        return "current"
    if theirs == ours:
        return "trial" if state == "trial" else "current"
    if state in _SAID_OF_OURS and wanted_rev in {0, ours[1]}:
        return cast(ConfigStanding, state)
    return "waiting"
