"""Joins updates to the agent's commands. Wiring only."""

from __future__ import annotations

from collections.abc import Callable

from agent.commands.deeds import Kind
from agent.config import Settings
from agent.diagnostics.network_path import Way
from agent.helper import Helper
from agent.unit import Unit
from agent.update.deed import Parts, UpdateDeed
from agent.update.download import Trust
from agent.update.proof import Proof
from agent.update.told import Told
from agent.wire import Wire

ANSWER_WITHIN_S = 120.0
"""Root looks at a bundle's signature first, and RAUC's service may have to start."""


def update_kinds(
    settings: Settings, unit: Unit, wire: Wire, *, way: Callable[[], Way], screen_alive: Callable[[], bool]
) -> dict[str, Kind]:
    """`update`, on a unit whose settings say where bundles go; elsewhere nothing, and the unit says it cannot."""
    if settings.update_dir is None:
        return {}

    def trust() -> Trust:
        now = way()
        return Trust(now.ca_file, now.extra_ca, now.proxy)

    proof = Proof(unit, screen_alive)
    wire.after_ack(proof.heard)
    parts = Parts(
        unit=unit,
        store=unit.store,
        folder=settings.update_dir,
        ask=Helper(settings.state_dir / "update", ANSWER_WITHIN_S).ask,
        told=Told(),
        proof=proof,
        trust=trust,
        changed_info=wire.info_changed,
    )
    return {"update": Kind(lambda entry: UpdateDeed(parts, entry), alone=False)}
