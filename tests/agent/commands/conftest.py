"""A unit's commands on a disk that outlives them, with deeds that note that they were done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from agent.commands.deeds import Kind, failed, succeeded
from agent.commands.runner import Commands, Start
from agent.contract import Topic, decode, encode
from agent.contract.commands import Command
from agent.store import Store
from tests.agent.conftest import FakeLink, Time


class Killed(BaseException):
    """kill -9: nothing after it is done, and nothing is tidied up."""


class NotedDeed:
    """A Deed that ends when the test says so: at once, or with `ends`."""

    def __init__(self, bench, entry):
        self.bench, self.entry = bench, entry

    def begin(self):
        self.bench.done.append(self.entry.id)
        return self.bench.ends.get(self.entry.name)

    def tick(self):
        return self.bench.ends.get(self.entry.name)

    def stop(self):
        self.bench.stopped.append(self.entry.id)


@dataclass
class Bench:
    """One unit's commands, started, killed and started again on the same disk, against a broker that keeps."""

    path: object
    time: Time = field(default_factory=Time)
    boot: int = 0
    machine: str = "machine-1"
    done: list = field(default_factory=list)
    stopped: list = field(default_factory=list)
    ends: dict = field(default_factory=lambda: {"selftest": succeeded(), "locate": failed("broken")})
    busy: str = ""
    retained: dict = field(default_factory=dict)
    kill_at: str = ""
    points: list = field(default_factory=list)
    link: FakeLink = field(default_factory=FakeLink)

    def start(self, *, learnt=True):
        """Start the agent; without having stopped before, that is what a kill leaves."""
        self.boot += 1
        self.store = Store(self.path)
        self.clock = self.time.clock()
        if learnt:
            self.clock.learn(self.time.wall, fresh=True)
        names = ("restart", "selftest", "locate", "show-message", "wipe")
        kinds = {
            name: Kind(
                lambda entry: NotedDeed(self, entry),
                disturbs=name in {"restart", "selftest"},
                alone=name != "show-message",
            )
            for name in names
        }
        self.commands = Commands(
            self.store,
            self.clock,
            "unit-7",
            lambda topic, body, rev: self.link.publish(topic, encode(body, now=self.clock.now(), rev=rev)),
            kinds=kinds,
            start=Start(self.boot, self.machine),
            busy=lambda: self.busy,
            reached=self.reached,
        )
        self.link.up = False
        return self

    def reached(self, place, what):
        self.points.append(place)
        if place == self.kill_at:
            self.kill_at = ""
            raise Killed(place)

    def connect(self):
        """On every connect the broker brings what it keeps."""
        self.link.up = True
        self.commands.connection(True)
        for topic, payload in list(self.retained.items()):
            self.commands.heard(decode(topic, payload), payload)

    def tick(self, seconds=1):
        self.time.passes(seconds)
        self.commands.tick()

    def send(self, command_id, name="selftest", *, expires_s=900, issued_s=0, **more):
        """The region sends a command, retained. issued_s: from now."""
        now = self.clock.now()
        issued = now + timedelta(seconds=issued_s)
        command = Command(name=name, issued_at=more.pop("issued_at", issued), **more)
        expires = None if expires_s is None else issued + timedelta(seconds=expires_s)
        topic = str(Topic("unit-7", "dn/cmd", (command_id,)))
        self.retained[topic] = encode(command, now=now, expires_at=expires)
        if self.link.up:
            self.commands.heard(decode(topic, self.retained[topic]), b"")

    def clear(self, command_id):
        topic = Topic("unit-7", "dn/cmd", (command_id,))
        self.retained.pop(str(topic), None)
        self.commands.cleared(topic)

    def told(self, command_id):
        """All states that the region has heard of a command, in order."""
        return [m.data.state for m in self.link.sent if m.topic.levels == (command_id,)]

    def reason(self, command_id):
        return [m.data.reason for m in self.link.sent if m.topic.levels == (command_id,)][-1]


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path / "unit.db").start()
    bench.connect()
    bench.tick()
    bench.tick(5)
    yield bench
    bench.store.close()
