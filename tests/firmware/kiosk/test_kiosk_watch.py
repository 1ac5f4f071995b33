"""When a browser is started again, and when it is left in peace. Time is what the test says."""

from __future__ import annotations

from firmware.kiosk.watch import Limits, Verdict, Watch

LIMITS = Limits()
STEP_S = 0.2


class Kiosk:
    """A browser and an agent, looked at five times a second."""

    def __init__(self) -> None:
        self.watch, self.now_s, self.mark = Watch(), 1000.0, 7
        self.calls: int | None = None
        self.agent_up = True
        self.watch.begin(self.now_s, self.mark)

    def look(self) -> Verdict:
        self.now_s += STEP_S
        return self.watch.look(self.now_s, self.mark, agent_up=self.agent_up, calls=self.calls)

    def silent_for(self, seconds: float) -> set[Verdict]:
        return {self.look() for _ in range(round(seconds / STEP_S))}

    def speaks(self, times: int = 1, every_s: float = 1.0) -> set[Verdict]:
        said: set[Verdict] = set()
        for _ in range(times):
            said |= self.silent_for(every_s - STEP_S)
            self.mark += 1
            said.add(self.look())
        return said

    def again(self, *, judged: bool = True) -> None:
        self.watch.ended(judged=judged)
        self.watch.begin(self.now_s, self.mark)


def test_a_page_that_speaks_is_well() -> None:
    kiosk = Kiosk()
    kiosk.speaks()
    assert kiosk.speaks(100) == {"well"}
    assert kiosk.watch.is_well


def test_a_page_that_falls_silent_is_frozen_soon_and_not_at_once() -> None:
    kiosk = Kiosk()
    kiosk.speaks(5)
    assert "frozen" not in kiosk.silent_for(LIMITS.silent_s - STEP_S)
    assert kiosk.silent_for(3 * STEP_S) & {"frozen"}


def test_one_that_starts_is_given_time_and_more_after_each_failure() -> None:
    kiosk = Kiosk()
    given_s = []
    for _ in range(6):
        began_s = kiosk.now_s
        while kiosk.look() == "in doubt":
            pass
        given_s.append(round(kiosk.now_s - began_s))
        kiosk.again()
    assert given_s == [60, 120, 240, 240, 240, 240]
    assert kiosk.watch.failures == 6
    kiosk.speaks()
    assert (kiosk.watch.failures, kiosk.watch.start_limit_s) == (0, LIMITS.start_most_s)
    kiosk.speaks(round(LIMITS.forgets_s) + 1)
    assert kiosk.watch.start_limit_s == LIMITS.start_s


def test_a_slow_machine_is_given_more_patience_until_its_page_stands() -> None:
    kiosk = Kiosk()
    for doubled in (2, 4, 8, 16, 16):
        kiosk.speaks()
        kiosk.silent_for(LIMITS.silent_most_s)
        kiosk.again()
        assert kiosk.watch.patience == doubled
    kiosk.speaks(5)
    assert "frozen" not in kiosk.silent_for(LIMITS.silent_s * 4)
    kiosk.speaks(round(LIMITS.forgets_s) + 1)
    assert kiosk.watch.patience == 1


def test_one_that_stood_for_long_or_ended_by_itself_says_nothing_of_the_machine() -> None:
    kiosk = Kiosk()
    kiosk.speaks(round(LIMITS.settled_s) + 2)
    kiosk.silent_for(LIMITS.silent_most_s)
    kiosk.again()
    assert kiosk.watch.patience == 1
    kiosk.speaks()
    kiosk.again(judged=False)
    assert kiosk.watch.patience == 1


def test_a_page_that_is_lost_while_the_agent_is_away_says_nothing_of_the_machine() -> None:
    kiosk = Kiosk()
    kiosk.speaks()
    kiosk.agent_up, kiosk.calls = False, 3
    while kiosk.look() != "lost":
        pass
    kiosk.again()
    assert kiosk.watch.patience == 1


def test_the_old_sign_of_life_is_not_the_new_browsers() -> None:
    kiosk = Kiosk()
    kiosk.speaks(3)
    kiosk.again()
    assert kiosk.look() == "in doubt"
    assert not kiosk.watch.is_well


def test_without_a_sign_yet_the_first_one_counts() -> None:
    watch = Watch()
    watch.begin(0.0, None)
    assert watch.look(1.0, None, agent_up=True) == "in doubt"
    assert watch.look(2.0, 5, agent_up=True) == "well"


def test_while_the_agent_is_away_nothing_is_held_against_the_page() -> None:
    kiosk = Kiosk()
    kiosk.speaks(5)
    kiosk.silent_for(1.0)
    kiosk.agent_up = False
    assert kiosk.silent_for(300) == {"in doubt"}
    kiosk.agent_up = True
    assert kiosk.silent_for(1.0) == {"in doubt"}
    kiosk.mark += 1
    assert kiosk.look() == "well"
    assert kiosk.speaks(10) == {"well"}
    assert kiosk.watch.silent_limit_s < 3  # its absence was no gap of the page's


def test_a_page_that_calls_while_the_agent_is_away_is_left_in_peace_and_one_that_does_not_is_lost() -> None:
    kiosk = Kiosk()
    kiosk.speaks(5)
    kiosk.agent_up, kiosk.calls = False, 0
    for _ in range(100):
        assert kiosk.silent_for(2.0) == {"in doubt"}
        kiosk.calls += 1
    assert kiosk.silent_for(LIMITS.back_s - STEP_S) == {"in doubt"}
    assert "lost" in kiosk.silent_for(1.0)
    kiosk.again()
    kiosk.calls = None  # the starting page is on the screen
    assert kiosk.silent_for(300) == {"in doubt"}


def test_one_that_was_led_on_to_an_agent_that_went_is_given_longer_each_time() -> None:
    kiosk = Kiosk()
    kiosk.agent_up, kiosk.calls = False, 0
    assert kiosk.silent_for(LIMITS.start_alone_s - 1) == {"in doubt"}
    kiosk.agent_up = True
    kiosk.look()
    kiosk.agent_up = False  # it was there for a moment: counting begins anew
    assert kiosk.silent_for(LIMITS.start_alone_s - 1) == {"in doubt"}
    assert "lost" in kiosk.silent_for(2.0)
    kiosk.again()
    assert kiosk.silent_for(2 * LIMITS.start_alone_s - 1) == {"in doubt"}
    assert "lost" in kiosk.silent_for(2.0)


def test_a_page_that_does_not_come_back_with_the_agent_is_another_page() -> None:
    kiosk = Kiosk()
    kiosk.speaks(5)
    kiosk.agent_up = False
    kiosk.silent_for(20)
    kiosk.agent_up = True
    assert kiosk.silent_for(LIMITS.back_s - STEP_S) == {"in doubt"}
    assert "not back" in kiosk.silent_for(2.0)


def test_starting_counts_from_when_the_agent_is_there() -> None:
    kiosk = Kiosk()
    kiosk.agent_up = False
    assert kiosk.silent_for(600) == {"in doubt"}
    kiosk.agent_up = True
    assert kiosk.silent_for(LIMITS.start_s - 2) == {"in doubt"}
    assert "not started" in kiosk.silent_for(2.0)


def test_a_machine_that_is_slow_when_it_is_well_is_given_longer() -> None:
    kiosk = Kiosk()
    kiosk.speaks(3)
    kiosk.speaks(20, every_s=2.0)
    assert "frozen" not in kiosk.silent_for(3.0)
    kiosk.speaks(1, every_s=STEP_S)
    for every_s in (4.0, 8.0, 16.0, 32.0):
        kiosk.speaks(3, every_s=every_s)
    assert kiosk.watch.silent_limit_s == LIMITS.silent_most_s
    kiosk.speaks(40)
    assert kiosk.watch.silent_limit_s < 3  # quick again: what was slow is forgotten


def test_when_the_machine_stood_still_the_browser_did_so_too() -> None:
    kiosk = Kiosk()
    kiosk.speaks(5)
    kiosk.now_s += 60
    assert kiosk.look() != "frozen"
    assert kiosk.speaks(3) <= {"well", "in doubt"}
