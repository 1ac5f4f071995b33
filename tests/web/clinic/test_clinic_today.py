from __future__ import annotations

from datetime import timedelta

import pytest
from clinic_fakes import SID

from web.clinic.feeds import EventStream, Seats, TooManyFeeds


def test_the_list_says_who_waits_since_when_how_and_how_the_room_is(anna, region):
    arrived = region.now - timedelta(minutes=4)
    region.add(state="waiting", checked_in_at=arrived, checked_in_how="code")
    region.add(
        "b" * 12, room="r2", start=region.now + timedelta(hours=2), end=region.now + timedelta(hours=3)
    )
    page = anna.get("/today").text
    assert 'data-state="waiting"' in page
    assert "sedan 09:56 (4 min)" in page
    assert "Incheckad med kod" in page
    assert "Kameran svarar inte." in page


@pytest.mark.parametrize(
    ("who", "state", "minutes_ahead", "action"),
    [
        ("anna", "booked", 60, "show"),
        ("anna", "ready", 10, "meeting"),
        ("anna", "waiting", 0, "meeting"),
        ("anna", "in_call", -50, "meeting"),
        ("anna", "wiped", 0, "show"),
        ("bo", "booked", 60, "show"),
        ("bo", "ready", 10, "check-in"),
        ("bo", "waiting", 0, "show"),
        ("bo", "cancelled", 0, "show"),
    ],
)
def test_each_row_has_one_action_for_its_moment(request, region, who, state, minutes_ahead, action):
    start = region.now + timedelta(minutes=minutes_ahead)
    region.add(state=state, start=start, end=start + timedelta(minutes=30))
    page = request.getfixturevalue(who).get("/today").text
    assert [part.split('"')[0] for part in page.split('data-action="')[1:]] == [action]


def test_a_day_is_the_clinics_day(anna, region):
    late = region.now.replace(hour=23, minute=30)  # half past midnight the day after, in Sweden
    region.add(ref="NIGHT", start=late, end=late + timedelta(minutes=20))
    assert "NIGHT" not in anna.get("/today").text
    assert "NIGHT" in anna.get("/today?day=2026-03-03").text
    assert anna.get("/today?day=rubbish").status_code == 400


def test_staff_check_in_from_their_own_pc(bo, region):
    region.add()
    assert bo.post(f"/sessions/{SID}/check-in").headers["Location"] == "/today"
    assert region.rows[SID].checked_in_how == "staff"


def test_a_lost_room_cannot_be_checked_in_and_the_reason_is_told(bo, region):
    region.add(room="r3")
    answer = bo.post(f"/sessions/{SID}/check-in")
    assert answer.status_code == 409
    assert "The room is out of reach." in answer.text


def test_a_feed_tells_of_changes_pings_and_frees_its_seat(anna, app, region):
    region.add()
    answer = anna.client.get("/api/feed", buffered=False)
    body = answer.response
    assert answer.mimetype == "text/event-stream"
    assert next(body) == b"retry: 2000\n\n"
    assert next(body) == b"event: ping\ndata: .\n\n"
    region.change(state="ready")
    assert next(body) == b'data: {"type": "changed"}\n\n'
    seats = app.extensions["halsorum.clinic"].seats
    assert seats.taken == 1
    answer.close()
    assert seats.taken == 0
    assert region.watchers[0].closed


def test_a_browser_that_hangs_up_before_the_first_byte_frees_its_seat(anna, app):
    anna.client.get("/api/feed", buffered=False).close()
    assert app.extensions["halsorum.clinic"].seats.taken == 0


def test_feeds_are_counted_by_account(anna, bo):
    held = [anna.client.get("/api/feed", buffered=False) for _ in range(2)]
    assert anna.client.get("/api/feed").status_code == 503
    other = bo.client.get("/api/feed", buffered=False)
    assert other.status_code == 200
    for answer in (*held, other):
        answer.close()


def test_a_feed_ends_when_its_person_signs_out(app, anna):
    answer = anna.client.get("/api/feed", buffered=False)
    next(answer.response)
    app.extensions["halsorum.clinic"].signins.end({"sign_in": _sign_in(anna)})
    with pytest.raises(StopIteration):
        next(answer.response)


def _sign_in(browser) -> str:
    with browser.client.session_transaction() as cookie:
        return cookie["sign_in"]


def test_all_seats_taken_is_all_seats_taken():
    seats = Seats(2, 2)
    seats.take("a")
    seats.take("b")
    with pytest.raises(TooManyFeeds):
        seats.take("c")
    seats.free("a")
    seats.take("c")


def test_nothing_comes_after_replaced(region):
    feed = region.watch(region.accounts["anna"])
    feed.messages.put({"type": "replaced"})
    feed.messages.put({"type": "changed"})
    stream = EventStream(
        feed, ping_s=0.01, alive=lambda: True, shape=lambda message: message, released=lambda: None
    )
    assert list(stream)[1:] == ['data: {"type": "replaced"}\n\n']
