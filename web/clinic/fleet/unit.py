"""One unit: how it is and what to do first, what is known of it, and what has happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, render_template

from agent.contract.instructions import text
from web.clinic.fleet.figures import figures_said
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.live import fragment
from web.clinic.fleet.orders import PLAIN, WITH_QUESTION, order_said
from web.clinic.fleet.saying import ago, at_clock, fields_said, first_step, line_said, on_day, short
from web.clinic.fleet.services import AuditLine, UnitPage
from web.clinic.services import Refused
from web.clinic.state import account, texts

pages = section("unit")
ORDERS_SHOWN = 6
SHOWN_OF_INFO = (
    *("software", "image", "slot", "board", "system", "serial", "addresses", "encoder", "camera", "clock"),
    "storage",
    *("certificate_sha256", "bootstrap_sha256", "abilities", "commands"),
)


@pages.get("/it/unit/<unit>")
def page(unit: str) -> str:
    """How it is now."""
    return render_template("clinic/fleet/unit.html", plain=PLAIN, asked=WITH_QUESTION, **now(find(unit)))


@pages.get("/api/it/unit/<unit>")
def live(unit: str) -> Response:
    """The same without its buttons, for a page that stays true by itself."""
    return fragment(render_template("clinic/fleet/_unit_now.html", **now(find(unit))))


@pages.get("/it/unit/<unit>/details")
def details(unit: str) -> str:
    """Figures, certificates, and what it says of itself."""
    told, t = find(unit), texts()
    info = [
        (t.of("fleet.info", name), short(told.info[name])) for name in SHOWN_OF_INFO if told.info.get(name)
    ]
    certificates = [
        {
            "line": one,
            "purpose": t.of("fleet.purpose", one.purpose),
            "issued": on_day(one.issued_at),
            "until": on_day(one.not_after),
            "proven": at_clock(one.proven_at),
        }
        for one in told.certificates
    ]
    return render_template(
        "clinic/fleet/details.html",
        info=info,
        certificates=certificates,
        figures=figures_said(told.telemetry),
        figures_at=ago(told.telemetry_at) if told.telemetry_at else "",
        **head(told),
    )


@pages.get("/it/unit/<unit>/history")
def history(unit: str) -> str:
    """What has happened to it, and who did what."""
    told, t = find(unit), texts()
    happened = [
        {"at": at_clock(line.at), "what": t.of("fleet.kind", line.kind), "with": fields_said(line.fields)}
        for line in told.history
    ]
    return render_template(
        "clinic/fleet/history.html", happened=happened, audit=audit_said(told.audit), **head(told)
    )


def find(unit: str) -> UnitPage:
    """The unit, or the page that says that there is none."""
    try:
        return fleet().unit(account(), unit)
    except Refused:
        abort(404)


def head(told: UnitPage) -> dict[str, Any]:
    """What every page of a unit has above."""
    return {"told": told, "unit": told.line.id, "shown": line_said(told.line)}


def now(told: UnitPage) -> dict[str, Any]:
    """The first page of a unit."""
    t = texts()
    return head(told) | {
        "step": first_step(told.line, told.faults),
        "faults": [text(t.language, fault).fault for fault in told.faults],
        "orders": [order_said(order) for order in told.commands[:ORDERS_SHOWN]],
        "revoked_at": at_clock(told.revoked.at) if told.revoked else "",
    }


def audit_said(lines: Sequence[AuditLine]) -> list[dict[str, str]]:
    """Who did what, in words."""
    t = texts()
    return [
        {
            "at": at_clock(line.at),
            "by": t("fleet.by_region") if line.by == "region" else line.by,
            "action": t.of("fleet.action", line.action),
            "target": line.target,
            "with": fields_said(line.fields),
        }
        for line in lines
    ]
