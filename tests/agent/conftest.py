"""A unit with everything beside it replaced by fakes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from agent import room as rooms
from agent.applying import Applying
from agent.config import Configuration
from agent.config_kept import kept_ledger
from agent.contract import Topic, decode, encode
from agent.contract.config_check import what_is_wrong
from agent.contract.schedule import Schedule
from agent.contract.status import Info
from agent.identity import Identity
from agent.media.peer_use import EVERYTHING
from agent.outbox import Outbox
from agent.region_clock import RegionClock
from agent.store import Store
from agent.unit import Unit
from agent.unit_parts import Tests
from agent.wire import Wire

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SALT = "0f" * 16
SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"
KEY = ec.generate_private_key(ec.SECP256R1())


def plan(
    sid=SID, start_min=10, end_min=40, *, methods=("code", "button", "staff"), code=None, waiting_room=True
):
    """A session as it stands in a schedule; start and end in minutes from NOW."""
    return {
        "sid": sid,
        "ref": "A17",
        "start": (NOW + timedelta(minutes=start_min)).isoformat(),
        "end": (NOW + timedelta(minutes=end_min)).isoformat(),
        "with": {"clinic": "Norra kliniken"},
        "checkin": {"methods": list(methods), "code_digest": code},
        "features": {"waiting_room": waiting_room},
    }


def sign(digest):
    return base64.b64encode(
        KEY.sign(bytes.fromhex(digest), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    ).decode()


class FakeMedia:
    """Notes what it was told."""

    def __init__(self):
        self.microphone = self.camera = True
        self.failed = False
        self.generation = 0
        self.told = []

    def open(self):
        self.told.append("open")

    def close(self):
        self.told.append("close")

    def connect(self, peer, ice_servers, use=EVERYTHING):
        kind = "" if use == EVERYTHING else " show" if use.only_shows else " unseen"
        self.told.append(f"connect {peer}{kind}")

    def disconnect(self, peer):
        self.told.append(f"disconnect {peer}")

    def show_to(self, peer, sees):
        self.told.append(f"show to {peer} {sees}")

    def hold(self, on):
        self.told.append(f"hold {on}")

    def tick(self):
        pass


class FakeLink:
    """A broker that takes what it is given, while `up`; `refuses` counts down what it will not take."""

    def __init__(self):
        self.up = False
        self.in_call = False
        self.doubted = 0
        self.refuses = 0
        self.sent = []

    def publish(self, topic, payload):
        if not self.up or self.refuses:
            self.refuses = max(0, self.refuses - 1)
            return False
        self.sent.append(decode(str(topic), payload))
        return True

    def hurry(self, in_call):
        self.in_call = in_call

    def doubt(self):
        self.doubted += 1

    def network_changed(self, addresses):
        pass

    def bodies(self, channel):
        return [message.data for message in self.sent if message.topic.channel == channel]


@dataclass
class Time:
    """A machine's clocks, moved by hand."""

    wall: datetime = NOW
    monotonic_s: float = 1000.0
    boot_id: str = "boot-1"

    def passes(self, seconds):
        self.wall += timedelta(seconds=seconds)
        self.monotonic_s += seconds

    def clock(self, floor=datetime(2026, 1, 1, tzinfo=UTC)):
        return RegionClock(
            floor,
            wall_s=lambda: self.wall.timestamp(),
            monotonic_s=lambda: self.monotonic_s,
            boot_id=lambda: self.boot_id,
        )


@dataclass
class House:
    """One unit on one disk, which can be killed and started again."""

    path: object
    time: Time = field(default_factory=Time)
    numbers: object = field(default_factory=count)
    boot: int = 0
    rev: int = 0

    def start(self, *, learnt=True):
        """Start the agent; without having stopped before, that is what a kill leaves."""
        self.boot += 1
        self.store = Store(self.path)
        self.clock = self.time.clock()
        outbox = Outbox(self.store, sign, self.clock.now())
        configuration = Configuration(-1, "Rum 4", "", ("sv",), None)
        self.unit = Unit(store=self.store, clock=self.clock, outbox=outbox, configuration=configuration)
        self.media, self.link, self.tests = FakeMedia(), FakeLink(), []
        identity = Identity("unit-7", "ab" * 32, NOW, KEY)
        info = Info(software="1", board="sim", certificate_sha256="ab" * 32, certificate_not_after=NOW)
        self.wire = Wire(self.unit, identity, boot=self.boot, info=lambda: info)
        self.wire.link = self.link
        self.unit.media, self.unit.region = self.media, self.wire
        self.unit.tests = Tests(
            start=lambda _occasion: self.tests.append("start"), stop=lambda: self.tests.append("stop")
        )
        self.unit.resume(self.boot)
        self.join_configuration(configuration)
        if learnt:
            self.clock.learn(self.time.wall, fresh=True)
        return self

    def join_configuration(self, first, parts=(), trial_s=120.0):
        """Have `dn/config` heard."""
        self.ways = []
        self.applying = Applying(
            self.unit,
            kept_ledger(self.store),
            first,
            parts,
            check=what_is_wrong,
            say=lambda report, rev: self.wire.send(Topic("unit-7", "up/config"), report, rev),
            is_reached=self.wire.has_heard_since,
            nudge=self.wire.say_again,
            trial_s=trial_s,
            keep_way=lambda values: self.ways.append(values.broker),
        )
        self.applying.start()
        self.wire.on("dn/config", self.applying.config)

    def connect(self):
        self.link.up = True
        self.wire.connection(True)

    def tested(self):
        self.unit.tick()
        self.unit.room_event(rooms.TestDone())

    def tick(self, seconds=1):
        self.time.passes(seconds)
        self.unit.tick()
        self.wire.tick()

    def hear(self, channel, data, *, levels=(), rev=None):
        self.wire.message(str(Topic("unit-7", channel, levels)), encode(data, now=self.clock.now(), rev=rev))

    def schedule(self, *sessions, rev=None):
        self.rev = self.rev + 1 if rev is None else rev
        body = Schedule(epoch=0, valid_until=NOW + timedelta(days=7), salt=SALT, sessions=sessions)
        self.hear("dn/schedule", body, rev=self.rev)

    def signal(self, signal, peer="unit", sid=SID):
        self.hear("dn/call", signal, levels=(sid, peer))

    def numbered(self, instance="p7d2"):
        return {"instance": instance, "seq": next(self.numbers)}

    def state(self, sid=SID):
        session = self.unit.sessions.get(sid)
        return session.state.value if session else None

    def kinds(self):
        return [event.kind for event in self.unit.outbox.pending()]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "unit.db").start()
    yield house
    house.store.close()


@pytest.fixture
def ready_house(house):
    """A room that is well, connected, with one session ready."""
    house.connect()
    house.tested()
    house.schedule(plan())
    assert house.state() == "ready"
    return house


@pytest.fixture
def make_plan():
    return plan
