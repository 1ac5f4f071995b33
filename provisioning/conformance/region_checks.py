"""What a region owes a unit, checked by one that is played: `halsorum contract check-region`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files

from agent.contract import ContractError, Message, Topic, encode
from agent.contract.commands import CommandReport
from agent.contract.events import Intent
from agent.contract.quality import QualityReport
from agent.contract.schedule import ScheduleReport, check_sessions
from agent.contract.status import Info, Status
from agent.contract.telemetry import Telemetry
from agent.contract.unit_config import ConfigReport
from provisioning.conformance.checks import Broken, Check, NotApplicable
from provisioning.conformance.peer import Peer, now
from provisioning.conformance.unit_keys import UnitKeys

SETTLES_WITHIN = 5
"""Schedules, each after less than the time of silence."""
REPORT_EVERY_S = 3.0
ICE_SERVERS = "ice_servers"


@dataclass
class PlayedUnit:
    """The unit that is played, and by which doors the region can be reached.

    again() connects anew under the same identity; everything() listens where a unit may not; bootstrap() gives the
    connection under the bootstrap identity with its serial number, or None.
    """

    name: str
    peer: Peer
    keys: UnitKeys
    again: Callable[[], Peer]
    everything: Callable[[], Peer]
    bootstrap: Callable[[], tuple[str, Peer] | None] = lambda: None
    wait_command_s: float = 0.0
    boot: int = field(default_factory=lambda: int(time.time()))

    def topic(self, channel: str, *levels: str) -> Topic:
        """One of its own."""
        return Topic(self.name, channel, levels)

    def greet(self, peer: Peer | None = None) -> Message | None:
        """Say that it is well; the region's answer."""
        peer = peer or self.peer
        mark = peer.mark()
        peer.say(self.topic("up/status"), Status(state="ready", boot=self.boot))
        return peer.after(mark, "dn/ack")

    def schedule(self) -> Message:
        """The newest schedule it was sent."""
        came = self.peer.all_of("dn/schedule")
        if not came:
            raise NotApplicable("no schedule came")
        return max(came, key=lambda message: (message.data.epoch, message.rev or 0))


def _status_is_answered(unit: PlayedUnit) -> str:
    ack = unit.greet()
    if ack is None:
        raise Broken("up/status was not answered by dn/ack")
    return f"time learnt: {(now() - ack.ts).total_seconds():+.1f} s beside this machine's"


def _schedule_comes(unit: PlayedUnit) -> str:
    message = unit.peer.after(0, "dn/schedule")
    if message is None:
        raise Broken("no dn/schedule came on connecting")
    if message.rev is None:
        raise Broken("dn/schedule has no rev")
    good, bad = check_sessions(message.data)
    if bad:
        raise Broken(f"{len(bad)} of its sessions are not valid: {bad[0].field} {bad[0].reason}")
    if message.data.valid_until <= now():
        raise Broken("valid_until has passed")
    return f"epoch {message.data.epoch}, rev {message.rev}, {len(good)} sessions"


def _schedule_is_retained(unit: PlayedUnit) -> str:
    held = unit.schedule()
    peer = unit.again()
    unit.peer = peer
    message = peer.after(0, "dn/schedule")
    if message is None:
        raise Broken("connected anew, no dn/schedule came")
    if (message.data.epoch, message.rev or 0) < (held.data.epoch, held.rev or 0):
        raise Broken("connected anew, an older dn/schedule came")
    return "came again on the second connection"


def _report(unit: PlayedUnit, epoch: int, rev: int) -> None:
    body = ScheduleReport(epoch=epoch, rev=rev, sha256="0" * 64, outcome="accepted")
    unit.peer.say(unit.topic("up/schedule"), body)


def _report_is_honoured(unit: PlayedUnit) -> str:
    # A region that has just begun may still be publishing what it has.
    for _ in range(SETTLES_WITHIN):
        if unit.peer.after(unit.peer.mark(), "dn/schedule", within_s=unit.peer.patience.silence_s) is None:
            break
    held = unit.schedule()
    mark = unit.peer.mark()
    _report(unit, held.data.epoch, held.rev or 0)
    if unit.peer.after(mark, "dn/schedule", within_s=unit.peer.patience.silence_s) is not None:
        raise Broken("a unit that has the newest is sent a schedule again")
    until = time.monotonic() + unit.peer.patience.long_s
    while time.monotonic() < until:
        _report(unit, held.data.epoch, (held.rev or 0) - 1)
        every = min(REPORT_EVERY_S, unit.peer.patience.answer_s)
        message = unit.peer.after(mark, "dn/schedule", within_s=every)
        if message is not None:
            return f"rev {message.rev} sent again to a unit with an older one"
    raise Broken("a unit that reports an older revision is not sent the newest again")


def _later_report_begins_an_epoch(unit: PlayedUnit) -> str:
    held = unit.schedule()
    later = (held.data.epoch, (held.rev or 0) + 1000)
    mark = unit.peer.mark()
    until = time.monotonic() + unit.peer.patience.long_s
    while time.monotonic() < until:
        _report(unit, *later)
        every = min(REPORT_EVERY_S, unit.peer.patience.answer_s)
        message = unit.peer.after(
            mark, "dn/schedule", lambda m: (m.data.epoch, m.rev or 0) > later, within_s=every
        )
        if message is not None:
            return f"epoch {message.data.epoch} after {held.data.epoch}"
    raise Broken("a unit with a later revision than the region's is never sent one that it would take")


def _revisions_never_go_back(unit: PlayedUnit) -> str:
    numbers = [(m.data.epoch, m.rev or 0) for m in unit.peer.all_of("dn/schedule")]
    if not numbers:
        raise NotApplicable("no schedule came")
    if numbers != sorted(numbers):
        raise Broken("an older revision came after a newer one")
    return f"{len(numbers)} schedules, in order"


def _configuration_comes(unit: PlayedUnit) -> str:
    message = unit.peer.after(0, "dn/config", within_s=unit.peer.patience.silence_s)
    if message is None:
        raise NotApplicable("no dn/config is kept for this unit; set something on it and run this again")
    if message.rev is None:
        raise Broken("dn/config has no rev")
    mark = unit.peer.mark()
    report = ConfigReport(applied=True, epoch=message.data.epoch, state="applied", wanted_rev=message.rev)
    unit.peer.say(unit.topic("up/config"), report, rev=message.rev)
    if unit.peer.after(mark, "dn/config", within_s=unit.peer.patience.silence_s) is not None:
        raise Broken("a unit that has applied the newest is sent a configuration again")
    return f"epoch {message.data.epoch}, rev {message.rev}"


def _command_is_cleared(unit: PlayedUnit) -> str:
    message = unit.peer.after(0, "dn/cmd", within_s=max(unit.wait_command_s, unit.peer.patience.silence_s))
    if message is None:
        raise NotApplicable("nobody sent this unit a command; use --wait-command and send one meanwhile")
    if message.expires_at is None:
        raise Broken("dn/cmd has no expires_at, so that every unit rejects it")
    for state in ("accepted", "running", "succeeded"):
        report = CommandReport(state=state)
        unit.peer.say(unit.topic("up/cmd", *message.topic.levels), report)
    if not unit.peer.was_cleared(unit.topic("dn/cmd", *message.topic.levels)):
        raise Broken("dn/cmd is not cleared after the command has succeeded")
    return f"{message.data.name}: cleared after its end"


def _foreign_topics_are_closed(unit: PlayedUnit) -> str:
    peer = unit.everything()
    unit.greet(peer)  # retained, so that whoever may read it does
    time.sleep(peer.patience.silence_s)
    heard = [*peer.all_of("dn/schedule"), *peer.all_of("dn/config")]
    others = [m for m in heard if m.topic.unit != unit.name]
    ups = [m for channel in ("up/status", "up/info", "up/schedule") for m in peer.all_of(channel)]
    unit.peer = unit.again()
    if others or ups:
        raise Broken("a unit is sent what is on others' topics, or on those that it writes itself")
    return "nothing but its own came"


def _bad_messages_are_survived(unit: PlayedUnit) -> str:
    sent = 0
    for payload in (b"", b"{", b"\xff\xfe", b"[]", b'{"v":2}'):
        unit.peer.put(unit.topic("up/schedule"), payload)
        sent += 1
    for name, payload in _bad_samples():
        try:
            unit.peer.put(unit.topic(name), payload)
            sent += 1
        except ContractError:
            continue  # it is the topic of the sample that is bad, or it has levels
    if unit.greet() is None:
        raise Broken("after messages that break the contract, up/status was not answered any more")
    return f"{sent} sent, and the next good one was answered"


def _bad_samples() -> list[tuple[str, bytes]]:
    folder = files("agent.contract.samples").joinpath("bad")
    names = [entry.name for entry in folder.iterdir() if entry.name.startswith("up-")]
    return [("/".join(name.split("-")[:2]), folder.joinpath(name).read_bytes()) for name in sorted(names)]


def _unknown_fields_are_ignored(unit: PlayedUnit) -> str:
    body = json.loads(encode(Status(state="ready", boot=unit.boot), now=now()))
    body["of_a_later_version"], body["data"]["of_a_later_version"] = 1, {"a": [1]}
    mark = unit.peer.mark()
    unit.peer.put(unit.topic("up/status"), json.dumps(body).encode())
    if unit.peer.after(mark, "dn/ack") is None:
        raise Broken("a status with a field that is not in the contract was not answered")
    return "answered like any other"


def _figures_are_taken(unit: PlayedUnit) -> str:
    at = now()
    unit.peer.say(unit.topic("up/event/telemetry"), Telemetry(at=at, uptime_s=60.0, processor=0.1))
    unit.peer.say(unit.topic("up/event/quality"), QualityReport(sid="conformance01", at=at, interval_s=5.0))
    unit.peer.say(unit.topic("up/info"), _info(unit))
    if unit.greet() is None:
        raise Broken("after telemetry, quality and info, up/status was not answered any more")
    return "taken, and the next status was answered"


def _servers_come(unit: PlayedUnit) -> str:
    asked, mark = Intent(id="conformance-ice"), unit.peer.mark()
    unit.peer.say(unit.topic("up/intent", ICE_SERVERS), asked)
    message = unit.peer.after(mark, "dn/notice", lambda m: m.topic.levels == (ICE_SERVERS,))
    if message is None:
        raise NotApplicable(
            "up/intent/ice_servers was not answered; without it a self-test measures no TURN and no line"
        )
    if message.data.id != asked.id:
        raise Broken("dn/notice/ice_servers does not carry the id of the intent that it answers")
    if not message.data.ok or message.data.ice_servers is None:
        raise Broken("dn/notice/ice_servers has no ice_servers; a region without any says an empty list")
    return f"{len(message.data.ice_servers)} servers"


def _info(unit: PlayedUnit) -> Info:
    return Info(
        software="conformance",
        board="played",
        certificate_sha256=unit.keys.certificate_sha256,
        certificate_not_after=unit.keys.not_after,
    )


def _what_came_kept_the_contract(unit: PlayedUnit) -> str:
    if unit.peer.broken:
        raise Broken(f"{len(unit.peer.broken)} messages break the contract; the first: {unit.peer.broken[0]}")
    return "every message that came could be read"


BASIC: tuple[Check[PlayedUnit], ...] = (
    Check("status answered", "dn/ack: its envelope's ts teaches the time.", _status_is_answered),
    Check(
        "schedule comes", "dn/schedule: a whole snapshot with epoch, rev and valid_until.", _schedule_comes
    ),
    Check("schedule retained", "dn/schedule is retained.", _schedule_is_retained),
    Check(
        "report honoured", "The region compares up/schedule's rev and publishes again.", _report_is_honoured
    ),
    Check(
        "configuration",
        "dn/config is retained and has a rev; up/config reports.",
        _configuration_comes,
    ),
    Check(
        "command cleared", "dn/cmd/{id} has expires_at and is cleared when it is over.", _command_is_cleared
    ),
    Check("figures", "up/event/telemetry, up/event/quality and up/info need no answer.", _figures_are_taken),
    Check("ICE servers", "dn/notice/ice_servers answers that intent, with its id.", _servers_come),
    Check("unknown fields", "Fields that are not known are ignored.", _unknown_fields_are_ignored),
    Check("bad messages", "A message that breaks the contract is dropped alone.", _bad_messages_are_survived),
)
LAST: tuple[Check[PlayedUnit], ...] = (
    Check(
        "later revision",
        "epoch grows when the region was restored from a backup.",
        _later_report_begins_an_epoch,
    ),
    Check("order", "An older (epoch, rev) is never sent after a newer one.", _revisions_never_go_back),
    Check("well-formed", "Bodies keep the contract's schemas.", _what_came_kept_the_contract),
    Check("access", "A unit reads …/u/{unit}/dn/# and nothing else.", _foreign_topics_are_closed),
)
