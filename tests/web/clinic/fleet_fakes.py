"""A fleet in memory, with all kinds of trouble: what IT's pages are built against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fleet_units import FAULTY, WORDS, enrolment, make_units

from web.clinic.fleet.services import (
    AuditLine,
    BootstrapLine,
    CertificateLine,
    CommandLine,
    EnrolmentLine,
    FleetRoom,
    GroupLine,
    HistoryLine,
    RolloutLine,
    RolloutRequest,
    UnitLine,
    UnitList,
    UnitPage,
    UnitQuery,
)
from web.clinic.services import Account, NotAllowed, Refused

ACTIONS = {
    "approve": "enrolment_approved",
    "reject": "enrolment_rejected",
    "arm": "bootstrap_armed",
    "block": "bootstrap_blocked",
    "revoke": "unit_revoked",
    "unrevoke": "unit_unrevoked",
    "command": "command_send",
    "cancel": "command_cancel",
    "roll_out": "rollout_start",
}
"""As the region's audit log calls them."""
ORDER = ("bad", "attention", "unknown", "good", "revoked")


class FakeFleet:
    """FleetServices; `calls` keeps what was asked to be done, `refuse` refuses the next of a name."""

    def __init__(self, now: datetime, size: int = 24) -> None:
        self.now = now
        self.lines: dict[str, UnitLine] = {line.id: line for line in make_units(now, size)}
        self.all_rooms = {
            line.room_id: FleetRoom(line.room_id, line.room or "", line.clinic or "", line.id)
            for line in self.lines.values()
            if line.room_id
        }
        self.all_rooms["r-free"] = FleetRoom("r-free", "Rum 99", "Kusten", None)
        self.all_groups: dict[str, GroupLine] = {}
        self.door: dict[int, EnrolmentLine] = {}
        self.identities: dict[str, BootstrapLine] = {}
        self.own: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, CommandLine] = {}
        self.all_rollouts: dict[int, RolloutLine] = {}
        self.log: list[AuditLine] = []
        self.calls: list[tuple[Any, ...]] = []
        self.refuse: dict[str, Refused] = {}

    def _do(self, account: Account, name: str, *what: Any) -> None:
        self._look(account)
        if (refused := self.refuse.pop(name, None)) is not None:
            raise refused
        self.calls.append((name, *what))
        target = what[0].title if isinstance(what[0], RolloutRequest) else str(what[0])
        self.log.insert(
            0, AuditLine(self.now, account.name, ACTIONS.get(name, name), target, {"reason": "x" * 90})
        )

    def _look(self, account: Account) -> None:
        if account.role != "it":
            raise NotAllowed

    def _unit(self, unit: str) -> UnitLine:
        if unit not in self.lines:
            raise Refused("unit", "is not known")
        return self.lines[unit]

    # --- units
    def units(self, account: Account, query: UnitQuery) -> UnitList:
        self._look(account)
        found = [line for line in self.lines.values() if _fits(line, replace(query, health=None))]
        counts = Counter(line.health for line in found)
        found = [line for line in found if query.health in (None, line.health)]
        found.sort(key=lambda line: (ORDER.index(line.health), line.id))
        page = tuple(found[query.offset : query.offset + query.limit])
        clinics = tuple(sorted({line.clinic for line in self.lines.values() if line.clinic}))
        versions = tuple(sorted({line.software for line in self.lines.values() if line.software}))
        at_the_door = sum(each.at_the_door for each in self.door.values())
        return UnitList(page, len(found), counts, clinics, versions, at_the_door)

    def unit(self, account: Account, unit: str) -> UnitPage:
        self._look(account)
        line, own = self._unit(unit), self.own.get(unit, {})
        config: dict[str, Any] = {"languages": ["sv", "en"], "dscp": 46}
        origins = {"languages": "room", "dscp": "group:kusten"}
        if line.room:
            config["room_name"], origins["room_name"] = line.room, "room"
        config |= {name: value for name, value in own.items() if name != "staff_pin_digest"}
        return UnitPage(
            line=line,
            info={"software": line.software, "board": line.board, "addresses": ["192.0.2.7"]},
            faults=("camera",) if line.state == "degraded" else (),
            config=config,
            origins=origins | dict.fromkeys(own, "unit"),
            config_errors=("network.gateway: is not in the network",) if line.config == "rejected" else (),
            certificates=(CertificateLine("ab" * 32, "operational", self.now, self.now, self.now),),
            commands=tuple(reversed([one for one in self.sent.values() if one.unit == unit])),
            history=(
                HistoryLine(self.now, "started", {"boot": 7, "sha256": "ab" * 32, "was": "", "by": "a4"}),
            ),
            audit=tuple(one for one in self.log if one.target == unit),
            telemetry={"processor": 0.31, "uptime_s": 93784.0, "temperature_c": 51.25, "throttled": False},
            telemetry_at=self.now - timedelta(seconds=40),
            bootstrap="used",
            revoked=AuditLine(self.now, "Ivar It", "revoke", unit, {"reason": "Stulen"})
            if line.health == "revoked"
            else None,
        )

    def rooms(self, account: Account) -> Sequence[FleetRoom]:
        self._look(account)
        return list(self.all_rooms.values())

    def assign(self, account: Account, room_id: str, unit: str | None, *, even_now: bool = False) -> None:
        if any(line.busy and line.room_id == room_id for line in self.lines.values()) and not even_now:
            raise Refused("session", "is on in the room")
        self._do(account, "assign", room_id, unit)
        for id_, room in self.all_rooms.items():
            if room.unit == unit:
                self.all_rooms[id_] = replace(room, unit=None)
        self.all_rooms[room_id] = replace(self.all_rooms[room_id], unit=unit)

    # --- the door
    def enrolments(self, account: Account, *, all_states: bool = False) -> Sequence[EnrolmentLine]:
        self._look(account)
        return [one for one in self.door.values() if all_states or one.state in ("waiting", "conflict")]

    def approve(
        self, account: Account, enrolment: int, unit: str, room_id: str | None, *, confirmed: bool = False
    ) -> None:
        if unit in self.lines and not confirmed:
            raise Refused("unit", f"{unit} exists and is another box, as far as is known")
        self._do(account, "approve", enrolment, unit, room_id)
        self._decide(account, enrolment, state="approved", unit=unit, room_id=room_id)

    def reject(self, account: Account, enrolment: int, reason: str) -> None:
        self._do(account, "reject", enrolment, reason)
        self._decide(account, enrolment, state="rejected", reason=reason)

    def _decide(self, account: Account, enrolment: int, **changes: Any) -> None:
        decided = {"decided_by": account.name, "decided_at": self.now}
        self.door[enrolment] = replace(self.door[enrolment], **changes, **decided)

    def bootstraps(self, account: Account) -> Sequence[BootstrapLine]:
        self._look(account)
        return list(self.identities.values())

    def arm(self, account: Account, serial: str) -> None:
        self._do(account, "arm", serial)
        self.identities[serial] = BootstrapLine(serial, "armed", None, self.now)

    def block(self, account: Account, serial: str) -> None:
        self._do(account, "block", serial)
        self.identities[serial] = BootstrapLine(serial, "blocked", None, self.now)

    def revoke(self, account: Account, unit: str, reason: str) -> None:
        self._do(account, "revoke", unit, reason)
        self.lines[unit] = replace(self._unit(unit), health="revoked", state="revoked", reasons=("revoked",))

    def unrevoke(self, account: Account, unit: str) -> None:
        self._do(account, "unrevoke", unit)
        self.lines[unit] = replace(self._unit(unit), health="unknown", state="unknown", reasons=())

    # --- configuration
    def set_config(self, account: Account, unit: str, values: Mapping[str, Any]) -> None:
        self._do(account, "set_config", unit, dict(values))
        own = {**self.own.get(unit, {}), **values}
        self.own[unit] = {name: value for name, value in own.items() if value is not None}

    def groups(self, account: Account) -> Sequence[GroupLine]:
        self._look(account)
        return list(self.all_groups.values())

    def make_group(self, account: Account, name: str, about: str, rank: int) -> None:
        self._do(account, "make_group", name, about, rank)
        self.all_groups[name] = GroupLine(name, about, 0, {}, rank)

    def drop_group(self, account: Account, name: str) -> None:
        self._do(account, "drop_group", name)
        del self.all_groups[name]

    def set_members(self, account: Account, group: str, add: Sequence[str], remove: Sequence[str]) -> None:
        for unit in add:
            if unit not in self.lines:
                raise Refused("add", f"{unit} is not a unit here")
        self._do(account, "set_members", group, tuple(add), tuple(remove))
        for unit in (*add, *remove):
            line = self.lines[unit]
            kept = tuple(one for one in line.groups if one != group)
            self.lines[unit] = replace(line, groups=(*kept, group) if unit in add else kept)
        count = sum(group in line.groups for line in self.lines.values())
        self.all_groups[group] = replace(self.all_groups[group], units=count)

    def set_group_config(self, account: Account, group: str, values: Mapping[str, Any]) -> None:
        self._do(account, "set_group_config", group, dict(values))
        config = {**self.all_groups[group].config, **values}
        config = {name: value for name, value in config.items() if value is not None}
        self.all_groups[group] = replace(self.all_groups[group], config=config)

    # --- commands
    def command(
        self, account: Account, unit: str, name: str, arguments: Mapping[str, str], expires_in_s: int = 900
    ) -> str:
        self._unit(unit)
        self._do(account, "command", unit, name, dict(arguments), expires_in_s)
        id_ = f"c{len(self.sent):05d}"
        until = self.now + timedelta(seconds=expires_in_s)
        self.sent[id_] = CommandLine(
            id_, unit, name, arguments, "sent", "", {}, account.name, self.now, until, self.now
        )
        return id_

    def cancel(self, account: Account, command: str) -> None:
        if command not in self.sent or self.sent[command].state not in ("sent", "accepted"):
            raise Refused("command", "has begun or is over")
        self._do(account, "cancel", command)
        self.sent[command] = replace(self.sent[command], state="canceled")

    def commands(self, account: Account, unit: str | None = None) -> Sequence[CommandLine]:
        self._look(account)
        return [one for one in self.sent.values() if unit in (None, one.unit)]

    # --- rollouts
    def rollouts(self, account: Account) -> Sequence[RolloutLine]:
        self._look(account)
        return [replace(one, units=()) for one in reversed(self.all_rollouts.values())]

    def rollout(self, account: Account, rollout: int) -> RolloutLine:
        self._look(account)
        if rollout not in self.all_rollouts:
            raise Refused("rollout", "is not known")
        return self.all_rollouts[rollout]

    def roll_out(self, account: Account, request: RolloutRequest) -> int:
        self._do(account, "roll_out", request)
        number = len(self.all_rollouts) + 1
        self.all_rollouts[number] = RolloutLine(
            number,
            request.what,
            request.title,
            request.payload,
            request.stages,
            0,
            request.failures_allowed,
            "running",
            "",
            account.name,
            self.now,
            self.now,
            {"waiting": 1},
            (("u-001", 0, "waiting", ""),),
        )
        return number

    def steer(self, account: Account, rollout: int, order: str) -> None:
        line = self.rollout(account, rollout)
        if line.state in ("done", "aborted"):
            raise Refused("rollout", "is over")
        self._do(account, "steer", rollout, order)
        state = {"pause": "paused", "resume": "running", "abort": "aborted"}[order]
        self.all_rollouts[rollout] = replace(line, state=state)

    def audit(
        self, account: Account, *, target: str | None = None, by: str | None = None, limit: int = 200
    ) -> Sequence[AuditLine]:
        self._look(account)
        return [one for one in self.log if (target or "") in one.target and (by or "") in one.by][:limit]


def _fits(line: UnitLine, query: UnitQuery) -> bool:
    held = (line.id, line.serial, line.room, line.clinic, line.software)
    text = query.text.lower()
    return (
        (not text or any(text in (part or "").lower() for part in held))
        and query.group in (None, *line.groups)
        and query.clinic in (None, line.clinic)
        and query.software in (None, line.software)
        and query.config in (None, line.config)
    )


def full_fleet(now: datetime, size: int = 320) -> FakeFleet:
    """A fleet with something on every page."""
    fleet = FakeFleet(now, size)
    it = Account("a4", "Ivar It", "it", "Kusten")
    for name, about, rank in (("kusten", "Allt vid kusten", 0), ("provning", "Nya versioner först", 10)):
        fleet.make_group(it, name, about, rank)
        members = [line.id for line in fleet.lines.values() if int(line.id[2:]) % (3 + rank) == 0]
        fleet.set_members(it, name, members, [])
    fleet.set_group_config(it, "kusten", {"dscp": 46, "selftest": {"at": ["03:30", "12:15"]}})
    fleet.door = {
        1: enrolment(1, now, "HR-2026-00417"),
        2: enrolment(2, now, "HR-2026-00418", why="expired", was="u-007", words=WORDS[2], minutes=9),
        3: enrolment(3, now, "HR-2026-00420", words=WORDS[1], rival=True),
        4: enrolment(4, now, "HR-2026-00420", words=WORDS[2], rival=True),
        5: enrolment(5, now, "HR-2026-00411", state="proven", unit="u-011", decided_by="Ivar It"),
        6: enrolment(6, now, "HR-2026-00409", state="rejected", reason="Fel ord", decided_by="Ivar It"),
    }
    fleet.identities = {
        "HR-2026-00418": BootstrapLine("HR-2026-00418", "armed", "u-007", now),
        "HR-2026-00399": BootstrapLine("HR-2026-00399", "blocked", None, now - timedelta(days=3)),
    }
    unit = FAULTY[0]
    for name, state, reason in (
        ("selftest", "succeeded", ""),
        ("restart", "accepted", "waits until the room is free"),
        ("show-message", "failed", "the screen does not answer"),
        ("locate", "running", ""),
    ):
        id_ = fleet.command(
            it, unit, name, {"text": "Tekniker kommer 14:00"} if name == "show-message" else {}
        )
        fleet.sent[id_] = replace(fleet.sent[id_], state=state, reason=reason)
    fleet.set_config(it, unit, {"phone": "010-123 45 67", "network": {"method": "dhcp", "vlan": 120}})
    ids = sorted(fleet.lines)[:100]
    states = ["succeeded"] * 9 + ["failed"] * 2 + ["sent"] * 4 + ["waiting"] * 85
    stages = [0] + [1] * 10 + [2] * 89
    units = tuple(
        (id_, stage, state, "no answer within 300 s" if state == "failed" else "")
        for id_, stage, state in zip(ids, stages, states, strict=False)
    )
    request = RolloutRequest("command", "Omstart i natt", {"name": "restart", "arguments": {"what": "agent"}})
    first, second = fleet.roll_out(it, request), fleet.roll_out(it, request)
    fleet.all_rollouts[second] = replace(
        fleet.all_rollouts[second], units=units, stage=2, counts=Counter(states), title="Nytt VLAN i länet"
    )
    fleet.all_rollouts[first] = replace(
        fleet.all_rollouts[first],
        state="stopped",
        reason="3 of the 11 units in the stages begun have failed",
        counts={"failed": 3},
    )
    return fleet
