"""Rollouts: how each goes, and stopping, pausing and resuming it."""

from __future__ import annotations

from typing import Any, Literal, cast

from flask import Response, abort, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from web.clinic.fleet.forms import redirect_to
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.live import fragment
from web.clinic.fleet.orders import arguments_said
from web.clinic.fleet.reasons import outcome_words
from web.clinic.fleet.saying import ago, at_clock, fields_said
from web.clinic.fleet.services import RolloutLine
from web.clinic.services import Refused
from web.clinic.state import account, texts
from web.clinic.wording import Tone

pages = section("rollouts")
ORDERS = {"running": ("pause", "abort"), "paused": ("resume", "abort")}
"""What may be done with one, by its state; one that its threshold has stopped does not go on."""
UNIT_STATES = ("succeeded", "failed", "skipped", "sent", "waiting")
_TONES: dict[str, Tone] = {
    "running": "good",
    "done": "good",
    "paused": "attention",
    "stopped": "trouble",
}


@pages.get("/it/rollouts")
def page() -> str:
    """All of them, newest first."""
    lines = [_said(line) for line in fleet().rollouts(account())]
    return render_template("clinic/fleet/rollouts.html", lines=lines)


@pages.get("/it/rollouts/<int:rollout>")
def one(rollout: int) -> str:
    """One, with its stages."""
    shown = _said(_find(rollout))
    return render_template("clinic/fleet/rollout.html", shown=shown, orders=_orders(shown["line"]))


@pages.get("/api/it/rollouts/<int:rollout>")
def live(rollout: int) -> Response:
    """The same, for a page that stays true by itself."""
    shown = _said(_find(rollout))
    return fragment(render_template("clinic/fleet/_rollout.html", shown=shown, orders=_orders(shown["line"])))


@pages.post("/it/rollouts/<int:rollout>/steer")
def steer(rollout: int) -> AnyResponse:
    """Pause, resume or end it; one that is over stays so."""
    order = request.form.get("order", "")
    if order not in ("pause", "resume", "abort"):
        abort(400)
    said = order
    try:
        fleet().steer(account(), rollout, cast("Literal['pause', 'resume', 'abort']", order))
    except Refused:
        said = "not_steered"
    return redirect_to(url_for("rollouts.one", rollout=rollout, said=said))


def _find(rollout: int) -> RolloutLine:
    try:
        return fleet().rollout(account(), rollout)
    except Refused:
        abort(404)


def _orders(line: RolloutLine) -> tuple[str, ...]:
    return ORDERS.get(line.state, ())


def _said(line: RolloutLine) -> dict[str, Any]:
    t = texts()
    total = sum(line.counts.values())
    return {
        "line": line,
        "state": t.of("fleet.rollout", line.state),
        "tone": _TONES.get(line.state, "quiet"),
        "made": at_clock(line.made_at),
        "changed": ago(line.changed_at),
        "what": _what(line),
        "total": total,
        "through": sum(line.counts.get(state, 0) for state in ("succeeded", "failed", "skipped")),
        "counts": [
            (t.of("fleet.rollout_unit", state), line.counts.get(state, 0), state) for state in UNIT_STATES
        ],
        "stages": [_stage(line, number) for number in range(len(line.stages))],
        "reason": outcome_words(line.reason, t),
        "failed": [
            (unit, outcome_words(reason, t)) for unit, _, state, reason in line.units if state == "failed"
        ],
    }


def _what(line: RolloutLine) -> str:
    t = texts()
    if line.what == "command":
        name = t.of("fleet.order", str(line.payload.get("name", "")))
        arguments = arguments_said(line.payload.get("arguments") or {})
        return f"{name} ({arguments})" if arguments else name
    values = {name: value for name, value in line.payload.items() if name != "staff_pin_digest"}
    hidden = {"staff_pin_digest": t("fleet.set.hidden")} if len(values) < len(line.payload) else {}
    return fields_said({**values, **hidden})


def _stage(line: RolloutLine, number: int) -> dict[str, Any]:
    units = [state for _, stage, state, _ in line.units if stage == number]
    over = [state for state in units if state in ("succeeded", "failed", "skipped")]
    return {
        "number": number + 1,
        "size": line.stages[number],
        "units": len(units),
        "over": len(over),
        "failed": units.count("failed"),
        "now": number == line.stage and line.state in ORDERS,
    }
