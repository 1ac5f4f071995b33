"""What is set on a unit or a group: shown with who set it, and changed section by section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.reasons import refused_words, setting_words
from web.clinic.fleet.settings_form import CUTS_OFF, SECTIONS, Field, changes, read, written
from web.clinic.fleet.twice import do_once
from web.clinic.fleet.unit import find, head
from web.clinic.services import Refused
from web.clinic.state import account, texts

pages = section("unit_config")


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings are: `own` is what is set there, `all` what holds with that of others, and from whom."""

    heading: str
    own: Mapping[str, Any]
    all: Mapping[str, Any]
    origins: Mapping[str, str]
    back: str
    save: Callable[[Mapping[str, Any]], None]


@pages.get("/it/unit/<unit>/config")
def page(unit: str) -> str:
    """All that is set, and by whom."""
    told = find(unit)
    sections = sections_said(told.config, told.origins)
    return render_template("clinic/fleet/config.html", sections=sections, **head(told))


@pages.get("/it/unit/<unit>/config/<name>")
def edit(unit: str, name: str) -> str:
    """One section as a form."""
    return show_section(_place(unit), name)


@pages.post("/it/unit/<unit>/config/<name>")
def save(unit: str, name: str) -> str | Response | tuple[str, int]:
    """Set it, or say at its field what is wrong."""
    return save_section(_place(unit), name)


def sections_said(config: Mapping[str, Any], origins: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each section with its fields that have a value."""
    return [
        {"name": name, "fields": [_field_said(field, config, origins) for field in fields]}
        for name, fields in SECTIONS.items()
    ]


def fields_of(name: str) -> tuple[Field, ...]:
    """A section's fields; 404 for none."""
    return SECTIONS[name] if name in SECTIONS else abort(404)


def show_section(place: Place, name: str) -> str:
    """A section's form with what is set here."""
    fields = fields_of(name)
    return _section(place, name, written(place.own, fields), {}, _digest(place, fields))


def save_section(place: Place, name: str) -> str | Response | tuple[str, int]:
    """Set what a form says; or the form again as it was filled in, with what is wrong at its field."""
    fields = fields_of(name)
    entered = entered_in(fields)
    filled, digest = read(request.form, fields), _digest(place, fields)
    problems = problems_of(filled.wrong)
    if not problems and request.form.get("seen") != digest:
        problems = {"form": texts()("fleet.set.meanwhile")}
        return _section(place, name, entered, problems, digest), 409
    if not problems:
        wanted = changes(filled.values, place.own)
        try:
            return do_once(lambda: _saved(place, wanted), place.back)
        except Refused as refused:
            problems = {at_field(refused.field_name, fields): refused_words(refused, texts())}
    return _section(place, name, entered, problems, digest), 422


def problems_of(wrong: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by field, in words."""
    t = texts()
    return {path: setting_words(path, reason, t) for path, reason in wrong.items()}


def at_field(name: str, fields: Sequence[Field]) -> str:
    """The field that a refusal is about; the section's first of that part, or the form itself."""
    paths = [field.path for field in fields]
    if name in paths:
        return name
    top = name.partition(".")[0]
    return next((path for path in paths if path.partition(".")[0] == top), "form")


def entered_in(fields: Sequence[Field]) -> dict[str, list[str]]:
    """What the form holds, as it was typed; a PIN is typed anew."""
    return {field.path: request.form.getlist(field.path) for field in fields if field.kind != "pin"}


def _saved(place: Place, wanted: Mapping[str, Any]) -> str:
    if not wanted:
        return place.back + "?said=unchanged"
    place.save(wanted)
    return place.back + "?said=set"


def _place(unit: str) -> Place:
    told = find(unit)
    own = {name: told.config.get(name) for name, whose in told.origins.items() if whose == "unit"}
    return Place(
        heading=unit,
        own=own,
        all=told.config,
        origins=told.origins,
        back=url_for("unit_config.page", unit=unit),
        save=lambda values: fleet().set_config(account(), unit, values),
    )


def _section(
    place: Place, name: str, entered: Mapping[str, list[str]], problems: Mapping[str, str], digest: str
) -> str:
    return render_template(
        "clinic/fleet/section.html",
        place=place,
        name=name,
        fields=[_field_said(field, place.all, place.origins) for field in fields_of(name)],
        entered=entered,
        problems=problems,
        digest=digest,
        cuts_off=name in CUTS_OFF,
    )


def _field_said(field: Field, config: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, Any]:
    t = texts()
    whose = origins.get(field.top, "")
    value = ", ".join(
        t.of("fleet.option", one) if field.kind in ("choice", "switch", "many") else one
        for one in written(config, [field]).get(field.path, [])
    )
    if field.kind == "pin" and whose:
        value = t("fleet.set.hidden")
    group = whose.removeprefix("group:")
    by = t("fleet.set.by_group", group=group) if group != whose else t.of("fleet.set.by", whose or "here")
    return {"field": field, "value": value, "by": by if value else ""}


def _digest(place: Place, fields: Sequence[Field]) -> str:
    """Of what a form was drawn from, to see that nobody has changed it meanwhile."""
    tops = {field.top for field in fields}
    seen = [{name: values.get(name) for name in sorted(tops)} for values in (place.own, place.all)]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:16]
