from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from clinic_fakes import CANARY, SID, TOKEN

FORM = {
    "room": "r1",
    "date": "2026-03-02",
    "time": "13:15",
    "length": "45",
    "language": "sv",
    "methods": ["code", "qr", "staff"],
    "waiting_room": "yes",
}


def test_a_booking_leads_to_an_invitation_that_is_shown_once(anna, region):
    answer = anna.post("/booking", **FORM)
    assert answer.status_code == 303
    page = anna.get(answer.headers["Location"]).text
    assert "314 159" in page
    assert f"/visit#{TOKEN}" in page
    assert "<svg" in page
    again = anna.get(answer.headers["Location"])
    assert again.status_code == 410
    assert "314" not in again.text
    (row,) = region.rows.values()
    assert row.start == datetime(2026, 3, 2, 12, 15, tzinfo=UTC)  # Swedish winter
    assert row.end - row.start == timedelta(minutes=45)


def test_an_invitation_without_check_in_by_qr_shows_no_code_to_hold_up(anna, region):
    with_qr = anna.get(anna.post("/booking", **FORM).headers["Location"]).text
    region.rows.clear()
    without = anna.get(anna.post("/booking", **FORM | {"methods": ["code"]}).headers["Location"]).text
    assert ("<svg" in with_qr, "<svg" in without) == (True, False)
    assert ("håll upp den mot kameran" in with_qr, "håll upp den mot kameran" in without) == (True, False)
    assert 'href="http://localhost/visit"' in without


def test_an_invitation_is_for_the_one_who_booked(anna, bo):
    where = anna.post("/booking", **FORM).headers["Location"]
    assert bo.get(where).status_code == 410
    assert anna.get(where).status_code == 200


def test_a_clash_is_told_at_the_time_and_keeps_what_was_entered(anna, region):
    start = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    region.add(start=start, end=start + timedelta(minutes=30))
    answer = anna.post("/booking", **FORM)
    assert answer.status_code == 409
    assert 'id="time-problem"' in answer.text
    assert "Rummet är bokat &lt;script&gt;" in answer.text
    assert "(A17). Välj en annan tid" in answer.text
    assert CANARY not in answer.text
    assert 'value="13:15"' in answer.text
    assert len(region.rows) == 1


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("room", "r9", "room"),
        ("date", "2026-02-30", "date"),
        ("time", "25:00", "time"),
        ("length", "31", "length"),
        ("language", "xx", "language"),
        ("methods", ["retina"], "methods"),
    ],
)
def test_a_bad_field_is_told_at_the_field(anna, region, field, value, at):
    answer = anna.post("/booking", **(FORM | {field: value}))
    assert answer.status_code == 422
    assert f'id="{at}-problem"' in answer.text
    assert not region.rows


def test_moving_and_cancelling(anna, region):
    region.add()
    moved = anna.post(f"/sessions/{SID}/move", date="2026-03-03", time="08:00", length="20")
    assert moved.headers["Location"] == f"/sessions/{SID}"
    assert region.rows[SID].start == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    anna.post(f"/sessions/{SID}/cancel")
    assert region.rows[SID].state == "cancelled"
    assert 'id="move"' not in anna.get(f"/sessions/{SID}").text


def test_moving_onto_another_booking_is_told(anna, region):
    region.add()
    region.add(
        "b" * 12, ref="A18", start=region.now + timedelta(hours=2), end=region.now + timedelta(hours=3)
    )
    answer = anna.post(f"/sessions/{SID}/move", date="2026-03-02", time="12:15", length="20")
    assert answer.status_code == 409
    assert "(A18). Välj en annan tid" in answer.text
    assert region.rows[SID].start == region.now


def test_cancelling_what_has_begun_is_refused_with_the_reason(anna, region):
    region.add(state="in_call")
    answer = anna.post(f"/sessions/{SID}/cancel")
    assert "It has begun." in answer.text


def test_a_session_that_does_not_exist_or_is_anothers(anna, region):
    assert anna.get("/sessions/nothing").status_code == 404
    region.add(clinic="Fjället")
    assert anna.get(f"/sessions/{SID}").status_code == 403
    assert anna.post(f"/sessions/{SID}/cancel").status_code == 403
