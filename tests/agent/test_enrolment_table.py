"""The way in, step by step: each answer has one outcome, and none is a dead end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.contract.enrolment import EnrolReply
from agent.enrolment import (
    ASK_EVERY,
    PROOF_WITHIN,
    SILENT_AFTER,
    TRY_NEW_AFTER,
    Acknowledged,
    Ask,
    AskedAgain,
    Connected,
    Enrolment,
    Gone,
    Keep,
    Knock,
    NewKey,
    NotStored,
    Promote,
    Prove,
    Replied,
    State,
    Stored,
    Tick,
    begin,
    step,
)

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
S = State


def reply(state: str, reason: str = "", pause_s: float = 600) -> Replied:
    return Replied(EnrolReply(state=state, request="0" * 64, reason=reason), timedelta(seconds=pause_s))


class Way:
    """The machine with a clock."""

    def __init__(self, *, has_bootstrap: bool = True, has_new: bool = False) -> None:
        self.now = T0
        self.at, self.effects = begin(T0, has_bootstrap=has_bootstrap, has_new=has_new)

    def on(self, *events) -> Way:
        for event in events:
            self.at, self.effects = step(self.at, event, self.now)
        return self

    def after(self, time: timedelta) -> Way:
        self.now += time
        return self.on(Tick())

    @property
    def kinds(self) -> list[type]:
        return [type(effect) for effect in self.effects]


def test_the_whole_way_in():
    way = Way()
    assert (way.at.state, way.kinds) == (S.CONNECTING, [Knock])
    assert (way.on(Connected()).at.state, way.kinds) == (S.ASKING, [Ask])
    assert way.on(reply("waiting")).at.state == S.WAITING
    assert (way.on(reply("approved")).at.state, way.kinds) == (S.WAITING, [Keep])
    assert (way.on(Stored()).at.state, way.kinds) == (S.PROVING, [Prove])
    assert (way.on(Acknowledged()).at.state, way.kinds) == (S.PROVEN, [Promote])


def test_the_request_is_said_again_each_half_minute_while_it_waits():
    way = Way().on(Connected(), reply("waiting"))
    assert way.after(ASK_EVERY - timedelta(seconds=1)).kinds == []
    assert (way.after(timedelta(seconds=1)).kinds, way.at.state) == ([Ask], S.WAITING)
    assert way.after(timedelta(seconds=5)).kinds == []


def test_a_region_that_gives_no_sign_is_told_apart_from_one_that_is_not_reached():
    way = Way().on(Gone("unreached"))
    assert (way.at.state, way.at.problem) == (S.CONNECTING, "unreached")
    way.on(Connected())
    assert way.at.problem == ""
    assert way.after(SILENT_AFTER).at.state == S.SILENT
    assert way.after(ASK_EVERY).kinds == [Ask]  # once IT has armed it, it is answered
    assert way.on(reply("waiting")).at.state == S.WAITING


@pytest.mark.parametrize(
    ("said", "state", "done"),
    [("rejected", S.REJECTED, [NewKey, Ask]), ("expired", S.EXPIRED, [Ask])],
)
def test_one_that_is_turned_away_asks_again_after_the_pause_or_when_somebody_wants_it(said, state, done):
    way = Way().on(Connected(), reply(said, "not yours", 600))
    assert (way.at.state, way.at.reason) == (state, "not yours")
    assert way.after(timedelta(seconds=599)).kinds == []
    assert (way.after(timedelta(seconds=1)).kinds, way.at.state) == (done, S.ASKING)
    way.on(reply(said))
    assert (way.on(AskedAgain()).kinds, way.at.state) == (done, S.ASKING)


def test_a_conflict_ends_when_the_region_says_so():
    way = Way().on(Connected(), reply("conflict"))
    assert (way.at.state, way.after(ASK_EVERY).kinds) == (S.CONFLICT, [Ask])
    assert way.on(reply("waiting")).at.state == S.WAITING


def test_a_proof_that_fails_goes_back_to_the_bootstrap_and_waits_before_the_next():
    way = Way().on(Connected(), reply("approved"), Stored())
    assert way.after(PROOF_WITHIN - timedelta(seconds=1)).kinds == []
    assert (way.after(timedelta(seconds=1)).kinds, way.at.state) == ([Knock], S.CONNECTING)
    assert way.on(Connected(), reply("approved")).at.state == S.UNPROVEN
    way.after(PROOF_WITHIN)
    assert way.kinds == [Ask]
    assert way.on(reply("approved")).kinds == [Keep]


def test_the_pause_between_proofs_grows_and_has_an_end():
    way, pauses = Way(), []
    for _ in range(8):
        way.on(Connected())
        way.at = Enrolment(S.PROVING, way.now, failed_proofs=way.at.failed_proofs)
        way.after(PROOF_WITHIN)
        pauses.append((way.at.prove_again_at - way.now).total_seconds())
    assert pauses[:4] == [60, 120, 240, 480]
    assert pauses[4:] == [600] * 4


@pytest.mark.parametrize("has_bootstrap", [True, False])
def test_after_a_power_cut_what_is_kept_is_tried_first_and_again_when_nothing_else_helps(has_bootstrap):
    way = Way(has_bootstrap=has_bootstrap, has_new=True)
    assert (way.at.state, way.kinds) == (S.PROVING, [Prove])
    assert way.after(PROOF_WITHIN).kinds == [Knock]
    assert way.on(Gone()).after(TRY_NEW_AFTER).kinds == [Prove]
    way.after(PROOF_WITHIN)
    way.on(Connected()).after(SILENT_AFTER)
    assert way.at.state == S.SILENT
    way.after(TRY_NEW_AFTER)
    assert way.kinds == [Prove]


def test_an_answer_that_cannot_be_kept_is_said_and_asked_for_again():
    way = Way().on(Connected(), reply("approved"), NotStored("the disk is full"))
    assert (way.at.state, way.at.reason) == (S.UNUSABLE, "the disk is full")
    assert way.after(ASK_EVERY).kinds == [Ask]
    assert way.on(reply("approved"), Stored()).at.state == S.PROVING


def test_a_promotion_that_the_disk_does_not_take_is_no_end():
    way = Way().on(Connected(), reply("approved"), Stored(), Acknowledged(), NotStored("full"))
    assert (way.at.state, way.kinds, way.at.reason) == (S.CONNECTING, [Knock], "full")


def test_a_box_that_was_not_prepared_says_so_and_does_nothing():
    way = Way(has_bootstrap=False)
    assert (way.at.state, way.kinds) == (S.UNPREPARED, [])
    assert way.after(timedelta(hours=1)).on(Connected(), Gone(), AskedAgain()).at.state == S.UNPREPARED


def test_what_comes_late_changes_nothing():
    proving = Way().on(Connected(), reply("approved"), Stored())
    assert proving.on(reply("rejected"), Gone(), Connected(), AskedAgain()).at.state == S.PROVING
    assert proving.on(Acknowledged(), Tick(), reply("rejected"), Gone()).at.state == S.PROVEN
