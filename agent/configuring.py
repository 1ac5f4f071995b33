"""A configuration's life on the unit: heard, waiting for the room, on trial, applied or rolled back. Pure.

    heard ──▶ rejected                      something in it is wrong: nothing of it is taken
      │
      ├─ what disturbs nobody ──────────▶ in force at once, in a call too
      └─ the rest ──▶ deferred ──▶ trial ──▶ applied
                        ▲  (room free) │
                        └── room taken ┤
                                       └──▶ rolled back, and not tried again by itself

The ledger is kept on disk at every step (agent/applying.py). A unit that starts with a trial in its ledger was
killed or lost its power within it, and rolls back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, ConfigReport, ConfigState

TO_THE_REGION = frozenset({"network", "broker", "region_ca"})
TRIED = TO_THE_REGION | {"devices", "panel", "media_ports"}
"""What can cut the unit off or break it: in force on trial first."""
WAITS = TRIED | {"screen"}
"""What would disturb a session: it waits until the room is free."""
FIELDS = tuple(name for name in Config.model_fields if name not in {"epoch", "attempt"})
"""What a configuration says; those two are about itself."""

Wrong = tuple[tuple[str, str], ...]
Check = Callable[[Config], Wrong]


class Heard(BaseModel):
    """A revision as it came."""

    model_config = ConfigDict(frozen=True)

    config: Config
    rev: int

    @property
    def number(self) -> tuple[int, int]:
        """By which revisions are ordered."""
        return self.config.epoch, self.rev


class Ledger(BaseModel):
    """All that is known of the region's configuration.

    `values` are in force, those on trial among them; a field that is None is as the unit's own settings and board
    have it. (`epoch`, `rev`) is the last revision that is wholly in force, `wanted` the newest one judged,
    `waiting` has its fields that wait for the room (`waits`), `before` what the fields `tried` are put back to.
    `refused` was rolled back, `failed` has digests of what it was. `later` came during a trial.
    """

    model_config = ConfigDict(frozen=True)

    values: Config = Config()
    epoch: int = 0
    rev: int = -1
    wanted: tuple[int, int] = (0, -1)
    attempt: int = 0
    state: ConfigState | None = None
    waiting: Config = Config()
    waits: tuple[str, ...] = ()
    before: Config = Config()
    tried: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)
    errors: tuple[str, ...] = ()
    wrong_fields: tuple[str, ...] = ()
    later: Heard | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Which fields of the wanted revision are not settled as it says."""
        unsettled = {*self.waits, *self.tried, *self.refused, *self.wrong_fields}
        return tuple(sorted(unsettled))

    def differs_from(self, other: Ledger) -> frozenset[str]:
        """Which fields have another value in force there."""
        return frozenset(name for name in FIELDS if getattr(self.values, name) != getattr(other.values, name))


def hear(ledger: Ledger, heard: Heard, check: Check = what_is_wrong) -> Ledger:
    """A revision has come; an older one than the newest heard changes nothing.

    During a trial it is kept until the trial is over, so that what it is judged by does not change.
    """
    newest = ledger.later.number if ledger.later is not None else ledger.wanted
    if heard.number <= newest:
        return ledger
    if ledger.state == "trial":
        return ledger.model_copy(update={"later": heard})
    wrong = check(heard.config)
    told: dict[str, Any] = {"wanted": heard.number, "attempt": heard.config.attempt}
    told |= {"waiting": Config(), "waits": ()}
    if wrong:
        errors = tuple(f"{field}: {reason}"[:500] for field, reason in wrong)
        names = tuple(dict.fromkeys(field.partition(".")[0] for field, _ in wrong))
        told |= {"state": "rejected", "errors": errors, "wrong_fields": names, "refused": ()}
        return ledger.model_copy(update=told)
    wanted = {name: getattr(heard.config, name) for name in FIELDS}
    changed = {name: value for name, value in wanted.items() if getattr(ledger.values, name) != value}
    refused = {
        name: value
        for name, value in changed.items()
        if ledger.failed.get(name) == _digest(value, heard.config.attempt)
    }
    at_once = {name: value for name, value in changed.items() if name not in WAITS}
    waiting = {name: value for name, value in changed.items() if name in WAITS and name not in refused}
    told |= {
        "values": ledger.values.model_copy(update=at_once),
        "waiting": Config().model_copy(update=waiting),
        "waits": tuple(waiting),
        "refused": tuple(refused),
        "failed": {name: ledger.failed[name] for name in refused},
        "errors": tuple(
            f"{name}: was rolled back before, and is not tried again by itself" for name in refused
        ),
        "wrong_fields": (),
    }
    ledger = ledger.model_copy(update=told)
    return ledger.model_copy(update={"state": "deferred"}) if waiting else _settled(ledger)


def begin(ledger: Ledger) -> Ledger:
    """The room is free: take what waits for it, on trial if it could do harm."""
    if ledger.state != "deferred":
        return ledger
    waiting = {name: getattr(ledger.waiting, name) for name in ledger.waits}
    tried = tuple(name for name in waiting if name in TRIED)
    before = {name: getattr(ledger.values, name) for name in tried}
    begun = ledger.model_copy(
        update={
            "values": ledger.values.model_copy(update=waiting),
            "waiting": Config(),
            "waits": (),
            "before": Config().model_copy(update=before),
            "tried": tried,
        }
    )
    return begun.model_copy(update={"state": "trial"}) if tried else _settled(begun)


def prove(ledger: Ledger, check: Check = what_is_wrong) -> Ledger:
    """The unit is well with what is on trial."""
    if ledger.state != "trial":
        return ledger
    proven = _settled(ledger.model_copy(update={"before": Config(), "tried": ()}))
    return _hear_later(proven, check)


def roll_back(ledger: Ledger, reason: str, check: Check = what_is_wrong) -> Ledger:
    """It is not: everything on trial is as it was before."""
    if ledger.state != "trial":
        return ledger
    failed = {name: _digest(getattr(ledger.values, name), ledger.attempt) for name in ledger.tried}
    rolled_back = ledger.model_copy(
        update={
            "values": _as_before(ledger),
            "before": Config(),
            "tried": (),
            "refused": tuple(dict.fromkeys((*ledger.refused, *ledger.tried))),
            "failed": {**ledger.failed, **failed},
            "errors": (*ledger.errors, reason[:500]),
        }
    )
    return _hear_later(_settled(rolled_back), check)


def postpone(ledger: Ledger) -> Ledger:
    """Someone needs the room before the trial is over: as it was, and once more when the room is free."""
    if ledger.state != "trial":
        return ledger
    tried = {name: getattr(ledger.values, name) for name in ledger.tried}
    return ledger.model_copy(
        update={
            "values": _as_before(ledger),
            "before": Config(),
            "tried": (),
            "waiting": Config().model_copy(update=tried),
            "waits": tuple(tried),
            "state": "deferred",
        }
    )


def report(ledger: Ledger, left_out: tuple[str, ...] = ()) -> tuple[ConfigReport, int | None] | None:
    """What the region is told, and which revision is in force; None before there is anything to tell."""
    if ledger.state is None:
        return None
    on_trial = ledger.state == "trial"
    epoch, rev = ledger.wanted if on_trial else (ledger.epoch, ledger.rev)
    body = ConfigReport(
        applied=ledger.state in {"applied", "trial"},
        errors=(*ledger.errors, *left_out),
        epoch=max(epoch, 0),
        state=ledger.state,
        wanted_epoch=ledger.wanted[0],
        wanted_rev=ledger.wanted[1],
        fields=ledger.fields,
    )
    return body, rev if rev >= 0 else None


def _settled(ledger: Ledger) -> Ledger:
    """Nothing waits and nothing is on trial: it is in force, but for what was refused."""
    if ledger.refused:
        return ledger.model_copy(update={"state": "rolled_back"})
    epoch, rev = ledger.wanted
    return ledger.model_copy(update={"state": "applied", "epoch": epoch, "rev": rev, "errors": ()})


def _hear_later(ledger: Ledger, check: Check) -> Ledger:
    if ledger.later is None:
        return ledger
    return hear(ledger.model_copy(update={"later": None}), ledger.later, check)


def _as_before(ledger: Ledger) -> Config:
    before: Mapping[str, Any] = {name: getattr(ledger.before, name) for name in ledger.tried}
    return ledger.values.model_copy(update=before)


def _digest(value: object, attempt: int) -> str:
    """Tells a value that failed from another; what is tried again at IT's wish differs by its attempt."""
    text = value.model_dump_json() if isinstance(value, BaseModel) else repr(value)
    return hashlib.sha256(f"{attempt} {text}".encode()).hexdigest()
