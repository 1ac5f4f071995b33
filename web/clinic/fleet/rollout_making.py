"""A new rollout: what, to whom, in which stages; counted out before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.fleet import forms, orders, stages
from web.clinic.fleet.guard import fleet, section
from web.clinic.fleet.services import RolloutRequest, UnitQuery
from web.clinic.fleet.settings_form import CUTS_OFF, SECTIONS, read
from web.clinic.fleet.settings_page import entered_in, problems_of
from web.clinic.state import account, texts

pages = section("rollout_making")
COMMANDS = (
    "restart",
    "selftest",
    "renew-certificate",
    "show-message",
    "set-clock-source",
)
"""What may go to many at once; the others are for one unit and somebody who thinks of it."""
MAX_UNITS = 100_000
MAX_LIST_CHARS = 100_000
WAIT_MIN = range(1, 24 * 60 + 1)
DEFAULTS = {"stages": "1, 10%, 100%", "failures": "5%", "wait": "5", "whom": "groups"}
COMMAND_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Count:
    """What a rollout would mean."""

    units: int
    sizes: tuple[int, ...]
    first: int
    """How many of the first stage may fail, and of all."""
    failures: int


@pages.get("/it/rollouts/new")
def choose() -> str:
    """What shall go out."""
    return render_template("clinic/fleet/rollout_choose.html", commands=COMMANDS, sections=tuple(SECTIONS))


@pages.get("/it/rollouts/new/<what>/<name>")
def page(what: str, name: str) -> str:
    """The form, with careful stages filled in."""
    entered = {argument.name: argument.default for argument in orders.WITH_QUESTION.get(name, ())}
    return _form(what, name, DEFAULTS | entered, {}, None)


@pages.post("/it/rollouts/new/<what>/<name>")
def make(what: str, name: str) -> str | Response | tuple[str, int]:
    """Count it out; begin it when that has been seen."""
    _check(what, name)
    problems: dict[str, str] = {}
    asked = _request(what, name, problems)
    count = _count(asked) if asked else None
    if count and not count.units:
        problems["whom"] = texts()("fleet.wrong.nobody")
    if asked and count and not problems and request.form.get("do") == "begin":
        if request.form.get("counted") != str(count.units):
            problems["form"] = texts()("fleet.wrong.count_changed", count=count.units)
        else:
            done = forms.send(
                lambda: _begun(asked), url_for("rollouts.page"), ("title", "stages", "failures")
            )
            if isinstance(done, Response):
                return done
            problems |= done
    form = _form(what, name, request.form.to_dict(), problems, None if problems else count)
    return (form, 422) if problems else form


def _begun(asked: RolloutRequest) -> str:
    return url_for("rollouts.one", rollout=fleet().roll_out(account(), asked))


def _check(what: str, name: str) -> None:
    if name not in {"command": COMMANDS, "config": tuple(SECTIONS)}.get(what, ()):
        abort(404)


def _request(what: str, name: str, problems: dict[str, str]) -> RolloutRequest | None:
    """What the form asks for; None, and what is wrong by field, if it cannot be."""
    t, form = texts(), request.form
    payload = _payload(what, name, problems)
    asked: dict[str, Any] = {"stages": DEFAULTS["stages"], "failures": DEFAULTS["failures"], "title": ""}
    for field, parse in (("stages", stages.parse), ("failures", stages.threshold)):
        try:
            asked[field] = parse(form.get(field, ""))
        except ValueError:
            problems[field] = t.of("fleet.wrong", field)
    try:
        asked["title"] = forms.needed("title")
    except forms.Wrong as wrong:
        problems |= wrong.problems
    wait = form.get("wait", "").strip()
    if not (wait.isascii() and wait.isdigit() and int(wait[:6]) in WAIT_MIN):
        problems["wait"] = t("fleet.wrong.wait", most=WAIT_MIN[-1])
    units, groups = _whom(problems)
    if problems:
        return None
    return RolloutRequest(
        what="command" if what == "command" else "config",
        title=asked["title"],
        payload=payload,
        units=units,
        groups=groups,
        stages=asked["stages"],
        failures_allowed=asked["failures"],
        wait_s=int(wait) * 60,
    )


def _payload(what: str, name: str, problems: dict[str, str]) -> dict[str, Any]:
    if what == "config":
        fields = SECTIONS[name]
        filled = read(request.form, fields)
        problems |= problems_of(filled.wrong)
        values = {path: value for path, value in filled.values.items() if value is not None}
        if not values and not problems:
            problems["form"] = texts()("fleet.wrong.nothing")
        return values
    try:
        arguments = orders.arguments_of(name)
    except forms.Wrong as wrong:
        problems |= wrong.problems
        return {}
    within = orders.EXPIRES_S.get(request.form.get("within", "day"), orders.EXPIRES_S["day"])
    return {"name": name, "arguments": arguments, "expires_in_s": within, "timeout_s": COMMAND_TIMEOUT_S}


def _whom(problems: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Units by name and groups; neither for all."""
    t, whom, typed = texts(), request.form.get("whom"), request.form.get("units", "")
    units = tuple(dict.fromkeys(typed.replace(",", " ").split())) if len(typed) <= MAX_LIST_CHARS else ()
    known = {group.name for group in fleet().groups(account())}
    groups = tuple(name for name in request.form.getlist("groups") if name in known)
    if whom == "units" and not units:
        problems["whom"] = t("fleet.wrong.whom")
    if whom == "groups" and not groups:
        problems["whom"] = t("fleet.wrong.whom")
    if whom not in ("all", "units", "groups"):
        problems["whom"] = t("refused.choose_one")
    return (units if whom == "units" else (), groups if whom == "groups" else ())


def _count(asked: RolloutRequest) -> Count:
    """How many units it would reach, as the fleet is now."""
    total = len(asked.units)
    if asked.groups:
        lists = (fleet().units(account(), UnitQuery(group=group, limit=MAX_UNITS)) for group in asked.groups)
        total = len({line.id for found in lists for line in found.units})
    elif not asked.units:
        total = fleet().units(account(), UnitQuery(limit=1)).total
    sizes = stages.sizes(total, asked.stages)
    first, failures = (
        stages.failures(units, asked.failures_allowed) for units in (sizes[0] if sizes else 0, total)
    )
    return Count(total, sizes, first, failures)


def _form(
    what: str, name: str, entered: dict[str, str], problems: dict[str, str], count: Count | None
) -> str:
    _check(what, name)
    fields = SECTIONS[name] if what == "config" else ()
    values = entered_in(fields) if request.method == "POST" else {}
    return render_template(
        "clinic/fleet/rollout_new.html",
        what=what,
        name=name,
        fields=[{"field": field, "value": "", "by": ""} for field in fields],
        arguments=orders.WITH_QUESTION.get(name, ()) if what == "command" else (),
        within=tuple(orders.EXPIRES_S),
        values=values,
        groups=fleet().groups(account()),
        chosen_groups=request.form.getlist("groups"),
        entered=entered,
        problems=problems,
        count=count,
        cuts_off=name in CUTS_OFF and what == "config",
    )
