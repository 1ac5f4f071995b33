"""Who of IT did what, to what."""

from __future__ import annotations

from flask import render_template, request

from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.unit import audit_said
from web.clinic.state import account

pages = section("audit")
SHOWN = 200
MAX_QUERY_CHARS = 120


@pages.get("/it/audit")
def page() -> str:
    """The latest, of one target or one person where asked for."""
    target, by = (request.args.get(name, "").strip()[:MAX_QUERY_CHARS] for name in ("target", "by"))
    lines = fleet().audit(account(), target=target or None, by=by or None, limit=SHOWN)
    return render_template(
        "clinic/fleet/audit.html", lines=audit_said(lines), target=target, by=by, most=SHOWN
    )
