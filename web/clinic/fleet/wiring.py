"""IT's pages joined to the region's. Wiring only."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from web.clinic.fleet import (
    audit,
    enrol,
    groups,
    orders,
    place,
    recipients,
    rollout_making,
    rollouts,
    settings_page,
    unit,
    units,
)
from web.clinic.fleet.twice import form_number
from web.clinic.state import clinic, texts

SAID = (
    *("ordered", "cancelled", "not_cancelled", "moved", "revoked", "unrevoked", "armed", "blocked"),
    *("unchanged", "set", "members", "dropped", "pause", "resume", "abort", "not_steered"),
    *("told_from_now", "test_sent", "told_no_more"),
)
"""What a page says has been done, when a form has led there."""


def register(app: Flask) -> None:
    """All of them."""
    for part in (
        units,
        enrol,
        unit,
        orders,
        place,
        settings_page,
        groups,
        rollouts,
        rollout_making,
        recipients,
        audit,
    ):
        app.register_blueprint(part.pages)

    @app.context_processor
    def words() -> dict[str, Any]:
        said = request.args.get("said")
        return {
            "has_fleet": clinic().fleet is not None,
            "once": form_number,
            "said": texts().of("fleet.said", said) if said in SAID else "",
        }
