"""One press of a button is one deed: a form that is sent twice leads to where the first one led."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from flask import redirect, request
from werkzeug.wrappers import Response

from web.clinic.state import account, clinic

FIELD = "once"
MAX_CHARS = 40
MAX_KEPT = 500


class Deeds:
    """Forms by their own number, and where each led; in this process's memory. The oldest gives way."""

    def __init__(self) -> None:
        self._led: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def begin(self, owner: str, number: str, meanwhile: str) -> str | None:
        """None for the first who comes with this number; for others where that one led, or leads meanwhile."""
        with self._lock:
            if (led := self._led.get((owner, number))) is not None:
                return led
            self._led[owner, number] = meanwhile
            while len(self._led) > MAX_KEPT:
                self._led.popitem(last=False)
            return None

    def end(self, owner: str, number: str, led: str | None) -> None:
        """It led there; None: it was refused, and may be tried again."""
        with self._lock:
            if led is None:
                self._led.pop((owner, number), None)
            else:
                self._led[owner, number] = led


def form_number() -> str:
    """A number for a form that is being drawn."""
    return secrets.token_urlsafe(12)


def do_once(deed: Callable[[], str], meanwhile: str) -> Response:
    """Do what this form asks, unless it has been done, and lead to the address that the deed returns.

    meanwhile: where a second press leads while the first goes on. What the deed raises goes on to the caller.
    """
    deeds, owner, number = clinic().deeds, account().id, request.form.get(FIELD, "")
    if not number or len(number) > MAX_CHARS:
        return redirect(deed(), code=303)
    if (led := deeds.begin(owner, number, meanwhile)) is not None:
        return redirect(led, code=303)
    led = None
    try:
        led = deed()
    finally:
        deeds.end(owner, number, led)
    return redirect(led, code=303)
