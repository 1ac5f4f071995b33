from __future__ import annotations

from tests.vm.cuts_tally import Cut, Tally
from tests.vm.kept_state import Kept

KEPT = Kept((7, 41), 2, (1, 12), 5, 9)


def test_cuts_are_told_in_figures() -> None:
    tally = Tally()
    assert tally.summary() == "no cut"
    for at_s in (30.0, 4.0, 50.0):
        tally.add(Cut(at_s, 1, ()).with_kept(KEPT, 100))
    assert tally.summary() == (
        "3 cuts 4 to 50 s after power on (median 30), 0 with a fault; at last 9 starts, event 41 (2 not "
        "acknowledged), schedule 12, 5 commands"
    )


def test_a_fault_is_counted_and_told() -> None:
    tally, cut = Tally(), Cut(3.0, 0, ()).with_faults(["the store: damaged"])
    tally.add(cut)
    assert "1 with a fault" in tally.summary()
    assert cut.line() == "after 3 s, 0 journal entries, nothing kept yet: the store: damaged"


def test_the_cuts_with_a_fault_are_named_by_their_number() -> None:
    tally = Tally()
    tally.add(Cut(9.0, 1, ()))
    assert not tally.faulty()
    tally.add(Cut(3.0, 1, ()).with_faults(["the store: damaged", "journal: unread"]))
    assert tally.faulty() == ("cut 2: the store: damaged; journal: unread",)
