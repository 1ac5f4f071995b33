"""Which room a unit stands in, a swap, and whether it may come in at all."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.fleet import forms
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.unit import find, head
from web.clinic.state import account, texts

pages = section("place")


@pages.get("/it/unit/<unit>/room")
def page(unit: str) -> str:
    """The room it stands in, and which it could stand in."""
    return _page(unit, {})


@pages.post("/it/unit/<unit>/room")
def move(unit: str) -> str | Response | tuple[str, int]:
    """Put it into a room, in place of a unit that stands there; or out of its own."""
    to = url_for("unit.page", unit=unit, said="moved")

    def deed() -> str:
        chosen = request.form.get("room", "")
        line, rooms = find(unit).line, {room.id: room for room in fleet().rooms(account())}
        if chosen and chosen not in rooms:
            raise forms.Wrong("room", texts()("refused.choose_one"))
        room = rooms.get(chosen)
        if room is not None and room.unit not in (None, unit):
            forms.ticked("swap", texts()("fleet.wrong.swap", other=room.unit))
        even_now = request.form.get("even_now") == "yes"
        if chosen:
            fleet().assign(account(), chosen, unit, even_now=even_now)
        elif line.room_id:
            fleet().assign(account(), line.room_id, None, even_now=even_now)
        return to

    done = forms.send(deed, to, ("room", "session"))
    return done if isinstance(done, Response) else (_page(unit, done), 422)


@pages.get("/it/unit/<unit>/revoke")
def revoking(unit: str) -> str:
    """What revoking does, and its question."""
    return _revoking(unit, {})


@pages.post("/it/unit/<unit>/revoke")
def revoke(unit: str) -> str | Response | tuple[str, int]:
    """Shut it out, at once."""
    to = url_for("unit.page", unit=unit, said="revoked")

    def deed() -> str:
        reason = forms.needed("reason", forms.MAX_REASON_CHARS)
        if request.form.get("name", "").strip() != unit:
            raise forms.Wrong("name", texts()("fleet.wrong.name_again", unit=unit))
        fleet().revoke(account(), unit, reason)
        return to

    done = forms.send(deed, to, ("reason",))
    return done if isinstance(done, Response) else (_revoking(unit, done), 422)


@pages.post("/it/unit/<unit>/unrevoke")
def unrevoke(unit: str) -> str | Response | tuple[str, int]:
    """Let it in again."""
    to = url_for("unit.page", unit=unit, said="unrevoked")

    def deed() -> str:
        fleet().unrevoke(account(), unit)
        return to

    done = forms.send(deed, to)
    return done if isinstance(done, Response) else (_revoking(unit, done), 422)


def _page(unit: str, problems: dict[str, str]) -> str:
    told = find(unit)
    chosen: Any = request.form.get("room", told.line.room_id or "")
    return render_template(
        "clinic/fleet/room.html",
        rooms=fleet().rooms(account()),
        chosen=chosen,
        problems=problems,
        **head(told),
    )


def _revoking(unit: str, problems: dict[str, str]) -> str:
    return render_template(
        "clinic/fleet/revoke.html", entered=request.form.to_dict(), problems=problems, **head(find(unit))
    )
