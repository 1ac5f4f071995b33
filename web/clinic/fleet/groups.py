"""Groups: units that share a part of their configuration."""

from __future__ import annotations

import re
from typing import Any

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.fleet import forms
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.saying import line_said
from web.clinic.fleet.services import GroupLine, UnitQuery
from web.clinic.fleet.settings_page import Place, save_section, sections_said, show_section
from web.clinic.state import account, texts

pages = section("groups")
MOST_MEMBERS_SHOWN = 500
MAX_NAME_CHARS, MAX_ABOUT_CHARS, MAX_LIST_CHARS = 40, 200, 100_000
MAX_RANK = 1000
_NAME = re.compile(r"[a-z0-9._-]{1,40}")
_RANK = re.compile(r"-?[0-9]{1,4}")


@pages.get("/it/groups")
def page() -> str:
    """All groups."""
    return _page({})


@pages.post("/it/groups")
def make() -> str | Response | tuple[str, int]:
    """A new one."""

    def deed() -> str:
        name = forms.needed("name", MAX_NAME_CHARS)
        if not _NAME.fullmatch(name):
            raise forms.Wrong("name", texts()("fleet.wrong.group_name"))
        rank = request.form.get("rank", "0").strip() or "0"
        if not _RANK.fullmatch(rank) or abs(int(rank)) > MAX_RANK:
            raise forms.Wrong("rank", texts()("fleet.wrong.rank", most=MAX_RANK))
        fleet().make_group(account(), name, forms.line("about", MAX_ABOUT_CHARS), int(rank))
        return url_for("groups.one", group=name)

    done = forms.send(deed, url_for("groups.page"), ("name", "about", "rank"))
    return done if isinstance(done, Response) else (_page(done), 422)


@pages.get("/it/groups/<group>")
def one(group: str) -> str:
    """Its units and its settings."""
    return _one(_find(group), {})


@pages.post("/it/groups/<group>/members")
def members(group: str) -> str | Response | tuple[str, int]:
    """Units in by name, and units out by their boxes."""
    to = url_for("groups.one", group=group)

    def deed() -> str:
        typed = request.form.get("add", "")
        if len(typed) > MAX_LIST_CHARS:
            raise forms.Wrong("add", texts()("fleet.wrong.long", most=MAX_LIST_CHARS))
        add = tuple(dict.fromkeys(typed.replace(",", " ").split()))
        remove = request.form.getlist("remove")
        if add or remove:
            fleet().set_members(account(), group, add, remove)
        return url_for("groups.one", group=group, said="members")

    done = forms.send(deed, to)
    if isinstance(done, Response):
        return done
    return _one(_find(group), {"add" if name == "form" else name: said for name, said in done.items()}), 422


@pages.post("/it/groups/<group>/drop")
def drop(group: str) -> str | Response | tuple[str, int]:
    """Away with it; its units keep their own settings."""

    def deed() -> str:
        forms.ticked("sure", texts()("fleet.wrong.sure"))
        fleet().drop_group(account(), group)
        return url_for("groups.page", said="dropped")

    done = forms.send(deed, url_for("groups.page"), ("sure",))
    return done if isinstance(done, Response) else (_one(_find(group), done), 422)


@pages.get("/it/groups/<group>/config/<name>")
def edit(group: str, name: str) -> str:
    """A section of its settings."""
    return show_section(_place(_find(group)), name)


@pages.post("/it/groups/<group>/config/<name>")
def save(group: str, name: str) -> str | Response | tuple[str, int]:
    """Set it for all units in the group."""
    return save_section(_place(_find(group)), name)


def _find(group: str) -> GroupLine:
    return next((line for line in fleet().groups(account()) if line.name == group), None) or abort(404)


def _place(line: GroupLine) -> Place:
    return Place(
        heading=line.name,
        own=line.config,
        all=line.config,
        origins={},
        back=url_for("groups.one", group=line.name),
        save=lambda values: fleet().set_group_config(account(), line.name, values),
    )


def _page(problems: dict[str, str]) -> str:
    return render_template(
        "clinic/fleet/groups.html",
        groups=fleet().groups(account()),
        entered=request.form.to_dict(),
        problems=problems,
    )


def _one(line: GroupLine, problems: dict[str, str]) -> str:
    found = fleet().units(account(), UnitQuery(group=line.name, limit=MOST_MEMBERS_SHOWN))
    shown: dict[str, Any] = {
        "group": line,
        "rows": [line_said(unit) for unit in found.units],
        "total": found.total,
        "sections": sections_said(line.config, {}),
        "add": request.form.get("add", ""),
        "problems": problems,
    }
    return render_template("clinic/fleet/group.html", **shown)
