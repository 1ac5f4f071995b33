"""Who may see IT's pages, and how their views reach the fleet."""

from __future__ import annotations

from flask import Blueprint, abort

from web.clinic.fleet.services import FleetServices
from web.clinic.services import NotAllowed
from web.clinic.signin import require_sign_in
from web.clinic.state import account, clinic


def section(name: str) -> Blueprint:
    """A part of IT's pages: for those who have signed in in the role of IT."""
    pages = Blueprint(name, __name__)
    pages.before_request(require_sign_in)
    pages.before_request(_require_it)
    return pages


def fleet() -> FleetServices:
    """The fleet; only for views of a section."""
    services = clinic().fleet
    assert services is not None
    return services


def _require_it() -> None:
    if clinic().fleet is None:
        abort(404)
    if account().role != "it":
        raise NotAllowed
