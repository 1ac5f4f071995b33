"""Orders to a unit: those that a press sends, those that are asked about first, and how far each has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from agent.contract.commands import FINAL
from web.clinic.fleet import forms
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.reasons import outcome_words
from web.clinic.fleet.saying import ago, fields_said, line_said, short
from web.clinic.fleet.services import CommandLine
from web.clinic.services import Refused
from web.clinic.state import account, texts
from web.clinic.wording import Tone

pages = section("orders")


@dataclass(frozen=True, slots=True)
class Argument:
    """One field of an order's form; a choice if it has options."""

    name: str
    options: tuple[str, ...] = ()
    most: int = forms.MAX_WORDS_CHARS
    default: str = ""


PLAIN = ("selftest", "locate", "collect-diagnostics")
"""A press sends them: they change nothing."""
WITH_QUESTION: dict[str, tuple[Argument, ...]] = {
    "show-message": (Argument("text", most=200), Argument("minutes", default="60")),
    "restart": (Argument("what", options=("agent", "browser", "machine"), default="agent"),),
    "renew-certificate": (),
    "rotate-bootstrap": (),
    "set-clock-source": (
        Argument("source", options=("network", "ntp", "region"), default="network"),
        Argument("servers"),
    ),
    "repair-data": (),
    "wipe": (Argument("bootstrap", options=("keep", "remove"), default="keep"),),
}
"""With what is asked."""
ORDERS = (*PLAIN, *WITH_QUESTION)
DANGEROUS = frozenset({"wipe"})
"""The unit's name is to be typed first."""
CAPABILITIES = frozenset({"url"})
"""Whoever knows it may send what the unit alone is to send: never shown."""
EXPIRES_S = {"now": 900, "day": 24 * 3600, "week": 7 * 24 * 3600}
"""Until when it may begin, as the form offers it."""
_TONES: dict[str, Tone] = {
    "succeeded": "good",
    "failed": "trouble",
    "rejected": "trouble",
    "timed_out": "trouble",
    "expired": "attention",
}


@pages.get("/it/unit/<unit>/do/<name>")
def page(unit: str, name: str) -> str:
    """What the order does, and its question."""
    entered = {argument.name: argument.default for argument in WITH_QUESTION.get(name, ())}
    return _form(unit, name, entered, {})


@pages.post("/it/unit/<unit>/do/<name>")
def order(unit: str, name: str) -> str | Response | tuple[str, int]:
    """Send it."""
    if name not in ORDERS:
        abort(404)
    to = url_for("unit.page", unit=unit)

    def deed() -> str:
        if name in DANGEROUS and request.form.get("name", "").strip() != unit:
            raise forms.Wrong("name", texts()("fleet.wrong.name_again", unit=unit))
        within = EXPIRES_S.get(request.form.get("within", "now"), EXPIRES_S["now"])
        fleet().command(account(), unit, name, arguments_of(name), within)
        return url_for("unit.page", unit=unit, said="ordered") + "#orders"

    known = [argument.name for argument in WITH_QUESTION.get(name, ())]
    done = forms.send(deed, to, known)
    if isinstance(done, Response):
        return done
    return _form(unit, name, request.form.to_dict(), done), 422


@pages.post("/it/unit/<unit>/cancel/<command>")
def cancel(unit: str, command: str) -> Response:
    """Take back what has not begun; what has begun or is over stays so."""
    said = "cancelled"
    try:
        fleet().cancel(account(), command)
    except Refused:
        said = "not_cancelled"
    return forms.redirect_to(url_for("unit.page", unit=unit, said=said) + "#orders")


def arguments_of(name: str) -> dict[str, str]:
    """What this form gives the order; raises Wrong."""
    given: dict[str, str] = {}
    for argument in WITH_QUESTION.get(name, ()):
        value = forms.line(argument.name, argument.most)
        if argument.options and value not in argument.options:
            raise forms.Wrong(argument.name, texts()("refused.choose_one"))
        if value:
            given[argument.name] = value
    if name == "show-message" and not given.get("text"):
        raise forms.Wrong("text", texts()("fleet.wrong.empty"))
    if given.get("source", "ntp") != "ntp":
        given.pop("servers", None)
    return given


def order_said(line: CommandLine) -> dict[str, Any]:
    """An order and how far it has come, in words."""
    t = texts()
    waits = line.state == "accepted" and bool(line.reason)
    return {
        "line": line,
        "name": t.of("fleet.order", line.name),
        "with": arguments_said(line.arguments),
        "state": t("fleet.order_state.deferred") if waits else t.of("fleet.order_state", line.state),
        "tone": _TONES.get(line.state, "attention" if line.state not in FINAL else "quiet"),
        "reason": outcome_words(line.reason, t),
        "result": fields_said(line.result),
        "made": ago(line.made_at),
        "may_cancel": line.state in ("sent", "accepted"),
    }


def arguments_said(arguments: Mapping[str, Any]) -> str:
    """What an order was given, in one line."""
    t = texts()
    said = (
        (t.of("fleet.argument", name), t.of(f"fleet.argument.{name}", value))
        for name, value in arguments.items()
        if name not in CAPABILITIES
    )
    return "; ".join(f"{name}: {short(value)}" for name, value in said)


def _form(unit: str, name: str, entered: dict[str, str], problems: dict[str, str]) -> str:
    if name not in ORDERS:
        abort(404)
    from web.clinic.fleet.unit import find

    told = find(unit)
    return render_template(
        "clinic/fleet/order.html",
        told=told,
        unit=unit,
        shown=line_said(told.line),
        name=name,
        arguments=WITH_QUESTION.get(name, ()),
        dangerous=name in DANGEROUS,
        within=tuple(EXPIRES_S),
        entered=entered,
        problems=problems,
    )
