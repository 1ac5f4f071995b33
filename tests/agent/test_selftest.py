"""One self-test: stages, a second try, what is kept, and how it gives way."""

from __future__ import annotations

import asyncio

import pytest

from agent.selftest import AGAIN_WITHIN_S, Context, SelfTest, SelfTester
from agent.verdict import Verdict, found, well


class Scripted:
    """A Probe that says what it was told, one answer a run."""

    def __init__(self, name, *answers, journal=None):
        self.name, self._answers, self.contexts = name, list(answers), []
        self._journal = journal if journal is not None else []

    async def run(self, context):
        self.contexts.append(context)
        self._journal.append(self.name)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


COVERED = found("camera_covered", 4.0, "luma", reason="black")
DARK = found("camera_dark", 30.0, "luma", reason="dark")
NO_REGION = found("region", reason="no answer")


def played(*stages, times=1, occasions=("before", "again")):
    """What each of so many tests found."""
    done = []

    async def play():
        tester = SelfTester(stages, done.append)
        for number in range(times):
            tester.start(occasions[number])
            await tester.over()

    asyncio.run(asyncio.wait_for(play(), 10))
    return done


def test_what_keeps_visits_out_is_apart_from_what_does_not_and_the_cause_comes_first():
    (result,) = played([Scripted("camera", [COVERED, DARK]), Scripted("region", [NO_REGION])])
    assert (result.faults, result.warnings) == (("region", "camera_covered"), ("camera_dark",))
    assert result.occasion == "before"


def test_what_fails_once_is_tried_again_before_it_is_believed():
    camera = Scripted("camera", [COVERED], [well("camera", 30.0, "frames/s")])
    (result,) = played([camera])
    assert (result.faults, len(camera.contexts)) == ((), 2)


def test_a_probe_that_breaks_once_is_tried_again_too():
    camera = Scripted("camera", MemoryError(), [well("camera", 30.0, "frames/s")])
    (result,) = played([camera])
    assert (result.faults, len(camera.contexts)) == ((), 2)


def test_a_test_that_takes_long_tries_nothing_twice():
    early, late, done = Scripted("camera", [COVERED]), Scripted("line", [NO_REGION]), []

    def now_s():
        return AGAIN_WITHIN_S + 1 if late.contexts else 0.0

    async def play():
        tester = SelfTester([[early], [late]], done.append, monotonic_s=now_s)
        tester.start()
        await tester.over()

    asyncio.run(asyncio.wait_for(play(), 10))
    assert (len(early.contexts), len(late.contexts)) == (2, 1)
    assert set(done[0].faults) == {"region", "camera_covered"}


def test_one_that_is_asked_for_while_a_stopped_one_gives_way_is_made_after_it():
    done, may_end = [], []

    class Slow(Scripted):
        async def run(self, context):
            while not may_end:
                await asyncio.sleep(0)
            return await super().run(context)

    camera = Slow("camera", [well("camera")])

    async def play():
        tester = SelfTester([[camera]], done.append)
        tester.start("before")
        await asyncio.sleep(0)
        tester.stop()
        tester.start("daily")
        tester.stop()
        tester.start("staff")
        tester.start("again")
        assert not done and not tester.is_over
        may_end.append(True)
        await tester.over()

    asyncio.run(asyncio.wait_for(play(), 10))
    assert [result.occasion for result in done] == ["staff"]
    assert [context.occasion for context in camera.contexts] == ["before", "staff"]


def test_stages_follow_each_other_and_all_see_the_same_test():
    journal = []
    probes = [Scripted(name, [well(name)], journal=journal) for name in ("camera", "sound", "encoder")]
    played(*[[probe] for probe in probes])
    assert journal == ["camera", "sound", "encoder"]
    assert len({id(probe.contexts[0]) for probe in probes}) == 1


def test_a_probe_that_did_not_try_leaves_its_former_word_in_force():
    sound = Scripted("sound", [COVERED], [COVERED], None)
    first, second = played([sound], times=2)
    assert first.faults == second.faults == ("camera_covered",)


def test_a_probe_that_breaks_is_a_fault_of_its_own_and_stops_no_other():
    broken = Scripted("camera", RuntimeError("secret"))
    (result,) = played([broken, Scripted("region", [well("region")])])
    assert result.faults == ("selftest",)
    assert [verdict.probe for verdict in result.verdicts] == ["selftest", "region"]


@pytest.mark.parametrize(
    ("occasion", "present", "moved", "may_sound"),
    [
        ("before", False, None, True),
        ("before", True, False, False),
        ("before", None, True, False),
        ("before", None, None, True),
        ("before", False, True, True),
        ("staff", True, True, True),
        ("command", True, None, False),
    ],
)
def test_no_sound_is_played_to_somebody_who_did_not_ask_for_it(occasion, present, moved, may_sound):
    assert Context(occasion, present, moved).may_sound is may_sound


def test_the_table_says_which_probe_and_how_grave():
    assert found("camera_dark", 3.0, "luma", reason="dark") == Verdict(
        "camera", "warn", 3.0, "luma", "dark", "camera_dark"
    )
    with pytest.raises(KeyError):
        found("made_up", reason="")
    assert SelfTest((well("camera"),)).faults == ()
