"""The run of the bench: one fault's failure, a room that is lost, what is left behind, printed and drawn."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict

import pytest
from rich.console import Console

from tests.bench.selftest import outcomes, summary, table
from tests.bench.selftest.faults import ALL, Fault
from tests.bench.selftest.rig import Found, TooLate

FOUND = Found(("clock",), 12.0, 3.0)


class Room:
    """Remembers how many there were; its faults fail as their level says."""

    def __init__(self, begins=True):
        self.opened, self.left, self.begins = 0, 0, begins

    @contextmanager
    def __call__(self, folder, films):
        self.opened += 1
        assert folder.is_dir()
        if not self.begins:
            raise RuntimeError("no namespace")
        try:
            yield self
        finally:
            self.left += 1

    def wait_until_well(self): ...
    def let_learn(self): ...

    def before_session(self, lead_s, make, *, tested_since):
        make()
        return FOUND


def fails(error):
    def work(_room):
        raise error

    return work


def works(_room): ...


def fault(name, make=works, mend=works, right=("clock",)):
    return Fault(name, "paper", right, make, mend)


@pytest.fixture(autouse=True)
def no_films(monkeypatch):
    monkeypatch.setattr(outcomes, "camera_films", dict)


def test_one_fault_that_fails_costs_its_row_and_the_others_go_on_in_a_new_room():
    room = Room()
    chosen = [
        fault("well"),
        fault("not made", make=fails(OSError("no tool"))),
        fault("not mended", mend=fails(OSError("no tool"))),
        fault("last"),
    ]
    rows = list(outcomes.run_faults(chosen, room))
    assert [(row.fault, row.is_found, row.is_right) for row in rows] == [
        ("well", True, True),
        ("not made", False, False),
        ("not mended", True, True),
        ("last", True, True),
    ]
    assert (rows[1].problem, rows[2].problem) == ("OSError: no tool", "not mended: OSError: no tool")
    assert (room.opened, room.left) == (3, 3)


def test_a_fault_that_was_made_too_late_is_made_again_with_more_time():
    tries = []

    class Slow(Room):
        def before_session(self, lead_s, make, *, tested_since):
            tries.append(lead_s)
            if len(tries) == 1:
                raise TooLate("busy")
            return FOUND

    (row,) = outcomes.run_faults([fault("late")], Slow())
    assert row.is_right
    assert tries[1] == 2 * tries[0]


def test_where_there_is_no_room_all_rows_say_so():
    rows = list(outcomes.run_faults([fault("a"), fault("healthy", right=())], Room(begins=False)))
    assert [(row.is_found, row.is_right) for row in rows] == [(False, False)] * 2
    assert all("no namespace" in row.problem for row in rows)


def test_broken_off_the_room_is_left_at_once():
    room = Room()
    running = outcomes.run_faults([fault("a"), fault("b")], room)
    next(running)
    running.close()
    assert (room.opened, room.left) == (1, 1)


ORPHAN = """
import os, subprocess, sys
from tests.bench.selftest import leftovers
leftovers.adopt()
shell = subprocess.Popen(["sh", "-c", "sleep 300 & kill -STOP $!; echo $!"], stdout=subprocess.PIPE, text=True)
orphan = int(shell.stdout.readline())
shell.wait()
leftovers.wake_children()
print(orphan, leftovers.end_children(), leftovers.family(os.getpid()) == [os.getpid()])
"""


def test_a_process_whose_parent_has_ended_is_ended_too():
    told = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True).stdout
    orphan, _, rest = told.strip().partition(" ")
    assert rest in {"['sleep'] True", "['sh'] True"}  # it may have been stopped before it was sleep
    with pytest.raises(ProcessLookupError):
        os.kill(int(orphan), 0)


def rows_of(faults):
    """As if one had been missed, one had given no result, and one had been told second."""
    rows = []
    for number, each in enumerate(faults):
        seconds = 4.0 + number % 14
        found = {5: ("camera_slow", *each.right), 9: ()}.get(number, each.right[:1])
        rows.append(asdict(outcomes.judged(each, Found(found, seconds, seconds / 5), "", 1.5)))
    rows[20] = asdict(outcomes.judged(ALL[20], outcomes.NOTHING, "RuntimeError: no self-test ended in time"))
    return rows


@pytest.fixture
def report():
    alarms = [{"run": 3, "instructions": ["camera_turned", "echo"]}, {"run": 9, "instructions": ["echo"]}]
    healthy = {"runs": 1000, "through": "judgements", "alarms": alarms}
    return {"load": 0.5, "faults": rows_of(ALL), "healthy": healthy, "is_broken_off": False}


def test_what_is_printed_fits_and_ends_with_the_sums(report):
    text = io.StringIO()
    table.show(report, Console(file=text, width=table.WIDTH, highlight=False))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= table.WIDTH
    broken = sum(not each.is_healthy for each in ALL)
    assert lines[-9:] == [
        f"Found: {broken - 2} of {broken}",
        f"Before the session: least 19.7 min, median 19.8; {broken - 2} known 10 min or more before",
        f"Right instruction first: {broken - 3} of {broken}",
        f"Longest self-test: 17.0 s ({ALL[13].name}), median 9.5; to reach: 20",
        f"Most processor: 3.4 s ({ALL[13].name}), median 1.9",
        f"Most of a core: 0.20 ({ALL[0].name}), median 0.20; to reach: under 1",
        f"Without a result: {ALL[20].name}",
        "Alarms in this room with nothing broken: 0 of 2",
        "False alarms: 2 of 1000 (0.20%), with 95% certainty at most 0.63%; to reach: 1%",
    ]


@pytest.mark.parametrize(
    ("seen", "runs", "most"), [(0, 1000, 0.002991), (1, 10, 0.394163), (11, 450, 0.040102), (3, 3, 1.0)]
)
def test_the_upper_bound_is_clopper_and_pearsons(seen, runs, most):
    """Of their tables, and 1 - 0.05 ** (1 / n) where nothing was seen."""
    assert summary.upper_bound(seen, runs) == pytest.approx(most, abs=2e-4)


def test_a_report_of_nothing_has_no_sums(report):
    assert summary.lines(summary.summary({"faults": []})) == []
    assert summary.summary(report | {"faults": []}).keys() == {"false_alarms"}


def test_the_plot_is_drawn_of_all_and_of_little(report, tmp_path):
    from tests.bench.selftest.plot import draw

    for name, given in {"all": report, "none": {"faults": [], "healthy": report["healthy"]}}.items():
        draw(given, tmp_path / "build" / f"{name}.png")
        assert (tmp_path / "build" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
