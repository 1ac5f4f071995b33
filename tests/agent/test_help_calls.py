"""Help from the button to the answer, as a whole unit does it: on disk, on the wire, on screen and panel."""

import asyncio

import pytest

from agent import session_events as ev
from agent.contract.events import Notice
from agent.screen import Touch
from agent.touches import Touches
from agent.touches_help import help_button

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"


def touch(house, kind):
    nothing = lambda _on: None  # noqa: E731
    touches = Touches(house.unit, intend=house.wire.intent, set_microphone=nothing, set_camera=nothing)
    return asyncio.run(touches.do(Touch(kind))).refusal


def asked(house):
    return [(m.topic.levels[0], m.data) for m in house.link.sent if m.topic.channel == "up/intent"]


def shown(house):
    return house.unit.screen().help_state


@pytest.fixture
def calling(ready_house):
    assert touch(ready_house, "help") is None
    return ready_house


def call_id(house):
    return asked(house)[-1][1].id


def come(house, name=None):
    house.hear("dn/notice", Notice(id=name or call_id(house)), levels=("help_answered",))


def test_a_call_goes_out_with_its_id_and_is_answered(calling):
    (kind, intent), events = asked(calling)[0], calling.unit.outbox.pending()
    assert (kind, intent.sid, shown(calling)) == ("help", None, "sent")
    assert (events[-1].kind, events[-1].fields) == ("help_asked", {"id": intent.id})
    come(calling, "another")
    assert shown(calling) == "sent"
    come(calling)
    come(calling)
    assert shown(calling) == "answered"
    assert calling.kinds().count("help_answered") == 1
    calling.tick(61)
    assert "help_unanswered" not in calling.kinds()


def test_pressing_again_and_again_is_one_call(calling):
    for _ in range(5):
        assert touch(calling, "help") is None
    assert calling.kinds().count("help_asked") == 1
    assert len(asked(calling)) == 1
    come(calling)
    assert touch(calling, "help") is None
    assert shown(calling) == "answered"
    calling.tick(60)
    assert touch(calling, "help") is None, "who said that they come did not"
    assert shown(calling) == "sent"
    assert len({intent.id for _, intent in asked(calling)}) == 2


def test_without_an_answer_it_goes_on_ringing_and_a_late_answer_still_counts(calling):
    calling.tick(59)
    assert shown(calling) == "sent"
    for _ in range(3):
        calling.tick(1)
    assert shown(calling) == "unanswered"
    assert calling.kinds().count("help_unanswered") == 1
    calling.tick(15)
    assert len({intent.id for _, intent in asked(calling)}) == 1
    assert len(asked(calling)) > 1
    come(calling)
    assert shown(calling) == "answered"


def test_help_that_is_taken_back_is_over_at_the_region_too(calling):
    name = call_id(calling)
    assert touch(calling, "help_over") is None
    assert (asked(calling)[-1][0], call_id(calling), shown(calling)) == ("help_over", name, "none")
    assert calling.kinds()[-1] == "help_over"
    assert touch(calling, "help_over") == "not_now"
    come(calling, name)
    assert shown(calling) == "none"


def test_out_of_reach_the_number_is_shown_at_once_and_the_region_hears_of_it_when_it_is_back(house):
    assert touch(house, "help") == "no_region"
    assert shown(house) == "unanswered"
    assert house.kinds()[-1] == "help_asked"
    house.connect()
    house.tick()
    assert [kind for kind, _ in asked(house)] == ["help"]
    assert shown(house) == "sent"


def test_a_call_survives_a_kill_and_is_sent_again(calling):
    name = call_id(calling)
    calling.time.passes(30)
    calling.start()
    assert shown(calling) == "unanswered", "the region is not connected yet"
    calling.connect()
    calling.tick(1)
    assert (call_id(calling), shown(calling)) == (name, "sent")
    calling.tick(30)
    assert calling.kinds().count("help_unanswered") == 1
    come(calling)
    calling.start()
    assert shown(calling) == "answered"


def test_an_answered_call_ends_with_the_session_an_open_one_does_not(ready_house):
    house = ready_house
    house.unit.session_event(SID, ev.CheckedIn("code"))
    touch(house, "help")
    assert asked(house)[-1][1].sid == SID
    house.unit.session_event(SID, ev.PatientLeft())
    assert shown(house) == "sent", "somebody still has to look"
    house.unit.session_event(SID, ev.CheckedIn("code"))
    assert shown(house) == "sent"
    come(house)
    house.unit.session_event(SID, ev.PatientLeft())
    assert (shown(house), asked(house)[-1][0]) == ("none", "help_over")


def test_the_next_patient_does_not_see_the_call_of_the_one_before(ready_house, make_plan):
    house = ready_house
    house.schedule(make_plan(), make_plan(OTHER, 40, 70))
    house.unit.session_event(SID, ev.CheckedIn("code"))
    touch(house, "help")
    house.unit.session_event(SID, ev.PatientLeft())
    house.tick(60 * 26)
    house.unit.session_event(OTHER, ev.CheckedIn("code"))
    assert shown(house) == "none"
    assert "help_over" not in [kind for kind, _ in asked(house)], "the centre has not looked yet"


def test_the_panel_follows_and_its_button_asks_as_the_screen_does(ready_house):
    lit = []
    ready_house.unit.on_lights = lambda lights: lit.append(lights.help)
    help_button(ready_house.unit)
    assert ready_house.unit.outbox.pending()[-1].fields["how"] == "button"
    come(ready_house)
    ready_house.tick()
    touch(ready_house, "help_over")
    assert list(dict.fromkeys(lit)) == ["sent", "answered", "none"]


def test_a_kept_call_that_cannot_be_read_is_dropped_and_not_repeated_in_the_log(house, caplog):
    house.store.put("help", b'{"Kanarie": 1}')
    house.start()
    assert shown(house) == "none"
    assert "cannot be read" in caplog.text
    assert "Kanarie" not in caplog.text
