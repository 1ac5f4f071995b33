"""A configuration's life: what is taken at once, what waits, what is tried, and what is never tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.configuring import Heard, Ledger, begin, hear, postpone, prove, report, roll_back
from agent.contract.unit_config import BrokerAddress, Config, PanelPins, ScreenSize

BROKER = BrokerAddress(host="mqtt.example")
OTHER = BrokerAddress(host="other.example")


def heard(rev, *, epoch=1, attempt=0, **values):
    return Heard(config=Config(epoch=epoch, attempt=attempt, **values), rev=rev)


def told(ledger):
    body, rev = report(ledger)
    return body.state, rev, body.wanted_rev, body.fields


def test_what_disturbs_nobody_is_in_force_at_once():
    ledger = hear(Ledger(), heard(3, room_name="Rum 9"))
    assert (ledger.values.room_name, told(ledger)) == ("Rum 9", ("applied", 3, 3, ()))
    assert report(Ledger()) is None


def test_what_is_left_out_is_the_units_own_again_on_trial_where_it_must_be():
    first = prove(begin(hear(Ledger(), heard(1, phone="010", broker=BROKER))))
    ledger = hear(first, heard(2, room_name="Rum 9"))
    assert (ledger.values.phone, ledger.values.room_name, told(ledger)[3]) == (None, "Rum 9", ("broker",))
    ledger = begin(ledger)
    assert (ledger.values.broker, told(ledger)) == (None, ("trial", 2, 2, ("broker",)))
    assert roll_back(ledger, "no").values.broker == BROKER


def test_an_older_or_the_same_revision_changes_nothing_and_a_later_epoch_is_newer():
    ledger = hear(Ledger(), heard(7, phone="7"))
    assert hear(ledger, heard(6, phone="6")) is ledger
    assert hear(ledger, heard(7, phone="again")) is ledger
    restored = hear(ledger, heard(2, epoch=2, phone="2"))
    assert (restored.values.phone, restored.epoch, restored.rev) == ("2", 2, 2)
    assert hear(restored, heard(99, epoch=1, phone="99")) is restored


def test_what_is_wrong_is_refused_whole_and_what_waited_with_it():
    waiting = hear(Ledger(), heard(1, broker=BROKER))
    ledger = hear(waiting, heard(2, phone="1", languages=()))
    assert told(ledger) == ("rejected", None, 2, ("languages",))
    assert (ledger.values, report(ledger)[0].errors) == (Config(), ("languages: at least one is needed",))
    assert begin(ledger) is ledger


def test_in_a_session_the_harmless_is_taken_and_the_rest_of_the_newest_waits():
    ledger = hear(Ledger(), heard(3, phone="3", panel=PanelPins(buzzer=-1)))
    ledger = hear(ledger, heard(4, phone="4", broker=BROKER))
    size = ScreenSize(width_mm=200.0, height_mm=120.0)
    ledger = hear(ledger, heard(5, phone="4", broker=BROKER, screen=size))
    assert ledger.values.phone == "4"
    assert told(ledger) == ("deferred", None, 5, ("broker", "screen"))
    assert (begin(ledger).values.broker, begin(ledger).values.panel) == (BROKER, None)


def test_what_can_do_no_harm_needs_no_trial():
    ledger = begin(hear(Ledger(), heard(4, screen=ScreenSize(width_mm=200.0, height_mm=120.0))))
    assert told(ledger) == ("applied", 4, 4, ())


def test_a_trial_is_in_force_and_proven():
    trial = begin(hear(Ledger(), heard(4, broker=BROKER)))
    assert (trial.values.broker, told(trial)) == (BROKER, ("trial", 4, 4, ("broker",)))
    proven = prove(trial)
    assert (proven.values.broker, told(proven), proven.before) == (BROKER, ("applied", 4, 4, ()), Config())


def test_a_trial_rolled_back_puts_its_fields_back_and_leaves_the_rest_of_the_revision():
    first = prove(begin(hear(Ledger(), heard(3, broker=BROKER, phone="3"))))
    trial = begin(hear(first, heard(4, broker=OTHER, panel=PanelPins(buzzer=-1), phone="4")))
    back = roll_back(trial, "the broker was not reached")
    assert (back.values.broker, back.values.panel, back.values.phone) == (BROKER, None, "4")
    assert told(back) == ("rolled_back", 3, 4, ("broker", "panel"))
    assert report(back)[0].errors == ("the broker was not reached",)


def test_what_was_rolled_back_is_not_tried_again_by_itself_but_when_it_asks():
    back = roll_back(begin(hear(Ledger(), heard(4, broker=OTHER))), "no")
    staff_changed = hear(back, heard(5, broker=OTHER, phone="5"))
    assert (staff_changed.values.phone, told(staff_changed)) == ("5", ("rolled_back", None, 5, ("broker",)))
    assert begin(staff_changed) is staff_changed
    asked_for = begin(hear(staff_changed, heard(6, attempt=1, broker=OTHER)))
    assert told(asked_for) == ("trial", 6, 6, ("broker",))
    corrected = begin(hear(staff_changed, heard(6, broker=BROKER)))
    assert corrected.values.broker == BROKER
    assert told(prove(corrected))[0] == "applied"


def test_a_wish_taken_back_leaves_nothing_refused():
    back = roll_back(begin(hear(hear(Ledger(), heard(3, media_ports="")), heard(4, broker=OTHER))), "no")
    assert told(hear(back, heard(5, phone="5"))) == ("applied", 5, 5, ())


def test_a_revision_that_comes_during_a_trial_is_taken_after_it():
    trial = begin(hear(Ledger(), heard(4, broker=BROKER)))
    with_later = hear(hear(trial, heard(5, phone="5", broker=BROKER)), heard(4, phone="4"))
    assert told(with_later) == told(trial)
    assert hear(with_later, heard(5, phone="again")) is with_later
    assert told(prove(with_later)) == ("applied", 5, 5, ())
    back = roll_back(with_later, "no")
    assert (back.values.phone, back.later, told(back)) == ("5", None, ("rolled_back", None, 5, ("broker",)))


def test_a_room_that_is_needed_gets_its_old_values_and_the_trial_comes_again():
    trial = begin(hear(prove(begin(hear(Ledger(), heard(3, broker=BROKER)))), heard(4, broker=OTHER)))
    postponed = postpone(trial)
    assert (postponed.values.broker, told(postponed)) == (BROKER, ("deferred", 3, 4, ("broker",)))
    assert begin(postponed) == trial


def test_a_ledger_survives_the_disk_in_every_state():
    waiting = hear(Ledger(), heard(4, broker=BROKER, panel=PanelPins(buzzer=-1), languages=("sv",)))
    trial = hear(begin(waiting), heard(5, phone="5"))
    for ledger in (Ledger(), waiting, trial, roll_back(trial, "no"), prove(trial), postpone(trial)):
        assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


def test_events_that_do_not_fit_change_nothing():
    applied = hear(Ledger(), heard(1, phone="1"))
    for move in (begin, prove, postpone, lambda ledger: roll_back(ledger, "no")):
        assert move(applied) is applied


HOSTS = st.sampled_from([None, "one.example", "two.example", "three.example"])
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.integers(0, 9), st.integers(1, 2), st.integers(0, 1), HOSTS, HOSTS),
        st.sampled_from([("begin",), ("prove",), ("roll back",), ("postpone",), ("restart",)]),
    ),
    max_size=30,
)


@given(MOVES)
def test_whatever_happens_only_what_was_proven_is_in_force_outside_a_trial(moves):
    ledger, proven, newest = Ledger(), {None}, (0, -1)
    for name, *given_ in moves:
        before = ledger
        match name:
            case "hear":
                rev, epoch, attempt, host, phone = given_
                broker = BrokerAddress(host=host) if host else None
                ledger = hear(ledger, heard(rev, epoch=epoch, attempt=attempt, broker=broker, phone=phone))
            case "begin":
                ledger = begin(ledger)
            case "prove":
                ledger = prove(ledger)
                if before.state == "trial":
                    proven.add(before.values.broker)
            case "roll back":
                ledger = roll_back(ledger, "no")
            case "postpone":
                ledger = postpone(ledger)
            case "restart":  # as kept_ledger does
                ledger = roll_back(Ledger.model_validate_json(ledger.model_dump_json()), "restarted")
        assert ledger.state == "trial" or ledger.values.broker in proven
        assert ledger.wanted >= newest >= before.wanted
        newest = ledger.wanted
        assert (ledger.epoch, ledger.rev) <= ledger.wanted
        assert bool(ledger.tried) == (ledger.state == "trial")
        assert bool(ledger.waits) == (ledger.state == "deferred")
        assert bool(ledger.refused) <= (ledger.state != "applied")
