"""The shared waiting room on the day's list, and on a session's page."""

from __future__ import annotations

import re
from datetime import timedelta

from clinic_fakes import SID


def wait(region, sid=SID, minutes=5, **changes):
    arrived = region.now - timedelta(minutes=minutes)
    return region.add(sid, state="waiting", checked_in_at=arrived, checked_in_how="code", **changes)


def test_who_has_waited_longest_stands_first_in_a_list_of_their_own(anna, region):
    region.add("b" * 12, ref="B01", start=region.now - timedelta(hours=1))
    wait(region, "c" * 12, 3, ref="C02", start=region.now - timedelta(minutes=30))
    wait(region, "d" * 12, 9, ref="D03")
    page = anna.get("/today").text
    assert re.findall(r'data-ref="([^"]+)"', page) == ["D03", "C02", "B01"]
    assert page.index('id="waiting"') < page.index('data-ref="D03"') < page.index("Dagens övriga möten")


def test_without_anyone_waiting_there_is_one_list(anna, region):
    region.add()
    page = anna.get("/today").text
    assert 'id="waiting"' not in page
    assert "Dagens övriga möten" not in page


def test_a_clinician_takes_and_colleagues_see_who(app, anna, bo, region):
    wait(region)
    assert 'data-claim="take"' in anna.get("/today").text
    assert anna.post(f"/sessions/{SID}/take").headers["Location"] == "/today"
    mine = anna.get("/today").text
    assert "Tas emot av dig" in mine
    assert 'data-claim="release"' in mine
    cia = type(anna)(app.test_client())
    cia.sign_in("cia")
    for colleague in (cia, bo):
        page = colleague.get("/today").text
        assert "Tas emot av Anna Berg" in page
        assert "data-claim" not in page
    assert "Tas emot av Anna Berg" in cia.get(f"/meeting/{SID}").text


def test_who_comes_second_is_told_and_may_take_over_from_the_sessions_page(app, anna, region):
    wait(region)
    anna.post(f"/sessions/{SID}/take")
    cia = type(anna)(app.test_client())
    cia.sign_in("cia")
    late = cia.post(f"/sessions/{SID}/take")
    assert late.status_code == 409
    assert "en kollega tar redan emot patienten" in late.text
    assert 'data-claim="over"' in cia.get(f"/sessions/{SID}").text
    cia.post(f"/sessions/{SID}/take", over="yes")
    assert region.held[SID].name == "Cia Lund"
    assert "Tas emot av Cia Lund" in anna.get("/today").text


def test_letting_go_leaves_the_patient_to_others(anna, region):
    wait(region)
    anna.post(f"/sessions/{SID}/take")
    anna.post(f"/sessions/{SID}/release")
    assert 'data-claim="take"' in anna.get("/today").text


def test_a_meeting_that_is_over_is_taken_by_nobody(anna, region):
    wait(region)
    anna.post(f"/sessions/{SID}/take")
    region.change(state="wiped")
    assert "Tas emot" not in anna.get("/today").text


def test_staff_have_a_list_for_the_room_and_clinicians_for_the_meeting(anna, bo, region):
    region.add()
    assert bo.get(f"/sessions/{SID}").text.count('type="checkbox"') == 6
    assert "Stolen står så" in bo.get(f"/sessions/{SID}").text
    meeting = anna.get(f"/meeting/{SID}").text
    for words in ("Innan du släpper in", "Under mötet", "Tala till patienten, inte till tolken"):
        assert words in meeting
    assert "Efter mötet" in anna.get(f"/meeting/{SID}/ended").text
