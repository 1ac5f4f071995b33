"""What a unit owes a region, checked by one that is played: `halsorum contract check-unit`."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.contract import Message, Topic, encode
from agent.contract.commands import FINAL, Command
from agent.contract.events import Ack, event_hash
from agent.contract.schedule import Schedule
from agent.contract.unit_config import Config
from provisioning.conformance.checks import Broken, Check, NotApplicable
from provisioning.conformance.peer import Peer, now

COMMAND = "selftest"
"""It harms nobody: a unit that has someone in the room rejects or defers it."""


@dataclass
class PlayedRegion:
    """The region that is played, and the unit it plays to. `wait_loss_s`: somebody cuts its power meanwhile."""

    unit: str
    peer: Peer
    wait_loss_s: float = 0.0
    epoch: int = 0
    rev: int = 0

    def topic(self, channel: str, *levels: str) -> Topic:
        """One of the unit's."""
        return Topic(self.unit, channel, levels)

    def schedule(self, *sessions: dict[str, Any], epoch: int | None = None, rev: int | None = None) -> bytes:
        """The bytes of a schedule, of the next revision if none is given."""
        if rev is None:
            self.rev += 1
            rev = self.rev
        body = Schedule(
            epoch=self.epoch if epoch is None else epoch,
            valid_until=now() + timedelta(days=7),
            salt="0" * 32,
            sessions=sessions,
        )
        return encode(body, now=now(), rev=rev)

    def send_schedule(self, payload: bytes) -> int:
        """The mark before it was sent."""
        mark = self.peer.mark()
        self.peer.put(self.topic("dn/schedule"), payload)
        return mark

    def report(self, mark: int, rev: int, within_s: float | None = None) -> Message | None:
        """The unit's report of a revision in this epoch."""
        return self.peer.after(
            mark, "up/schedule", lambda m: (m.data.epoch, m.data.rev) == (self.epoch, rev), within_s
        )

    def accepted(self, payload: bytes) -> Message:
        """Send a schedule that the unit is to accept; its report."""
        report = self.report(self.send_schedule(payload), self.rev)
        if report is None:
            raise Broken(f"schedule {self.rev} was not reported in up/schedule")
        if report.data.outcome != "accepted":
            raise Broken(f"a good schedule was rejected: {report.data.reason}")
        return report


def session(days: int = 2, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A session of the days to come, as it stands in a schedule."""
    start = now().replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
    values = {
        "sid": secrets.token_hex(8),
        "ref": "A17",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "with": {"role": "clinician", "clinic": "Prov"},
    }
    return values | changes


def _presence_is_retained(region: PlayedRegion) -> str:
    message = region.peer.after(0, "up/status")
    if message is None:
        raise Broken("nothing is retained on up/status")
    if message.data.state in {"lost", "revoked"}:
        raise Broken(f"up/status says {message.data.state}; start the unit first")
    return f"{message.data.state}, boot {message.data.boot}"


def _info_is_retained(region: PlayedRegion) -> str:
    message = region.peer.after(0, "up/info")
    if message is None:
        raise Broken("nothing is retained on up/info")
    return f"{message.data.software}, certificate until {message.data.certificate_not_after:%Y-%m-%d}"


def _schedule_is_accepted(region: PlayedRegion) -> str:
    last = region.peer.after(0, "up/schedule", within_s=region.peer.patience.silence_s)
    region.epoch = 1 + (last.data.epoch if last is not None else 0)
    report = region.accepted(region.schedule(session(2), session(3)))
    return f"epoch {region.epoch}, rev {report.data.rev} accepted"


def _older_is_ignored(region: PlayedRegion) -> str:
    newest = region.rev
    for epoch, rev in ((region.epoch, newest - 1), (region.epoch - 1, newest + 50)):
        mark = region.send_schedule(region.schedule(session(4), epoch=max(0, epoch), rev=rev))
        taken = region.peer.after(
            mark,
            "up/schedule",
            lambda m, rev=rev: m.data.rev == rev and m.data.outcome == "accepted",  # type: ignore[misc]
            region.peer.patience.silence_s,
        )
        if taken is not None:
            raise Broken(f"epoch {epoch}, rev {rev} was accepted after epoch {region.epoch}, rev {newest}")
    return "an older rev and an older epoch were not taken"


def _bad_session_is_rejected_alone(region: PlayedRegion) -> str:
    bad = session(3, sid="badsession01", end=(now() - timedelta(days=1)).isoformat())
    report = region.accepted(region.schedule(session(2), bad))
    named = [item.sid for item in report.data.rejected]
    if named != ["badsession01"]:
        raise Broken("a session that ends before it starts was not named as rejected, or others were too")
    return f"rejected alone: {report.data.rejected[0].field}"


def _unknown_fields_are_ignored(region: PlayedRegion) -> str:
    body = json.loads(region.schedule(session(2, of_a_later_version=1)))
    body["of_a_later_version"], body["data"]["of_a_later_version"] = 1, {}
    if region.accepted(json.dumps(body).encode()).data.rejected:
        raise Broken("a session with a field that is not in the contract was rejected")
    return "accepted"


def _other_version_is_rejected(region: PlayedRegion) -> str:
    body = json.loads(region.schedule(session(2), rev=region.rev + 1))
    body["v"] = 2
    mark = region.send_schedule(json.dumps(body).encode())
    report = region.report(mark, region.rev + 1, region.peer.patience.silence_s)
    if report is not None and report.data.outcome == "accepted":
        raise Broken("a message of version 2 was accepted")
    return "not accepted"


def _bad_messages_are_survived(region: PlayedRegion) -> str:
    for payload in (b"{", b"\xff\xfe", b"[]", b'{"v":1}'):
        for channel in ("dn/schedule", "dn/config", "dn/ack"):
            region.peer.put(region.topic(channel), payload)
    region.accepted(region.schedule(session(2)))
    return "the next good schedule was accepted"


def _send_config(region: PlayedRegion, epoch: int, rev: int, **fields: Any) -> Message | None:  # noqa: ANN401
    mark = region.peer.mark()
    region.peer.say(region.topic("dn/config"), Config(epoch=epoch, **fields), rev=rev)
    # Of the revision before, a report may come still: in force after it was on trial.
    return region.peer.after(
        mark, "up/config", lambda m: bool(m.data.errors) or (m.data.epoch == epoch and m.rev == rev)
    )


def _config_is_reported(region: PlayedRegion) -> str:
    last = region.peer.after(0, "up/config", within_s=region.peer.patience.silence_s)
    epoch = 1 + (last.data.epoch if last is not None else 1)
    report = _send_config(region, epoch, 1, phone="0771-00 00 00")
    if report is None or report.data.errors:
        raise Broken("a good configuration was not reported as applied, deferred or on trial in up/config")
    bad = _send_config(region, epoch, 2, languages=())
    if bad is None or not bad.data.errors:
        raise Broken("a configuration without any language was not reported with its error")
    if bad.rev == 2 and bad.data.applied:
        raise Broken("a configuration with errors was applied")
    return f"rev 1 {report.data.state or 'applied'}, rev 2 refused"


def _command(region: PlayedRegion, name: str, expires_in: timedelta | None) -> tuple[str, Message | None]:
    number = secrets.token_hex(8)
    mark = region.peer.mark()
    expires_at = None if expires_in is None else now() + expires_in
    region.peer.say(region.topic("dn/cmd", number), Command(name=name), expires_at=expires_at)
    final = region.peer.after(
        mark,
        "up/cmd",
        lambda m: m.topic.levels == (number,) and m.data.state in FINAL,
        region.peer.patience.long_s,
    )
    return number, final


def _clear(region: PlayedRegion, number: str) -> None:
    region.peer.put(region.topic("dn/cmd", number), b"")


def _command_is_done_once(region: PlayedRegion) -> str:
    number, final = _command(region, COMMAND, timedelta(minutes=5))
    if final is None:
        raise Broken(f"{COMMAND} did not come to an end in up/cmd")
    if final.data.state == "rejected":
        _clear(region, number)
        raise NotApplicable(f"the unit rejected it: {final.data.reason}; try again when the room is free")
    mark = region.peer.mark()
    expires_at = now() + timedelta(minutes=5)
    region.peer.say(region.topic("dn/cmd", number), Command(name=COMMAND), expires_at=expires_at)
    again = region.peer.after(
        mark,
        "up/cmd",
        lambda m: m.topic.levels == (number,) and m.data.state in {"accepted", "running"},
        region.peer.patience.silence_s,
    )
    _clear(region, number)
    if again is not None:
        raise Broken("the same command, sent twice, was begun twice")
    return f"{COMMAND}: {final.data.state}; the second message began nothing"


def _refused(
    region: PlayedRegion, name: str, expires_in: timedelta | None, states: set[str], what: str
) -> str:
    number, final = _command(region, name, expires_in)
    _clear(region, number)
    if final is None:
        raise Broken(f"{what} was not answered in up/cmd")
    if final.data.state not in states:
        raise Broken(f"{what} ended as {final.data.state}")
    return f"{final.data.state} {final.data.reason}".strip()


def _expired_command(region: PlayedRegion) -> str:
    return _refused(
        region, COMMAND, -timedelta(hours=1), {"expired", "rejected"}, "a command past its expiry"
    )


def _command_without_expiry(region: PlayedRegion) -> str:
    return _refused(region, COMMAND, None, {"rejected"}, "a command without expires_at")


def _unknown_command(region: PlayedRegion) -> str:
    return _refused(region, "make-coffee", timedelta(minutes=5), {"rejected"}, "a command that is not known")


def _events_are_repeated_until_acknowledged(region: PlayedRegion) -> str:
    mark = region.peer.mark()
    region.accepted(region.schedule(session(2), session(3, sid="badsession02", start="tomorrow")))
    first = region.peer.after(mark, "up/event", within_s=region.peer.patience.long_s)
    if first is None:
        raise NotApplicable(
            "the unit had nothing to tell; let something happen in the room and run this again"
        )
    event = first.data
    again = region.peer.after(
        mark,
        "up/event",
        lambda m: m is not first and m.data.seq == event.seq,
        region.peer.patience.long_s,
    )
    if again is None:
        raise Broken(f"event {event.seq} was not acknowledged, and not sent again")
    digest = event_hash(
        epoch=event.epoch,
        seq=event.seq,
        prev=event.prev,
        at=event.at.isoformat(),
        kind=event.kind,
        sid=event.sid,
        fields=dict(event.fields),
    )
    if digest != event.hash:
        raise Broken(f"event {event.seq} does not carry the hash of its content")
    return _silent_after_ack(region)


def _silent_after_ack(region: PlayedRegion) -> str:
    newest = max(region.peer.all_of("up/event"), key=lambda m: (m.data.epoch, m.data.seq)).data
    region.peer.say(region.topic("dn/ack"), Ack(epoch=newest.epoch, seq=newest.seq))
    region.peer.after(region.peer.mark(), "up/event", within_s=region.peer.patience.silence_s)
    mark = region.peer.mark()
    known = (newest.epoch, newest.seq)
    again = region.peer.after(
        mark, "up/event", lambda m: (m.data.epoch, m.data.seq) <= known, region.peer.patience.answer_s
    )
    if again is not None:
        raise Broken(f"event {again.data.seq} was acknowledged, and sent again")
    return f"sent again until acknowledged; up to {newest.seq} now"


def _loss_is_told(region: PlayedRegion) -> str:
    if not region.wait_loss_s:
        raise NotApplicable("use --wait-loss, and cut the unit's power while it waits")
    mark = region.peer.mark()
    lost = region.peer.after(mark, "up/status", lambda m: m.data.state == "lost", region.wait_loss_s)
    if lost is None:
        raise Broken("the broker had no Last Will to send on up/status")
    return f"lost, boot {lost.data.boot}"


def _what_came_kept_the_contract(region: PlayedRegion) -> str:
    if region.peer.broken:
        count = len(region.peer.broken)
        raise Broken(f"{count} messages break the contract; the first: {region.peer.broken[0]}")
    return "every message that came could be read"


CHECKS: tuple[Check[PlayedRegion], ...] = (
    Check("presence", "up/status is retained.", _presence_is_retained),
    Check("info", "up/info is retained.", _info_is_retained),
    Check("schedule", "dn/schedule is reported in up/schedule with its rev.", _schedule_is_accepted),
    Check("older schedule", "An older (epoch, rev) is ignored.", _older_is_ignored),
    Check("bad session", "A bad session is rejected alone and reported.", _bad_session_is_rejected_alone),
    Check("unknown fields", "Fields that are not known are ignored.", _unknown_fields_are_ignored),
    Check("other version", "A message with an unknown v is rejected.", _other_version_is_rejected),
    Check("bad messages", "A message that breaks the contract is dropped alone.", _bad_messages_are_survived),
    Check(
        "configuration",
        "up/config says which rev is in force, and errors.",
        _config_is_reported,
    ),
    Check("command once", "A command is done once, however often it comes.", _command_is_done_once),
    Check("expired command", "expires_at says until when a command may begin.", _expired_command),
    Check("no expiry", "A command without expires_at is rejected.", _command_without_expiry),
    Check("unknown command", "A command that the unit does not know is rejected.", _unknown_command),
    Check(
        "events", "Events are sent until dn/ack says they are kept.", _events_are_repeated_until_acknowledged
    ),
    Check("well-formed", "Bodies keep the contract's schemas.", _what_came_kept_the_contract),
    Check("loss", "The Last Will says lost on up/status.", _loss_is_told),
)
