"""Who is told when a booked room of a clinic is not ready: seen, added, tried and removed."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from web.clinic.fleet import forms
from web.clinic.fleet.guard import section
from web.clinic.fleet.reasons import notice_words
from web.clinic.fleet.recipient_services import RecipientLine, RecipientServices, RecipientWish
from web.clinic.fleet.saying import at_clock
from web.clinic.state import account, clinic, texts
from web.clinic.texts import LANGUAGES

pages = section("recipients")
MAX_EMAIL_CHARS, MAX_WEBHOOK_CHARS = 254, 500
FIELDS = ("clinic", "name", "email", "webhook", "language")
Answer = str | Response | tuple[str, int]


@pages.get("/it/recipients")
def page() -> str:
    """All, by clinic, and a form for one more."""
    return _page({})


@pages.post("/it/recipients")
def add() -> Answer:
    """One more."""

    def deed() -> str:
        if request.form.get("clinic") not in _asked().clinics(account()):
            raise forms.Wrong("clinic", texts()("refused.choose_one"))
        wish = RecipientWish(
            clinic=request.form["clinic"],
            name=forms.needed("name"),
            email=forms.line("email", MAX_EMAIL_CHARS) or None,
            webhook=forms.line("webhook", MAX_WEBHOOK_CHARS) or None,
            language=request.form.get("language", LANGUAGES[0]),
        )
        _asked().add_recipient(account(), wish)
        return url_for("recipients.page", said="told_from_now")

    return _sent(deed, FIELDS)


@pages.post("/it/recipients/<int:recipient>/try")
def try_one(recipient: int) -> Answer:
    """Send a test now, and say what became of it."""

    def deed() -> str:
        t, told = texts(), _asked().try_recipient(account(), recipient)
        if not_sent := {way: why for way, why in told.items() if why}:
            words = (f"{t.of('fleet.way', way)}: {notice_words(why, t)}" for way, why in not_sent.items())
            raise forms.Wrong("form", " ".join(words))
        return url_for("recipients.page", said="test_sent")

    return _sent(deed)


@pages.post("/it/recipients/<int:recipient>/remove")
def remove(recipient: int) -> Answer:
    """Told no more; the address is gone."""

    def deed() -> str:
        _asked().remove_recipient(account(), recipient)
        return url_for("recipients.page", said="told_no_more")

    return _sent(deed)


def _sent(deed: forms.Deed, known: tuple[str, ...] = ()) -> Answer:
    done = forms.send(deed, url_for("recipients.page"), known)
    return done if isinstance(done, Response) else (_page(done), 422)


def _asked() -> RecipientServices:
    return clinic().recipients or abort(404)


def _page(problems: dict[str, str]) -> str:
    lines = _asked().recipients(account())
    return render_template(
        "clinic/fleet/recipients.html",
        lines=lines,
        last={line.id: _last(line) for line in lines},
        clinics=_asked().clinics(account()),
        languages_told=LANGUAGES,
        entered=request.form.to_dict(),
        problems=problems,
    )


def _last(line: RecipientLine) -> str:
    """What became of the last notice to one."""
    t = texts()
    if line.last_state is None:
        return t("fleet.told.nothing")
    words = t.of("fleet.told", line.last_state).format(time=at_clock(line.last_at))
    return f"{words} {notice_words(line.last_reason, t)}" if line.last_reason else words
