"""From what media report to what is wrong: each fault by what it looks like, and what is no fault."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from agent.call_watch_facts import CallFacts, Now, Other
from agent.media.facts import KindStats, PeerStats
from agent.media.listening import Heard
from agent.media.watching import Seen

FINE = Seen(1.0, still=False, covered=False, dark=False, backlit=False)
TALKS = Heard(1.0, muted=False, nothing=0.0, clipped=0.0, loud=0.5)
SOUND, PICTURE = ("party_sound", "p1"), ("party_picture", "p1")


@dataclass
class Capture:
    """As much of CaptureStats as is looked at."""

    frames_captured: int = 30
    camera_fault: str | None = None
    microphone_fault: str | None = None
    heard: Heard | None = TALKS
    seen: Seen | None = FINE


def judged(*captures: Capture, microphone: bool = True, camera: bool = True):
    facts = CallFacts()
    verdicts = [facts.judge(Now(capture, microphone, camera)) for capture in captures]  # type: ignore[arg-type]
    return {what for (what, _), is_wrong in verdicts[-1].items() if is_wrong}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, set()),
        ({"heard": replace(TALKS, nothing=1.0, loud=0.0)}, {"room_sound"}),
        ({"heard": replace(TALKS, nothing=0.5)}, set()),
        ({"microphone_fault": "no microphone is plugged in"}, {"room_sound"}),
        ({"heard": replace(TALKS, clipped=0.5)}, {"clipping"}),
        ({"seen": replace(FINE, still=True)}, {"room_picture"}),
        ({"seen": replace(FINE, still=True, covered=True, dark=True)}, {"covered"}),
        ({"seen": replace(FINE, dark=True)}, {"dark"}),
        ({"seen": replace(FINE, backlit=True)}, {"backlit"}),
        ({"camera_fault": "it is gone"}, {"room_picture"}),
        ({"seen": None}, set()),
        ({"heard": None}, set()),
    ],
)
def test_what_the_room_s_own_devices_say(change, wrong):
    assert judged(Capture(), replace(Capture(), frames_captured=60, **change)) == wrong


def test_a_camera_that_gives_no_more_pictures_stands_still():
    assert judged(Capture(), Capture()) == {"room_picture"}


def test_a_camera_that_is_off_is_not_judged_and_a_microphone_that_is_off_only_for_a_voice():
    bad = Capture(seen=replace(FINE, covered=True), heard=replace(TALKS, nothing=1.0))
    assert judged(bad, bad, microphone=False, camera=False) == set()  # its second is of before it was closed
    closed = replace(bad, heard=Heard(1.0, muted=True, nothing=0.0, clipped=0.0, loud=0.0))
    assert judged(closed, closed, microphone=False, camera=False) == set()
    talks = replace(closed, heard=replace(closed.heard, loud=0.6))
    assert judged(closed, talks, microphone=False, camera=False) == set()  # a cough
    assert judged(closed, talks, talks, microphone=False, camera=False) == {"muted_talking"}


def stats(audio: int = 0, octets: int = 0, video: int = 0, attempt: int = 1) -> PeerStats:
    received = {"audio": KindStats(audio, octets), "video": KindStats(video, video * 900)}
    return PeerStats(attempt, True, 0.02, 0, 0, "full", 0.0, 0, 0.0, 0, 0, received)


BEFORE = stats(audio=1000, octets=90_000, video=2000)
AFTER = stats(audio=1050, octets=94_500, video=2150)


def party(after: PeerStats, before: PeerStats = BEFORE, **about):
    facts = CallFacts()
    capture = Capture(heard=None, seen=None)
    facts.judge(Now(capture, True, False, {"p1": Other(before, **about)}))  # type: ignore[arg-type]
    return facts.judge(Now(capture, True, False, {"p1": Other(after, **about)}))  # type: ignore[arg-type]


def test_a_party_who_is_heard_and_seen():
    assert party(AFTER) == {SOUND: False, PICTURE: False}


def test_a_party_whose_packets_stop_or_hold_nothing():
    assert party(stats(audio=1000, octets=90_000, video=2150))[SOUND] is True
    assert party(stats(audio=1050, octets=90_150, video=2150))[SOUND] is True  # 3 bytes of 20 ms
    assert party(stats(audio=1050, octets=94_500, video=2000))[PICTURE] is True
    assert party(AFTER, still=True)[PICTURE] is True


def test_what_a_party_has_turned_off_is_no_fault_and_what_it_says_is_on_is_waited_for():
    nothing = stats(audio=1050, octets=90_150, video=2000)
    assert party(nothing, microphone=False, camera=False) == {}
    assert party(nothing, sees=False) == {SOUND: True}
    never = {"before": stats(video=10), "after": stats(video=20)}
    assert party(**never) == {PICTURE: False}
    assert party(**never, microphone=True, camera=True) == {SOUND: True, PICTURE: False}


def test_a_line_that_is_away_or_built_anew_is_not_judged():
    assert party(BEFORE) == {SOUND: None, PICTURE: None}
    assert party(replace(AFTER, attempt=2)) == {SOUND: None, PICTURE: None}
