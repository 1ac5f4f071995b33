"""What is wrong with a room's sound, in rooms made by code: each fault has its word, a well one none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.media.heard import Devices
from agent.probes.sound_usual import usual_from
from agent.probes.sound_verdicts import ONLY_PLAYED, chirp_verdicts, microphone_verdict, output_verdict
from tests.agent.probes.sounding_rooms import CARD, Made, knocks, speech, tone, traffic

USUAL = chirp_verdicts(Made().heard(), None, True).found


def told(made, usual=USUAL):
    return [each.instruction for each in chirp_verdicts(made.heard(), usual, made.devices.cancels).verdicts]


@pytest.mark.parametrize(
    "around",
    [
        {},
        {"background": speech(-25)},
        {"background": traffic(-35)},
        {"background": knocks(-30)},
        {"background": tone(100, -48)},
        {"microphone_db": -10, "noise_dbfs": -75},
    ],
    ids=lambda each: str(sorted(each)),
)
def test_a_room_that_is_well_has_nothing_to_do(around):
    made = Made(**around)
    assert microphone_verdict(made.heard()).ok
    assert told(made) == [""]


@pytest.mark.parametrize(
    ("fault", "instruction"),
    [
        ({"microphone_db": -200}, "microphone_dead"),
        ({"microphone_db": 45, "background": speech(-25)}, "microphone_clipping"),
        ({"hum_dbfs": -38}, "microphone_hum"),
    ],
)
def test_a_microphone_is_judged_by_listening(fault, instruction):
    verdict = microphone_verdict(Made(chirp=False, **fault).heard())
    assert verdict.instruction == instruction
    assert verdict.reason


def test_a_microphone_that_is_silent_until_something_sounds_has_a_gate_and_lives():
    heard = Made().heard()
    gated = replace(heard, quiet=heard.quiet * 0)
    assert microphone_verdict(gated).ok
    assert microphone_verdict(replace(gated, raw=heard.raw * 0)).instruction == "microphone_dead"


@pytest.mark.parametrize(
    ("fault", "instruction"),
    [
        ({"loudspeaker_db": -200}, "loudspeaker"),
        ({"loudspeaker_db": -35}, "loudspeaker_quiet"),
        ({"microphone_db": -20}, "microphone_quiet"),
        ({"muffled": True}, "microphone_quiet"),
        ({"delay_s": 0.3}, "sound_delay"),
        ({"delay_s": 0.12, "canceller_db": -5}, "sound_delay"),
        ({"canceller_db": -5}, "echo"),
    ],
)
def test_a_loudspeaker_and_what_is_between_are_judged_by_the_chirp(fault, instruction):
    assert [each for each in told(Made(**fault)) if each] == [instruction]


def test_where_nothing_is_usual_yet_only_what_is_far_too_quiet_is_told():
    assert told(Made(loudspeaker_db=-35), usual=None) == [""]
    assert told(Made(loudspeaker_db=-53, noise_dbfs=-71), usual=None)[0] == "loudspeaker_quiet"
    quiet_room = Made(loudspeaker_db=-53, noise_dbfs=-82)
    assert told(quiet_room, usual=None)[0] == "microphone_quiet"


def test_in_a_noise_that_would_hide_it_a_missing_chirp_tells_nothing():
    loud = Made(loudspeaker_db=-200, noise_dbfs=-15)
    (verdict,) = chirp_verdicts(loud.heard(), None, True).verdicts
    assert (verdict.ok, verdict.unit) == (True, ONLY_PLAYED)


def test_a_speakerphone_that_cancels_by_itself_is_not_called_dead():
    phone = replace(CARD, cancels=False)
    for left_db in (-200, -40, -15):
        way = chirp_verdicts(
            Made(loudspeaker_db=left_db, canceller_db=None, devices=phone).heard(), None, False
        )
        (verdict,) = way.verdicts
        assert (verdict.ok, verdict.unit) == (True, ONLY_PLAYED)
        assert way.found is None
    silent = Made(canceller_db=None, devices=phone).heard()
    nothing = chirp_verdicts(replace(silent, played=silent.played * 0), None, False)
    assert nothing.verdicts[0].instruction == "loudspeaker"


def test_an_output_that_is_not_there_or_muted_is_told_without_a_sound():
    assert output_verdict(CARD) is None
    assert output_verdict(Devices("")).reason == "no output is plugged in"
    assert output_verdict(replace(CARD, output_volume=0.0)).instruction == "loudspeaker"


def test_what_is_usual_follows_slowly_and_is_kept_as_five_numbers():
    first = chirp_verdicts(Made().heard(), None, True).found
    assert first.gain_db == pytest.approx(-15, abs=2)
    followed = first.follow(replace(first, gain_db=first.gain_db - 8))
    assert followed.gain_db == pytest.approx(first.gain_db - 1, abs=0.01)
    assert usual_from(followed.kept()) == followed
    assert len(followed.kept()) < 200
    for kept in (None, b"", b"[1]", b'{"gain_db": 1}', followed.kept().replace(b"-", b"NaN", 1)):
        assert usual_from(kept) is None
