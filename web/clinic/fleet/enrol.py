"""At the door: units that ask to come in, their words, and what IT decides."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.clinic.fleet import forms
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.live import fragment
from web.clinic.fleet.saying import ago, at_clock
from web.clinic.fleet.services import EnrolmentLine
from web.clinic.state import account, texts

pages = section("enrol")
DECIDED_SHOWN = 20
OPEN = frozenset({"waiting", "conflict"})


@pages.get("/it/enrol")
def page() -> str:
    """Who waits, what has been decided lately, and the bootstrap identities that are open or blocked."""
    return _page({})


@pages.get("/api/it/enrol")
def rows() -> Response:
    """Those who wait, alone."""
    return fragment(render_template("clinic/fleet/_door.html", **_door()))


@pages.get("/it/enrol/<int:enrolment>")
def one(enrolment: int) -> str:
    """One that waits, to be decided; or what was decided."""
    line = _find(enrolment)
    return _one(line, _proposal(line), {})


@pages.get("/api/it/enrol/<int:enrolment>")
def standing(enrolment: int) -> Response:
    """How far it is."""
    shown = _said(_find(enrolment))
    return fragment(render_template("clinic/fleet/_standing.html", shown=shown))


@pages.post("/it/enrol/<int:enrolment>/approve")
def approve(enrolment: int) -> str | AnyResponse | tuple[str, int]:
    """Let it in under a name, once its words have been heard."""
    here = url_for("enrol.one", enrolment=enrolment)

    def deed() -> str:
        forms.ticked("heard", texts()("fleet.wrong.heard"))
        unit = forms.unit_name("unit")
        room = request.form.get("room") or None
        if room and room not in {one.id for one in fleet().rooms(account())}:
            raise forms.Wrong("room", texts()("refused.choose_one"))
        fleet().approve(account(), enrolment, unit, room, confirmed=request.form.get("confirmed") == "yes")
        return here

    done = forms.send(deed, here, ("unit", "room"))
    if isinstance(done, AnyResponse):
        return done
    entered = {name: request.form.get(name, "") for name in ("unit", "room", "heard")}
    return _one(_find(enrolment), entered, done), 422


@pages.post("/it/enrol/<int:enrolment>/reject")
def reject(enrolment: int) -> str | AnyResponse | tuple[str, int]:
    """Turn it away, with a reason that its screen shows."""
    here = url_for("enrol.one", enrolment=enrolment)

    def deed() -> str:
        fleet().reject(account(), enrolment, forms.needed("reason", forms.MAX_REASON_CHARS))
        return here

    done = forms.send(deed, here, ("reason",))
    if isinstance(done, AnyResponse):
        return done
    line = _find(enrolment)
    entered = _proposal(line) | {"reason": request.form.get("reason", "")}
    return _one(line, entered, done), 422


@pages.post("/it/bootstrap")
def bootstrap() -> str | AnyResponse | tuple[str, int]:
    """Let a serial number ask again, or let it ask no more."""

    def deed() -> str:
        serial = forms.needed("serial", 63)
        do = request.form.get("do")
        if do not in ("arm", "block"):
            abort(400)
        (fleet().arm if do == "arm" else fleet().block)(account(), serial)
        return url_for("enrol.page", said="armed" if do == "arm" else "blocked")

    done = forms.send(deed, url_for("enrol.page"), ("serial",))
    return done if isinstance(done, AnyResponse) else (_page(done), 422)


def _page(problems: dict[str, str]) -> str:
    lines = fleet().enrolments(account(), all_states=True)
    decided = [_said(line) for line in lines if line.state not in OPEN][:DECIDED_SHOWN]
    identities = [{"line": one, "when": at_clock(one.changed_at)} for one in fleet().bootstraps(account())]
    serial = request.values.get("serial", "")
    return render_template(
        "clinic/fleet/enrol.html",
        decided=decided,
        identities=identities,
        problems=problems,
        serial=serial,
        **_door(),
    )


def _door() -> dict[str, Any]:
    lines = fleet().enrolments(account())
    waiting = sorted(
        (line for line in lines if line.state in OPEN), key=lambda line: (not line.at_the_door, line.asked_at)
    )
    return {"waiting": [_said(line) for line in waiting]}


def _one(line: EnrolmentLine, entered: dict[str, str], problems: dict[str, str]) -> str:
    others = [
        _said(other)
        for other in fleet().enrolments(account())
        if other.serial == line.serial and other.id != line.id and other.state in OPEN
    ]
    return render_template(
        "clinic/fleet/enrolment.html",
        shown=_said(line),
        others=others,
        rooms=fleet().rooms(account()),
        entered=entered,
        problems=problems,
        is_open=line.state in OPEN,
    )


def _proposal(line: EnrolmentLine) -> dict[str, str]:
    """The name proposed, and the room where it stood before.

    By what the region knows of the serial number, never by the name that the box says it had: any box may say
    any name, and would be given that one's room.
    """
    room = next((room.id for room in fleet().rooms(account()) if room.unit == line.proposed_unit), "")
    return {"unit": line.proposed_unit, "room": room}


def _find(enrolment: int) -> EnrolmentLine:
    lines = fleet().enrolments(account(), all_states=True)
    return next((line for line in lines if line.id == enrolment), None) or abort(404)


def _said(line: EnrolmentLine) -> dict[str, Any]:
    t = texts()
    return {
        "line": line,
        "why": t.of("fleet.why", line.why).format(was=line.was or ""),
        "asked": ago(line.asked_at),
        "heard": ago(line.heard_at),
        "state": t.of("fleet.enrolment", line.state),
        "decided": at_clock(line.decided_at),
    }
