"""What the invitation's link opens: how the visit goes. It knows nothing of whom it is for."""

from __future__ import annotations

from flask import Blueprint, render_template

pages = Blueprint("visit", __name__)


@pages.get("/visit")
def page() -> str:
    """A page of a few steps. What stands after the link's `#` stays in the browser."""
    return render_template("clinic/visit.html")
