"""What happens to a fleet, one thing after another, and how long each takes. Seconds throughout."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.bench.fleet.fleet import Fleet, wait_until
from tests.bench.fleet.site import ROOMS_PER_CLINIC, Site

WITHIN_S = 150.0
LOSS_WITHIN_S = 90.0
BOOKINGS = 40
BOOKING_EVERY_S = 0.15
BOOKED_WITHIN_S = 15.0
LOST_UNITS = 10
EVERY_TENTH = 10
MIB = 1024 * 1024
Say = Callable[[str], None]


@dataclass
class Run:
    """One size, one round: its figures by name, and what else is worth keeping."""

    site: Site
    fleet: Fleet
    say: Say
    figures: dict[str, float | None] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    def all_phases(self, only: frozenset[str] = frozenset()) -> None:
        """In this order, since each finds the fleet as the one before it left it."""
        self.connect()
        self._until_quiet()
        for name in ("one_change", "change_all", "loss", "restart", "kill", "region_restart"):
            if not only or name in only:
                getattr(self, name)()
                self._until_quiet()

    def connect(self) -> None:
        """All at once, as after a power cut of the whole region."""
        with self._cost("connect"):
            began = time.monotonic()
            self.fleet.ask("start")
            self._back("connect", began)
        self._until_shown("connect", began)

    def change_all(self) -> None:
        """One change to the schedule of every unit."""
        before = self.site.revisions()
        with self._cost("change_all"):
            self.site.change_all(self.site.names)
            began = time.monotonic()
            wait_until(lambda: all(r > before[n] for n, r in self.site.revisions().items()), WITHIN_S)
            revs = self.site.revisions()
            done = wait_until(lambda: self._count(0.0, revs)["served"] == self.site.count, WITHIN_S)
            times = [seen["served_at"] - began for seen in self.fleet.seen().values()]
            self._keep("change_all", times if done else None)
        self._until_shown("change_all", began)

    def one_change(self) -> None:
        """A booking system books one room after another; from its request to the unit."""
        units = self.site.names[:ROOMS_PER_CLINIC]
        times: list[float | None] = []
        for number in range(BOOKINGS):
            times.append(self._one_booking(units[number % len(units)], number // len(units)))
            time.sleep(BOOKING_EVERY_S)
        self._keep("one_change", None if None in times else [each for each in times if each is not None])

    def loss(self) -> None:
        """Some units fall silent with their connections open: the Last Will is the broker's to send."""
        names = self.site.names[-LOST_UNITS:]
        with self._cost("loss"):
            self.fleet.ask_of("silence", names)
            began = time.monotonic()
            done = wait_until(lambda: self.site.shown_lost(names) == len(names), LOSS_WITHIN_S)
            self.figures["loss_s"] = time.monotonic() - began if done else None
        self.fleet.ask_of("wake", names)
        wait_until(lambda: self.site.states().get("ready", 0) == self.site.count, WITHIN_S)

    def restart(self) -> None:
        """The broker is stopped in order and started again."""
        with self._cost("restart"):
            began = time.monotonic()
            self.site.broker.stop()
            self.site.broker.start()
            self.figures["restart_broker_s"] = time.monotonic() - began
            self._back("restart", began)

    def kill(self) -> None:
        """The broker is killed; what it was to keep of the newest schedules is lost."""
        before = self.site.revisions()
        chosen = self.site.names[::EVERY_TENTH]
        self.site.change_all(chosen)
        wait_until(lambda: all(self.site.revisions()[name] > before[name] for name in chosen), WITHIN_S)
        revs = self.site.revisions()
        wait_until(lambda: self._count(0.0, revs)["served"] == self.site.count, WITHIN_S)
        with self._cost("kill"):
            began = time.monotonic()
            self.site.broker.kill()
            self.site.broker.start()
            self._back("kill", began)

    def region_restart(self) -> None:
        """The region's service is killed and started; until it answers, and until a booking reaches a unit."""
        with self._cost("region_restart"):
            began = time.monotonic()
            for child in psutil.Process(self._region_pid()).children():
                child.kill()
            self.site.stop_region(signal.SIGKILL)
            self.site.start_region()
            self.figures["region_answers_s"] = time.monotonic() - began
            taken = self._one_booking(self.site.names[0], 10, within_s=WITHIN_S)
            self.figures["region_works_s"] = None if taken is None else time.monotonic() - began

    def _back(self, name: str, began: float) -> None:
        """Until all are connected since then, served the right schedule and heard by the region."""

        def all_back() -> bool:
            counted = self._count(began, self.site.revisions())
            return all(number == self.site.count for number in counted.values())

        done = wait_until(all_back, WITHIN_S)
        answers = self.fleet.ask("look")
        seen = [each for answer in answers for each in answer["units"].values()]
        self.raw[name] = {
            "attempts": sum(answer["attempts"] for answer in answers),
            "faults": [answer["faults"] for answer in answers],
            "counted": self._count(began, self.site.revisions()),
        }
        for what in ("connected", "served", "acked"):
            times = [each[f"{what}_at"] - began for each in seen if each[f"{what}_at"] is not None]
            self._keep(f"{name}_{what}", times if done else None)

    def _one_booking(self, unit: str, number: int, within_s: float = BOOKED_WITHIN_S) -> float | None:
        before = self.fleet.seen([unit])[unit]["served"]
        asked_at = self.site.book(unit, number)
        until = asked_at + within_s
        while time.monotonic() < until:
            seen = self.fleet.seen([unit])[unit]
            if seen["served"] > before:
                return float(seen["served_at"] - asked_at)
            time.sleep(0.02)
        return None

    def _until_shown(self, name: str, began: float) -> None:
        """Until the region's own tables show every unit well and with the right schedule."""

        def shown() -> bool:
            states = self.site.states()
            return states.get("ready", 0) == states["right"] == self.site.count

        done = wait_until(shown, WITHIN_S)
        self.figures[f"{name}_shown_s"] = time.monotonic() - began if done else None

    def _until_quiet(self) -> None:
        """Let the region work off what has come, so that the next figure is of the next thing."""
        process = psutil.Process(self._region_pid())

        def quiet() -> bool:
            before = _processor(process)
            time.sleep(0.5)
            return _processor(process) - before < 0.05

        wait_until(quiet, WITHIN_S)

    def _count(self, since: float, revs: dict[str, tuple[int, int]]) -> dict[str, int]:
        return self.fleet.count(since, revs)

    def _keep(self, name: str, times: list[float] | None) -> None:
        self.raw[f"{name}_times"] = times
        for label, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("all", 1.0)):
            self.figures[f"{name}_{label}_s"] = None if not times else quantile(times, share)

    def _region_pid(self) -> int:
        assert self.site.region is not None
        return self.site.region.pid

    @contextmanager
    def _cost(self, name: str) -> Iterator[None]:
        self.say(f"  {name.replace('_', ' ')}")
        before, began = self._processors(), time.monotonic()
        yield
        spent = time.monotonic() - began
        after = self._processors()
        costs = {f"{who}_cpu_s": after[who] - min(before[who], after[who]) for who in after}
        self.costs[name] = {**costs, **self._memory(), "took_s": spent}

    def _processors(self) -> dict[str, float]:
        broker = self.site.broker.pid
        return {
            "broker": _processor(psutil.Process(broker)) if broker else 0.0,
            "region": _processor(psutil.Process(self._region_pid())),
            "units": sum(_processor(psutil.Process(pid)) for pid in self.fleet.pids),
        }

    def _memory(self) -> dict[str, float]:
        region = psutil.Process(self._region_pid())
        broker = self.site.broker.pid
        return {
            "broker_mib": psutil.Process(broker).memory_info().rss / MIB if broker else 0.0,
            "region_mib": sum(p.memory_info().rss for p in (region, *region.children(recursive=True))) / MIB,
        }


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all values reaches."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def _processor(process: psutil.Process) -> float:
    """User and system seconds of a process and its children."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        total += times.user + times.system
    return total
