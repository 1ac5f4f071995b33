"""What IT's pages may ask of the region. `provisioning.fleet_services` implements it.

Every method may be called on any thread, takes the account that asks, and raises NotAllowed for any role but IT's
and Refused (web.clinic.services) with the field and a reason in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from agent.contract.commands import FINAL
from web.clinic.services import Account

Health = Literal["good", "attention", "bad", "revoked", "unknown"]
"""good: ready or in session, nothing to do. attention: works, but somebody should look (config refused, clock
off, certificate soon over, schedule behind). bad: lost, degraded or expired. unknown: has never been heard."""
ConfigStanding = Literal["current", "waiting", "deferred", "trial", "rejected", "rolled_back"]


@dataclass(frozen=True, slots=True)
class UnitQuery:
    """Which units; empty asks for all. `text` is looked for in name, serial number, room, clinic and version."""

    text: str = ""
    health: Health | None = None
    group: str | None = None
    clinic: str | None = None
    software: str | None = None
    config: ConfigStanding | None = None
    offset: int = 0
    limit: int = 100
    max_age_s: float = 0.0
    """How old the answer may be: a page that asks every few seconds shares one reading with all others that do."""


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit as the list shows it. `reasons` are keys of the text catalogue, worst first."""

    id: str
    serial: str | None
    room_id: str | None
    room: str | None
    clinic: str | None
    health: Health
    state: str
    since: datetime | None
    heard_at: datetime | None
    reasons: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    software: str = ""
    board: str = ""
    certificate_until: datetime | None = None
    config: ConfigStanding = "current"
    config_rev: int = 0
    config_reported_rev: int = 0
    schedule_current: bool = True
    busy: bool = False
    """A session is on, or begins within half an hour."""


@dataclass(frozen=True, slots=True)
class UnitList:
    """One page of the list, what is wrong first. `total`: how many were asked for, on all pages. `counts`: how
    many of each health there would be if none had been asked for."""

    units: tuple[UnitLine, ...]
    total: int
    counts: Mapping[Health, int]
    clinics: tuple[str, ...] = ()
    """All clinics that have a unit, and all versions that one runs: what the list can be narrowed to."""
    versions: tuple[str, ...] = ()
    at_the_door: int = 0
    """How many ask to be let in just now."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command, and how far it has come; `by` is an id, for pages a name for people."""

    id: str
    unit: str
    name: str
    arguments: Mapping[str, str]
    state: str
    reason: str
    result: Mapping[str, str]
    by: str
    made_at: datetime
    expires_at: datetime
    changed_at: datetime
    timeout_s: int = 0
    cancel: bool = False
    rollout_id: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Something that happened to a unit; kind is a key of the text catalogue."""

    at: datetime
    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what, when, to what."""

    at: datetime
    by: str
    action: str
    target: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate of a unit."""

    sha256: str
    purpose: str
    issued_at: datetime
    not_after: datetime
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnitPage:
    """All that is known of one unit. `config` is what it shall be; `origins` says of each field who set it:
    `unit`, `room`, or `group:` and a name. Digests of PINs are left out."""

    line: UnitLine
    info: Mapping[str, Any]
    faults: tuple[str, ...]
    config: Mapping[str, Any]
    origins: Mapping[str, str]
    config_errors: tuple[str, ...]
    certificates: tuple[CertificateLine, ...]
    commands: tuple[CommandLine, ...]
    history: tuple[HistoryLine, ...]
    audit: tuple[AuditLine, ...]
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    telemetry_at: datetime | None = None
    bootstrap: str | None = None
    """armed, used, blocked; None: it came in without one."""
    revoked: AuditLine | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentLine:
    """A unit at the door. `words` are what its screen shows for its key; `rival` another request under the same
    serial number with another key."""

    id: int
    serial: str
    words: tuple[str, ...]
    key_sha256: str
    why: Literal["new", "expired", "reset"]
    was: str | None
    software: str
    board: str
    state: str
    asked_at: datetime
    heard_at: datetime
    at_the_door: bool
    """It asked within the last two minutes."""
    rival: bool
    proposed_unit: str
    unit: str | None = None
    room_id: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BootstrapLine:
    """A bootstrap identity: whether the broker lets it in, and the unit that it became."""

    serial: str
    state: Literal["armed", "used", "blocked"]
    unit: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group, how many units are in it, and what it sets."""

    name: str
    about: str
    units: int
    config: Mapping[str, Any]
    rank: int


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """A rollout and how far it is; units by state."""

    id: int
    what: Literal["config", "command"]
    title: str
    payload: Mapping[str, Any]
    stages: tuple[str, ...]
    stage: int
    failures_allowed: str
    state: str
    reason: str
    by: str
    made_at: datetime
    changed_at: datetime
    counts: Mapping[str, int]
    units: tuple[tuple[str, int, str, str], ...] = ()
    """(unit, stage, state, reason), where one rollout is asked for."""


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """What shall go to which units. `units` by name, or all of `groups`, or all units."""

    what: Literal["config", "command"]
    title: str
    payload: Mapping[str, Any]
    """config: fields of agent.contract.unit_config.Config. command: name, arguments, expires_in_s, timeout_s."""
    units: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("1", "10%", "100%")
    failures_allowed: str = "5%"
    wait_s: int = 300


@dataclass(frozen=True, slots=True)
class FleetRoom:
    """A room that a unit can be put into."""

    id: str
    name: str
    clinic: str
    unit: str | None


class FleetServices(Protocol):
    """IT's doings; each that changes something is written to the audit log under the account."""

    def units(self, account: Account, query: UnitQuery) -> UnitList: ...
    def unit(self, account: Account, unit: str) -> UnitPage: ...
    def rooms(self, account: Account) -> Sequence[FleetRoom]: ...
    def assign(self, account: Account, room_id: str, unit: str | None, *, even_now: bool = False) -> None:
        """Put a unit into a room, in place of the one there. Raises Refused, with the field `session` where one
        is on there, unless even_now."""

    def enrolments(self, account: Account, *, all_states: bool = False) -> Sequence[EnrolmentLine]: ...
    def approve(
        self, account: Account, enrolment: int, unit: str, room_id: str | None, *, confirmed: bool = False
    ) -> None:
        """Let one in under a name; confirmed: also under one that another box has had."""

    def reject(self, account: Account, enrolment: int, reason: str) -> None: ...
    def bootstraps(self, account: Account) -> Sequence[BootstrapLine]:
        """Those that are armed or blocked; a used one stands on its unit's page."""

    def arm(self, account: Account, serial: str) -> None: ...
    def block(self, account: Account, serial: str) -> None: ...
    def revoke(self, account: Account, unit: str, reason: str) -> None: ...
    def unrevoke(self, account: Account, unit: str) -> None: ...

    def set_config(self, account: Account, unit: str, values: Mapping[str, Any]) -> None:
        """Set fields of the unit's own configuration; None gives a field back to groups and room."""

    def groups(self, account: Account) -> Sequence[GroupLine]: ...
    def make_group(self, account: Account, name: str, about: str, rank: int) -> None: ...
    def drop_group(self, account: Account, name: str) -> None: ...
    def set_members(
        self, account: Account, group: str, add: Sequence[str], remove: Sequence[str]
    ) -> None: ...
    def set_group_config(self, account: Account, group: str, values: Mapping[str, Any]) -> None: ...

    def command(
        self, account: Account, unit: str, name: str, arguments: Mapping[str, str], expires_in_s: int = 900
    ) -> str:
        """Send a command; returns its id."""

    def cancel(self, account: Account, command: str) -> None: ...
    def commands(self, account: Account, unit: str | None = None) -> Sequence[CommandLine]: ...

    def rollouts(self, account: Account) -> Sequence[RolloutLine]: ...
    def rollout(self, account: Account, rollout: int) -> RolloutLine: ...
    def roll_out(self, account: Account, request: RolloutRequest) -> int: ...
    def steer(self, account: Account, rollout: int, order: Literal["pause", "resume", "abort"]) -> None: ...

    def audit(
        self, account: Account, *, target: str | None = None, by: str | None = None, limit: int = 200
    ) -> Sequence[AuditLine]: ...
