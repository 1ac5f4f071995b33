"""When figures are taken and sent, and what is kept while the line is away."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from agent.contract.quality import Received
from agent.machine import MachineTotals
from agent.media.facts import CallStats
from agent.session_state import Party, Session, State
from agent.telemetry import KEPT_REPORTS, SENT_PER_TICK, Telemetry

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ANNA = Party("c41f", "clinician", "account", True, "i1", "connected")
QUIET = SimpleNamespace(encoders={})


@dataclass
class Bench:
    """A telemetry whose time passes by hand, and what it sent."""

    up: bool = True
    now_s: float = 0.0
    sent: list = field(default_factory=list)

    def __post_init__(self):
        self.calls = SimpleNamespace(
            call=SimpleNamespace(stats=lambda: CallStats({}, None, None, 0, 0)),
            capture=SimpleNamespace(stats=lambda: QUIET),
        )
        clock = SimpleNamespace(
            monotonic_s=lambda: self.now_s, now=lambda: BEGAN + timedelta(seconds=self.now_s)
        )
        plan = SimpleNamespace(sid="k3v9q2m4x8t1")
        self.session = Session(plan, State.IN_CALL, parties=(ANNA,))
        self.telemetry = Telemetry(
            self.calls,
            clock,
            session=lambda: self.session,
            send=self.send,
            read_machine=lambda: MachineTotals(0, 0, 0, 1, None),
        )

    def send(self, report):
        if self.up:
            self.sent.append(report)
        return self.up

    def run(self, seconds):
        for _ in range(seconds):
            self.telemetry.tick()
            self.now_s += 1


@pytest.fixture
def bench():
    return Bench()


def test_one_report_for_each_five_seconds(bench):
    bench.run(16)
    assert [report.at - BEGAN for report in bench.sent] == [timedelta(seconds=s) for s in (5, 10, 15)]
    assert {report.interval_s for report in bench.sent} == {5.0}


@pytest.mark.parametrize("state", [State.WAITING, State.ENDED])
def test_nothing_is_told_without_a_call(bench, state):
    bench.session = Session(bench.session.plan, state, parties=(ANNA,))
    bench.run(12)
    bench.session = None
    bench.run(12)
    assert bench.sent == []


def test_devices_that_are_closed_begin_a_new_interval(bench):
    bench.run(4)
    call, bench.calls.call = bench.calls.call, None
    bench.run(3)
    bench.calls.call = call
    bench.run(6)
    assert [report.at - BEGAN for report in bench.sent] == [timedelta(seconds=12)]


def test_while_the_line_is_away_reports_wait_and_then_go_out_in_order(bench):
    bench.up = False
    bench.run(41)
    bench.session = None
    bench.up = True
    bench.run(1)
    assert len(bench.sent) == SENT_PER_TICK
    bench.run(1)
    assert [report.at - BEGAN for report in bench.sent] == [timedelta(seconds=s) for s in range(5, 41, 5)]


def test_the_oldest_go_when_the_line_is_away_for_long(bench):
    bench.up = False
    bench.run(5 * (KEPT_REPORTS + 10) + 1)
    bench.session, bench.up = None, True
    bench.run(KEPT_REPORTS)
    assert len(bench.sent) == KEPT_REPORTS
    assert bench.sent[0].at - BEGAN == timedelta(seconds=55)


def test_the_touchscreens_figures_are_told_once_and_of_parties_alone(bench):
    bench.run(2)
    bench.telemetry.shown("c41f", Received(freezes=1))
    bench.telemetry.shown("stranger", Received(freezes=9))
    bench.run(9)
    assert [report.parties[0].shown for report in bench.sent] == [Received(freezes=1), None]
