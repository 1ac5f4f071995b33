from __future__ import annotations

import json
from datetime import timedelta

import pytest
from clinic_fakes import SID

from web.clinic.services import LogLine

INSTANCE = "abcd1234"


def _events(answer, count):
    lines = [next(answer.response).decode() for _ in range(count + 1)][1:]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_opening_the_feed_joins_and_tells_the_session_in_words(anna, region):
    region.add(state="waiting", checked_in_at=region.now, checked_in_how="staff")
    answer = anna.client.get(f"/api/meeting/{SID}/feed?instance={INSTANCE}", buffered=False)
    region.meetings[SID].messages.put({"type": "offer", "attempt": 1, "sdp": "v=0", "ice_servers": []})
    session, offer = _events(answer, 2)
    assert (session["type"], session["state"], session["over"]) == ("session", "waiting", False)
    assert "Incheckad av personal 10:00" in session["facts"]
    assert offer == {"type": "offer", "attempt": 1, "sdp": "v=0", "ice_servers": []}
    assert region.signals.get_nowait() == (INSTANCE, {"type": "join"})
    answer.close()
    assert region.meetings[SID].closed


@pytest.mark.parametrize("instance", ["", "short", "UPPER123", "a" * 41, "../../etc"])
def test_an_instance_is_what_the_page_makes(anna, region, instance):
    region.add()
    assert anna.get(f"/api/meeting/{SID}/feed?instance={instance}").status_code == 400


def test_head_opens_nothing(anna, region):
    region.add()
    assert anna.client.head(f"/api/meeting/{SID}/feed?instance={INSTANCE}").status_code == 405
    assert not region.meetings


def test_signals_are_handed_on_with_their_own_fields_only(anna, region):
    region.add(state="waiting")
    message = {"type": "answer", "attempt": 1_771_000_000_000, "sdp": "v=0", "name": "dropped"}
    answer = anna.post_json(f"/api/meeting/{SID}/signal", {"instance": INSTANCE, "message": message})
    assert answer.status_code == 200
    del message["name"]
    assert region.signals.get_nowait() == (INSTANCE, message)


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {"type": "join"},
        {"type": ["admit"]},
        {"type": "answer", "attempt": True, "sdp": "v=0"},
        {"type": "answer", "attempt": 1, "sdp": "x" * 65_537},
        {"type": "candidate", "attempt": 1, "candidate": "c", "sdp_mid": 1},
    ],
)
def test_a_signal_that_is_none_of_ours_is_refused(anna, region, message):
    region.add()
    answer = anna.post_json(f"/api/meeting/{SID}/signal", {"instance": INSTANCE, "message": message})
    assert answer.status_code == 400
    assert region.signals.empty()


def test_what_the_region_refuses_is_told_with_its_reason(anna, region):
    region.add(state="booked")
    answer = anna.post_json(
        f"/api/meeting/{SID}/signal", {"instance": INSTANCE, "message": {"type": "admit"}}
    )
    assert answer.status_code == 409
    assert answer.json == {"error": "refused", "field": "state", "reason": "Nobody waits."}


def test_the_end_tells_times_check_in_and_roles(anna, region):
    region.add(state="wiped", checked_in_how="code", checked_in_at=region.now)
    for minutes, kind in ((0, "admitted"), (1, "call_started"), (21, "call_ended")):
        region.lines.append(LogLine(region.now + timedelta(minutes=minutes), "unit", kind, {}))
    for role in ("clinician", "interpreter", "clinician"):
        region.lines.append(LogLine(region.now, "unit", "peer_connected", {"role": role}))
    page = anna.get(f"/meeting/{SID}/ended").text
    assert 'id="began">10:01<' in page
    assert 'id="over">10:21<' in page
    assert "med kod 10:00" in page
    assert "patienten i rummet, behandlare, tolk" in page


def test_the_log_is_words(anna, region):
    region.add()
    region.lines.append(LogLine(region.now, "unit", "checked_in", {"method": "button", "tries": 2}))
    page = anna.get(f"/sessions/{SID}/log").text
    assert "Patienten checkades in" in page
    assert "(med knapp, tries: 2)" in page
