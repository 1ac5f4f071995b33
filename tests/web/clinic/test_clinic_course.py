"""A call's course: what pages tell, what the list and the drawing say, and that nothing typed gets in."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from clinic_fakes import CANARY, SID
from courses import PEER, course

from agent.contract.quality import Received, Sent
from web.clinic.course import CallLine, Direction, Reading, gaps, summary
from web.clinic.plot import MOST_POINTS, nice_top, thinned

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REPORT = {"age_s": 0.1, "interval_s": 5.0, "connected": True, "received": {"frame_rate": 29.0}, "sent": None}
POST = {"instance": "abcdef0123456789", "reports": [REPORT]}
URL = f"/api/meeting/{SID}/quality"
SVG = "{http://www.w3.org/2000/svg}"


def test_a_partys_page_tells_and_is_held_back_when_it_tells_too_often(anna, region):
    region.add()
    assert anna.post_json(URL, POST).status_code == 204
    assert region.reports[0].received == Received(frame_rate=29.0)
    assert anna.post_json(URL, POST).status_code == 429
    assert len(region.reports) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**POST, "reports": []},
        {**POST, "reports": [REPORT] * 25},
        {**POST, "instance": "Kanarina"},
        {**POST, "name": "Kanarina Kanarsson"},
        {**POST, "reports": [{**REPORT, "age_s": -1}]},
        {**POST, "reports": [{**REPORT, "sent": {"encoder": "19121212-1212"}}]},
        {**POST, "reports": [{**REPORT, "received": {"freezes": 1.5}}]},
    ],
)
def test_what_is_no_report_is_refused_and_not_repeated(anna, region, body):
    region.add()
    answer = anna.post_json(URL, body)
    assert answer.status_code == 400
    assert not re.search("Kanar|1912", answer.text)
    assert region.reports == []


def test_a_page_that_is_no_party_is_told_so(anna, region):
    region.add()
    assert anna.post_json(URL, {**POST, "instance": "replaced0"}).status_code == 409


def test_a_stranger_and_a_page_without_the_token_tell_nothing(stranger, anna, region):
    region.add()
    assert stranger.post_json(URL, POST).status_code == 401
    assert anna.client.post(URL, json=POST).status_code == 400
    assert region.reports == []


def test_the_list_leads_to_the_course_and_the_course_is_drawn(anna, region):
    region.add()
    region.courses[SID] = course(SID, NOW)
    listed = anna.get("/calls").text
    assert f"/calls/{SID}" in listed
    assert "Dåligt" in listed
    page = anna.get(f"/calls/{SID}").text
    assert "Från rummet till behandlare" in page
    assert "3,0\N{NO-BREAK SPACE}s, 2 gånger" in page
    drawings = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]
    # The page's SVG stands in HTML and so names no namespace of its own.
    assert [len(drawing.findall(".//path[@d]")) > 2 for drawing in drawings] == [True, True, True]
    assert [len(drawing.findall(".//rect[@class='mark']")) for drawing in drawings] == [3, 0, 0]
    assert "40\N{NO-BREAK SPACE}s" in drawings[0].findtext("desc")
    assert not re.search(r"""<[^>]+\s(?:style|on\w+)=""", page), "the policy allows neither"


def test_it_is_there_in_english_too(anna, region):
    region.add()
    region.courses[SID] = course(SID, NOW)
    anna.post("/language", language="en", back="/")
    page = anna.get(f"/calls/{SID}").text
    assert "From the room to the clinician" in page
    assert "3.0\N{NO-BREAK SPACE}s, 2 times" in page


def test_without_figures_the_page_says_so(anna, region):
    region.add()
    answer = anna.get(f"/calls/{SID}")
    assert answer.status_code == 404
    assert "inga mätvärden" in answer.text
    assert "Inget samtal har mätts än." in anna.get("/calls").text


def test_another_clinics_call_is_not_shown(anna, region):
    region.add(clinic="Fjället")
    region.courses[SID] = course(SID, NOW)
    assert anna.get(f"/calls/{SID}").status_code == 403


def test_names_from_the_region_are_escaped_and_parties_of_one_role_are_numbered(anna, region):
    region.add()
    told = course(SID, NOW, minutes=1, role=CANARY)
    second = tuple(replace(direction, peer="d52a") for direction in told.directions)
    region.courses[SID] = replace(
        told, line=replace(told.line, room=CANARY), directions=told.directions + second
    )
    page = anna.get(f"/calls/{SID}").text
    assert CANARY not in page
    assert page.count("canary") > 4
    assert "canary&#39;)&lt;/script&gt; 2 till rummet" in page


def readings(*seconds, connected=True):
    return [Reading(NOW + timedelta(seconds=s), 5.0, connected) for s in seconds]


def test_a_gap_is_what_was_told_to_be_one_or_what_nobody_told_of():
    def found(told):
        return [
            ((gap.begin - NOW).total_seconds(), (gap.end - NOW).total_seconds())
            for gap in gaps(told, NOW, NOW + timedelta(seconds=60))
        ]

    assert found(readings(*range(5, 65, 5))) == []
    assert found([*readings(5, 10), *readings(15, 20, connected=False), *readings(*range(25, 65, 5))]) == [
        (10, 20)
    ]
    assert found([*readings(5, 10), *readings(30, 35, 40, 45)]) == [(10, 25), (45, 60)]
    assert found(readings(17.6, *range(23, 65, 5))) == [(0, 12.6)]
    assert found([]) == [(0, 60)]


def test_a_party_that_came_late_and_left_early_was_not_away():
    way = Direction(PEER, "interpreter", True, (), tuple(readings(305, 310, 330, 335)))
    assert [(gap.begin - NOW).total_seconds() for gap in way.gaps] == [310]
    assert summary(way).away_s == 15


def test_a_summary_leaves_out_what_nobody_measured():
    told = summary(Direction(PEER, "clinician", True, (), ()))
    assert (told.freezes, told.lost, told.size, told.round_trip_ms) == (0, None, None, None)
    sender = Reading(NOW, 5.0, True, sent=Sent(lost=0.04, bit_rate=500_000))
    told = summary(Direction(PEER, "clinician", False, (sender,), ()))
    assert (told.lost, told.bit_rate) == (0.04, 500_000), "the sender's word, where the receiver has none"


@pytest.mark.parametrize(
    ("still_s", "away_s", "verdict"), [(0.9, 0, "good"), (0.5, 1, "uneven"), (2, 3, "bad")]
)
def test_the_verdict_is_by_the_time_without_a_moving_picture(still_s, away_s, verdict):
    end = NOW + timedelta(seconds=100)
    assert CallLine(SID, "A12", "", "", NOW, end, 0.1, still_s, away_s).verdict == verdict


def test_a_call_of_no_length_has_no_share():
    assert CallLine(SID, "A12", "", "", NOW, NOW, 9, 9, 9).verdict == "good"


def test_a_long_line_keeps_its_worst_values():
    values = [(NOW + timedelta(seconds=n), 30.0) for n in range(5000)]
    values[1234] = (values[1234][0], 2.0)
    values[2000:2100] = [(at, None) for at, _ in values[2000:2100]]
    thin = thinned(values, min)
    assert len(thin) <= MOST_POINTS
    assert min(v for _, v in thin if v is not None) == 2.0
    assert None in {v for _, v in thin}


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.7, 1), (30.2, 30), (33, 40), (2400, 3000), (4001, 4000), (7, 10)]
)
def test_axes_end_at_round_numbers(value, top):
    assert nice_top(value) == top
