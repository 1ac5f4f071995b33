"""What IT's forms share: fields of text with a limit, and refusals at the field they are about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from flask import redirect, request
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response

from agent.contract.body import UnitId
from web.clinic.fleet.reasons import refused_words
from web.clinic.fleet.twice import do_once
from web.clinic.services import Refused
from web.clinic.state import texts

Deed = Callable[[], str]
"""Does what a form asks, and says where to go on."""
MAX_REASON_CHARS = 200
MAX_WORDS_CHARS = 120
_UNIT: TypeAdapter[str] = TypeAdapter(UnitId)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Also the marks that turn the direction of a line: a reason is not to rewrite the words beside it."""


class Wrong(Exception):
    """A form that cannot be taken as it is: which field, and why in the reader's words."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(name)
        self.problems = {name: words}


def line(name: str, most: int = MAX_WORDS_CHARS) -> str:
    """A line of text, without control characters; raises Wrong for one that is too long."""
    said = _CONTROL.sub(" ", request.form.get(name, "")).strip()
    if len(said) > most:
        raise Wrong(name, texts()("fleet.wrong.long", most=most))
    return said


def needed(name: str, most: int = MAX_WORDS_CHARS) -> str:
    """The same, where it may not be empty."""
    said = line(name, most)
    if not said:
        raise Wrong(name, texts()("fleet.wrong.empty"))
    return said


def unit_name(name: str) -> str:
    """A unit's name as the contract allows it; raises Wrong."""
    said = request.form.get(name, "").strip()
    try:
        return _UNIT.validate_python(said)
    except ValidationError:
        raise Wrong(name, texts()("fleet.wrong.unit_name")) from None


def ticked(name: str, words: str) -> None:
    """Raises Wrong with these words unless the box is ticked."""
    if request.form.get(name) != "yes":
        raise Wrong(name, words)


def send(deed: Deed, again: str, known: Iterable[str] = ()) -> Response | dict[str, str]:
    """Do it once and lead on; or what is wrong, by field. What is about no `known` field stands under `form`."""
    try:
        return do_once(deed, again)
    except Wrong as wrong:
        return wrong.problems
    except Refused as refused:
        name = refused.field_name if refused.field_name in set(known) else "form"
        return {name: refused_words(refused, texts())}


def redirect_to(address: str) -> Response:
    """On to a page with GET, after a form (RFC 9110, section 15.4.4)."""
    return redirect(address, code=303)
