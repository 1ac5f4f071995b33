"""Who is told of rooms that are not ready: IT sees, adds, tries and removes; nobody else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recipients_fakes import FakeRecipients

from web.clinic.fleet.recipient_services import RecipientWish
from web.clinic.services import Refused
from web.clinic.state import EXTENSION

FORM = {"clinic": "Kusten", "name": " Vaktmästaren ", "email": "vakt@kusten.example", "language": "en"}


@pytest.fixture
def told():
    return FakeRecipients()


@pytest.fixture
def it(app, told, ivar):
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], recipients=told)
    return ivar


def test_each_clinic_shows_who_is_told_how_and_what_became_of_the_last(it):
    page = it.get("/it/recipients").text
    for words in ("Receptionen", "reception@kusten.example", "larm.norra.example", "Fick veta senast"):
        assert words in page, words
    assert "Mottagaren svarade, men tog inte emot det. (the receiver says 503)" in page
    assert page.index("Kusten</h2>") < page.index("Receptionen") < page.index("Norra vårdcentralen</h2>")


def test_one_is_added_and_the_page_says_to_try_it(it, told):
    answer = it.post("/it/recipients", **FORM, webhook="")
    assert answer.headers["Location"] == "/it/recipients?said=told_from_now"
    wish = RecipientWish("Kusten", "Vaktmästaren", "vakt@kusten.example", None, "en")
    assert told.calls == [("add", wish)]
    assert "Skicka ett prov, så vet du" in it.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    ("changed", "refused", "field", "words"),
    [
        ({"clinic": "Södra"}, None, "clinic", "Välj"),
        ({"name": ""}, None, "name", "behöver fyllas i"),
        ({}, Refused("email", "or webhook is needed: --email x"), "email", "eller en webhook"),
        ({}, Refused("email", "'x' is no address such as a@b.example"), "email", "Skriv en e-postadress"),
        ({}, Refused("webhook", "begins with https://"), "webhook", "ska börja med https://"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(
    it, told, changed, refused, field, words
):
    told.refuses = refused
    answer = it.post("/it/recipients", **{**FORM, **changed})
    assert answer.status_code == 422
    problem = answer.text.partition(f'id="{field}-problem"')[2].partition("</p>")[0]
    assert words in problem
    assert 'value="vakt@kusten.example"' in answer.text


def test_a_test_says_what_became_of_it(it, told):
    assert it.post("/it/recipients/1/try").headers["Location"] == "/it/recipients?said=test_sent"
    told.not_sent = {"email": "no mail server is set: [smtp] in the region's settings"}
    answer = it.post("/it/recipients/1/try")
    assert answer.status_code == 422
    assert "E-post: Regionen har ingen e-postserver inställd." in answer.text
    assert told.calls == [("try", 1), ("try", 1)]


def test_one_is_removed_once_and_one_that_is_gone_is_said(it, told):
    for _ in range(2):
        answer = it.post("/it/recipients/2/remove", once="n7")
        assert answer.headers["Location"] == "/it/recipients?said=told_no_more"
    assert told.calls == [("remove", 2)]
    told.refuses = Refused("recipient", "2 is not known; `halsorum region recipients list` tells them")
    assert "har tagits bort" in it.post("/it/recipients/2/remove").text


def test_it_alone_comes_here_and_nobody_where_the_region_tells_nobody(it, bo, stranger, told, app):
    assert stranger.get("/it/recipients").status_code in {302, 303, 401}
    assert bo.get("/it/recipients").status_code == bo.post("/it/recipients/1/try").status_code == 403
    assert told.calls == []
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], recipients=None)
    assert it.get("/it/recipients").status_code == 404
