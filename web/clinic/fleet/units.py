"""IT's front page: how the fleet is, and the list of units with what is wrong first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from flask import Response, render_template, request, url_for

from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.live import fragment
from web.clinic.fleet.saying import TONES, line_said
from web.clinic.fleet.services import ConfigStanding, Health, UnitQuery
from web.clinic.state import account

pages = section("units")
PAGE_UNITS = 50
OPEN_PAGES_SHARE_S = 2.0
MAX_QUERY_CHARS = 120
MAX_OFFSET = 1_000_000
NARROWING = ("text", "health", "clinic", "group", "software", "config")


@pages.get("/it")
def page() -> str:
    """The list, as asked for in the address."""
    query = asked_for()
    groups = [group.name for group in fleet().groups(account())]
    narrowed = any(request.args.get(name) for name in ("clinic", "group", "software", "config"))
    standings = get_args(ConfigStanding)
    return render_template(
        "clinic/fleet/units.html", groups=groups, narrowed=narrowed, standings=standings, **_shown(query)
    )


@pages.get("/api/it/units")
def rows() -> Response:
    """The counts and the list alone, for a page that stays true by itself."""
    return fragment(
        render_template(
            "clinic/fleet/_units.html", **_shown(replace(asked_for(), max_age_s=OPEN_PAGES_SHARE_S))
        )
    )


def asked_for() -> UnitQuery:
    """What the address asks for; what makes no sense is as if it were not there."""
    asked = {name: request.args.get(name, "").strip()[:MAX_QUERY_CHARS] for name in NARROWING}
    health = asked["health"] if asked["health"] in get_args(Health) else None
    standing = asked["config"] if asked["config"] in get_args(ConfigStanding) else None
    number = request.args.get("page", "1")
    number = number if number.isascii() and number.isdigit() else "1"
    return UnitQuery(
        text=asked["text"],
        health=cast("Health | None", health),
        group=asked["group"] or None,
        clinic=asked["clinic"] or None,
        software=asked["software"] or None,
        config=cast("ConfigStanding | None", standing),
        offset=min(MAX_OFFSET, (max(1, int(number[:6])) - 1) * PAGE_UNITS),
        limit=PAGE_UNITS,
    )


def _shown(query: UnitQuery) -> dict[str, Any]:
    found = fleet().units(account(), query)
    if not found.units and query.offset and found.total:
        # The list has grown shorter than the page that is open.
        query = replace(query, offset=(found.total - 1) // PAGE_UNITS * PAGE_UNITS)
        found = fleet().units(account(), query)
    number = query.offset // PAGE_UNITS + 1
    more = query.offset + len(found.units) < found.total
    return {
        "query": query,
        "found": found,
        "at_the_door": found.at_the_door,
        "rows": [line_said(line) for line in found.units],
        "counts": _counts(query, found.counts),
        "everything": sum(found.counts.values()),
        "to_all": _to(query, health=None),
        "first": query.offset + 1,
        "last": query.offset + len(found.units),
        "previous": _to(query, page=number - 1) if number > 1 else None,
        "next": _to(query, page=number + 1) if more else None,
        "rows_at": _to(query, page=number, endpoint="units.rows"),
    }


def _counts(query: UnitQuery, counts: Mapping[Health, int]) -> list[dict[str, Any]]:
    """Each health with its number, as a way to narrow the list; worst first, and none that nobody has."""
    return [
        {"health": health, "count": counts.get(health, 0), "tone": tone, "to": _to(query, health=health)}
        for health, tone in TONES.items()
        if counts.get(health) or query.health == health or health in ("bad", "attention", "good")
    ]


def _to(query: UnitQuery, *, endpoint: str = "units.page", page: int = 1, **changes: str | None) -> str:
    asked = {name: changes.get(name, getattr(query, name)) for name in NARROWING}
    given = {name: value for name, value in asked.items() if value}
    if page > 1:
        given["page"] = str(page)
    return url_for(endpoint, **given)
