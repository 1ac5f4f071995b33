"""Rollouts: counted before they begin, begun once, and steered."""

from __future__ import annotations

import doctest
import re
from dataclasses import replace

import pytest
from clinic_fakes import CANARY
from fleet_fakes import full_fleet
from hypothesis import given, settings
from hypothesis import strategies as st

from web.clinic.fleet import stages
from web.clinic.services import Refused

FORM = {
    "title": "Omstart", "what": "agent", "within": "day", "whom": "all", "stages": "1, 10%, 100%",
    "failures": "5%", "wait": "5",
}  # fmt: skip
AT = "/it/rollouts/new/command/restart"


def test_the_examples_of_the_stages_hold():
    assert doctest.testmod(stages).failed == 0


PARTS = st.integers(1, 999).map(str) | st.integers(1, 100).map("{}%".format)


@settings(max_examples=50)
@given(st.integers(0, 5000), st.lists(PARTS, min_size=1, max_size=10))
def test_every_unit_is_in_one_stage(total, parts):
    found = stages.sizes(total, parts)
    assert sum(found) == total
    assert all(size > 0 for size in found)
    assert len(found) <= len(parts)


@pytest.mark.parametrize("text", ["", "0", "-1", "101%", "1,,x", "٣", "1;2", "5 %%", ",".join(["1"] * 11)])
def test_stages_that_make_no_sense(text):
    with pytest.raises(ValueError):
        stages.parse(text)


@pytest.mark.parametrize("text", ["", "-1", "200%", "x", "5%%", "٣"])
def test_thresholds_that_make_no_sense(text):
    with pytest.raises(ValueError):
        stages.threshold(text)


def test_it_is_counted_first_and_then_begun_once(ivar, fleet):
    counted = ivar.post(AT, do="count", **FORM)
    assert counted.status_code == 200
    assert 'data-units="24"' in counted.text
    assert "1, 3, 20 enheter" in counted.text
    assert "fler än 0 i första steget, fler än 1 i allt" in counted.text
    assert fleet.calls == []
    begun = [ivar.post(AT, do="begin", counted="24", once="n1", **FORM) for _ in range(2)]
    assert [answer.headers["Location"] for answer in begun] == ["/it/rollouts/1"] * 2
    ((_, request),) = fleet.calls
    assert request.payload == {
        "name": "restart", "arguments": {"what": "agent"}, "expires_in_s": 86400, "timeout_s": 300,
    }  # fmt: skip
    assert (request.stages, request.failures_allowed, request.wait_s) == (("1", "10%", "100%"), "5%", 300)
    assert (request.units, request.groups) == ((), ())


def test_it_does_not_begin_with_another_number_than_was_seen(ivar, fleet):
    answer = ivar.post(AT, do="begin", counted="23", **FORM)
    assert answer.status_code == 422
    assert "har ändrats till 24" in answer.text
    assert fleet.calls == []


def test_settings_go_to_the_units_of_groups_each_counted_once(ivar, fleet, region):
    fleet.__dict__.update(full_fleet(region.now, 60).__dict__)
    fleet.calls.clear()
    form = FORM | {"whom": "groups", "groups": ["kusten", "provning", "gone"], "dscp": "46"}
    counted = ivar.post("/it/rollouts/new/config/media", do="count", **form)
    units = re.search(r'data-units="(\d+)"', counted.text)[1]
    assert units == str(len({line.id for line in fleet.lines.values() if line.groups}))
    ivar.post("/it/rollouts/new/config/media", do="begin", counted=units, **form)
    ((_, request),) = fleet.calls
    assert (request.what, request.payload) == ("config", {"dscp": 46})
    assert request.groups == ("kusten", "provning")


def test_units_are_named(ivar, fleet):
    form = FORM | {"whom": "units", "units": "u-001, u-002\nu-001"}
    assert 'data-units="2"' in ivar.post(AT, do="count", **form).text
    fleet.refuse["roll_out"] = Refused("units", "u-002 is not known")
    answer = ivar.post(AT, do="begin", counted="2", **form)
    assert answer.status_code == 422
    assert "Kontrollera namnet" in answer.text
    assert "u-001, u-002" in answer.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"stages": "many"}, "stages"),
        ({"failures": "some"}, "failures"),
        ({"wait": "0"}, "wait"),
        ({"wait": "٣"}, "wait"),
        ({"whom": "groups"}, "whom"),
        ({"whom": "units", "units": " "}, "whom"),
        ({"whom": "nobody"}, "whom"),
        ({"what": "world"}, "what"),
    ],
)
def test_what_is_wrong_stands_at_its_field(ivar, fleet, changes, field):
    answer = ivar.post(AT, do="begin", counted="24", **(FORM | changes))
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert fleet.calls == []


def test_nothing_filled_in_and_nobody_there(ivar, fleet):
    empty = ivar.post("/it/rollouts/new/config/media", do="count", **FORM)
    assert "Fyll i minst en" in empty.text
    fleet.lines = {}
    assert "Det finns ingen enhet" in ivar.post(AT, do="count", **FORM).text


@pytest.mark.parametrize("path", ["command/wipe", "command/locate", "config/nothing", "dance/restart"])
def test_what_is_not_for_many_at_once(ivar, path):
    assert ivar.get(f"/it/rollouts/new/{path}").status_code == 404
    assert ivar.post(f"/it/rollouts/new/{path}", **FORM).status_code == 404


def test_progress_is_said_by_stage_and_it_is_steered(ivar, fleet, region):
    fleet.__dict__.update(full_fleet(region.now, 120).__dict__)
    page = ivar.get("/it/rollouts/2").text
    assert "11 av 100 klara" in page
    assert re.search(r'data-stage="2".*?10 av 10 klara.*?<td>8</td><td>2</td>', page, re.DOTALL)
    assert 'value="pause"' in page
    ivar.post("/it/rollouts/2/steer", order="pause")
    assert 'value="resume"' in ivar.get("/api/it/rollouts/2").text
    ivar.post("/it/rollouts/2/steer", order="abort")
    over = ivar.post("/it/rollouts/2/steer", order="resume").headers["Location"]
    assert "redan över" in ivar.get(over).text
    assert 'name="order"' not in ivar.get("/it/rollouts/2").text
    assert ivar.post("/it/rollouts/2/steer", order="dance").status_code == 400
    assert ivar.get("/it/rollouts/99").status_code == 404


def test_what_is_rolled_out_is_text_and_a_pins_digest_is_not_shown(ivar, fleet, region):
    fleet.__dict__.update(full_fleet(region.now, 20).__dict__)
    payload = {"room_name": CANARY, "staff_pin_digest": "$argon2id$x"}
    fleet.all_rollouts[1] = replace(
        fleet.all_rollouts[1], what="config", payload=payload, title=CANARY, reason=CANARY
    )
    for path in ("/it/rollouts/1", "/it/rollouts"):
        assert CANARY not in ivar.get(path).text
        assert "argon2id" not in ivar.get(path).text
