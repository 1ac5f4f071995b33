"""One unit: orders and their life, its room, and whether it may come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clinic_fakes import CANARY

from agent.contract.instructions import text
from web.clinic.fleet.orders import ORDERS, PLAIN, WITH_QUESTION, arguments_said
from web.clinic.fleet.saying import fields_said, first_step
from web.clinic.services import Refused


def sent(fleet) -> list[tuple]:
    return [call for call in fleet.calls if call[0] == "command"]


@pytest.mark.parametrize("name", PLAIN)
def test_a_press_sends_what_changes_nothing(ivar, fleet, name):
    answer = ivar.post(f"/it/unit/u-015/do/{name}")
    assert answer.headers["Location"] == "/it/unit/u-015?said=ordered#orders"
    assert sent(fleet) == [("command", "u-015", name, {}, 900)]
    assert 'data-state="sent"' in ivar.get("/it/unit/u-015").text


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_says_what_it_does_before_it_is_sent(ivar, name):
    page = ivar.get(f"/it/unit/u-015/do/{name}").text
    assert f'action="/it/unit/u-015/do/{name}"' in page
    for argument in WITH_QUESTION.get(name, ()):
        assert f'name="{argument.name}"' in page


@pytest.mark.parametrize(
    ("name", "form", "arguments"),
    [
        ("restart", {"what": "machine"}, {"what": "machine"}),
        ("show-message", {"text": " Åter 14:00 ", "minutes": "90"}, {"text": "Åter 14:00", "minutes": "90"}),
        ("set-clock-source", {"source": "ntp", "servers": "a, b"}, {"source": "ntp", "servers": "a, b"}),
        ("set-clock-source", {"source": "region", "servers": "a"}, {"source": "region"}),
        ("wipe", {"bootstrap": "keep", "name": "u-015"}, {"bootstrap": "keep"}),
    ],
)
def test_an_order_takes_its_arguments_along(ivar, fleet, name, form, arguments):
    assert ivar.post(f"/it/unit/u-015/do/{name}", within="day", **form).status_code == 303
    assert sent(fleet) == [("command", "u-015", name, arguments, 86400)]


@pytest.mark.parametrize(
    ("name", "form", "field"),
    [
        ("restart", {"what": "world"}, "what"),
        ("show-message", {"text": "", "minutes": "5"}, "text"),
        ("show-message", {"text": "x" * 201}, "text"),
        ("wipe", {"bootstrap": "keep", "name": "u-01"}, "name"),
        ("wipe", {"bootstrap": "keep"}, "name"),
    ],
)
def test_a_wrong_order_is_not_sent_and_is_said_at_its_field(ivar, fleet, name, form, field):
    answer = ivar.post(f"/it/unit/u-015/do/{name}", **form)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert sent(fleet) == []


def test_what_the_region_finds_wrong_with_a_text_is_said_at_the_text_which_is_kept(ivar, fleet):
    fleet.refuse["command"] = Refused("text", "holds what looks like a personnummer; whoever stands there")
    answer = ivar.post("/it/unit/u-015/do/show-message", text="811228-9874", minutes="5")
    assert "liknar ett personnummer" in answer.text
    assert 'value="811228-9874"' in answer.text
    assert 'id="text-problem"' in answer.text


def test_two_presses_send_once_and_a_refused_one_can_be_sent_again(ivar, fleet):
    fleet.refuse["command"] = Refused("unit", "has 20 commands waiting; cancel some, or wait")
    answers = [ivar.post("/it/unit/u-015/do/locate", once="n1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [422, 303, 303]
    assert len(sent(fleet)) == 1


def test_an_orders_life_is_seen_and_what_has_not_begun_is_taken_back(ivar, fleet):
    ivar.post("/it/unit/u-015/do/selftest")
    (id_,) = fleet.sent
    fleet.sent[id_] = replace(fleet.sent[id_], state="accepted", reason="a session is on")
    assert "Väntar på ledigt rum" in ivar.get("/api/it/unit/u-015").text
    assert (
        ivar.post(f"/it/unit/u-015/cancel/{id_}")
        .headers["Location"]
        .startswith("/it/unit/u-015?said=cancelled")
    )
    assert "Togs tillbaka" in ivar.get("/it/unit/u-015").text
    again = ivar.post(f"/it/unit/u-015/cancel/{id_}").headers["Location"]
    assert "Kommandot har redan börjat" in ivar.get(again).text
    fleet.sent[id_] = replace(fleet.sent[id_], state="failed", reason=CANARY, result={CANARY: CANARY})
    assert CANARY not in ivar.get("/it/unit/u-015").text


@pytest.mark.parametrize("tail", ["", "/details", "/history", "/config", "/room", "/revoke", "/do/restart"])
def test_a_unit_that_is_not_there_has_no_page(ivar, tail):
    assert ivar.get(f"/it/unit/nobody{tail}").status_code == 404
    assert ivar.get(f"/it/unit/{CANARY.replace('/', '')}{tail}").status_code == 404


def test_an_order_to_a_unit_that_is_gone_and_an_order_that_is_none(ivar, fleet):
    assert ivar.post("/it/unit/nobody/do/locate").status_code == 404
    assert ivar.post("/it/unit/u-015/do/explode").status_code == 404
    assert ivar.get("/it/unit/u-015/do/explode").status_code == 404


def test_it_moves_into_a_free_room_and_out_of_its_own(ivar, fleet):
    assert ivar.post("/it/unit/u-015/room", room="r-free").status_code == 303
    ivar.post("/it/unit/u-015/room", room="")
    assert fleet.calls == [("assign", "r-free", "u-015"), ("assign", "r15", None)]


def test_a_swap_is_made_only_when_it_is_said(ivar, fleet):
    refused = ivar.post("/it/unit/u-015/room", room="r16")
    assert refused.status_code == 422
    assert "u-016 står i rummet" in refused.text
    assert '<option value="r16" selected>' in refused.text
    ivar.post("/it/unit/u-015/room", room="r16", swap="yes")
    assert fleet.calls == [("assign", "r16", "u-015")]
    assert ivar.post("/it/unit/u-015/room", room="nowhere").status_code == 422


def test_a_room_with_a_session_on_is_changed_only_when_that_is_said(ivar, fleet):
    refused = ivar.post("/it/unit/u-015/room", room="r10", swap="yes")
    assert 'id="session-problem"' in refused.text
    assert fleet.calls == []
    ivar.post("/it/unit/u-015/room", room="r10", swap="yes", even_now="yes")
    assert fleet.calls == [("assign", "r10", "u-015")]


@pytest.mark.parametrize("form", [{"reason": "Stulen"}, {"name": "u-015"}, {"reason": "x", "name": "u-016"}])
def test_revoking_needs_reason_and_name(ivar, fleet, form):
    answer = ivar.post("/it/unit/u-015/revoke", **form)
    assert answer.status_code == 422
    assert fleet.calls == []


def test_a_revoked_unit_is_said_to_be_so_and_gets_no_orders_until_it_is_let_in_again(ivar, fleet):
    ivar.post("/it/unit/u-015/revoke", reason="Stulen", name="u-015")
    page = ivar.get("/it/unit/u-015").text
    assert "Spärrad av" in page
    assert 'data-order="restart"' not in page
    ivar.post("/it/unit/u-015/unrevoke")
    assert [call[:2] for call in fleet.calls] == [("revoke", "u-015"), ("unrevoke", "u-015")]
    assert 'data-order="restart"' in ivar.get("/it/unit/u-015").text


@pytest.mark.parametrize(
    ("reason", "faults", "words", "order"),
    [
        ("degraded", ("camera_covered",), text("sv", "camera_covered").do, "selftest"),
        ("lost", (), text("sv", "lost").do, None),
        ("silent", (), text("sv", "lost").do, None),
        ("hot", (), text("sv", "temperature").do, None),
        ("degraded", ("name_service",), "Kontrollera nätverket mellan rummet och regionen.", None),
        ("degraded", ("certificate",), "Förnya certifikatet nu.", "renew-certificate"),
        ("degraded", ("of_a_newer_unit",), "Hämta felsökning från enheten", "collect-diagnostics"),
    ],
)
def test_the_first_step_is_the_rooms_own_instruction_or_what_it_alone_can_do(
    app, fleet, reason, faults, words, order
):
    with app.test_request_context():
        step = first_step(replace(fleet.lines["u-015"], reasons=(reason,)), faults)
    assert words in step["words"]
    assert step["order"] == (order or "")


def test_what_a_self_test_found_is_said_in_words(app):
    with app.test_request_context():
        said = fields_said({"probe_loudspeaker": "-22.1 dB", "warnings": "camera_dark, echo"})
    assert said.startswith("högtalare: -22.1 dB; varningar: ")
    assert text("sv", "camera_dark").fault in said
    assert "camera_dark" not in said


def test_figures_have_units_and_what_a_board_cannot_tell_is_left_out(ivar):
    page = ivar.get("/it/unit/u-015/details").text
    assert "<dd>31 %</dd>" in page
    assert "<dd>51,2 °C</dd>" in page
    assert "1 d 2 tim 3 min" in page
    assert "<dd>nej</dd>" in page


def test_history_and_audit_are_said_in_words(ivar, fleet):
    ivar.post("/it/unit/u-015/do/locate")
    page = ivar.get("/it/unit/u-015/history").text
    assert "Ivar It" in page
    assert "start nr: 7; fingeravtryck: abababababab…</span>" in page
    assert "Ivar It" in ivar.get("/it/audit?target=u-015&by=Ivar").text
    assert "Inget att visa" in ivar.get(f"/it/audit?target={CANARY}").text


@pytest.mark.parametrize("said", ["dancing", CANARY, "x" * 5000])
def test_only_our_own_words_are_said_to_be_done(ivar, said):
    assert (
        'id="said"'
        not in ivar.get(
            "/it/unit/u-015",
        ).text
    )
    assert 'id="said"' not in ivar.client.get("/it/unit/u-015", query_string={"said": said}).text


def test_who_may_send_diagnostics_where_is_not_shown(app):
    with app.test_request_context():
        assert "secret" not in arguments_said({"url": "http://region/diagnostics/secret"})
