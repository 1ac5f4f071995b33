"""Changes that go to many units in stages: begun, told of, paused and ended. How they go on: rollout_plan.

The worker takes the steps (rollout_worker); every method here may be called on any thread.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from provisioning import audit, commands
from provisioning.config_checks import check, plain
from provisioning.config_merge import changed, without_secrets
from provisioning.database import Database
from provisioning.fleet_health import CONNECTED
from provisioning.fleet_models import Group, GroupMember, Revocation, Rollout, RolloutUnit
from provisioning.models import Unit, UnitReport
from provisioning.rollout_plan import Amount, stage_sizes
from web.clinic.fleet.services import RolloutLine, RolloutRequest
from web.clinic.services import Refused

WAIT_S = range(10, 86_401)
ONE_BY_ONE = frozenset({"wipe", "collect-diagnostics"})
"""Commands for one unit at a time: what cannot be taken back, and what needs a place of its own for each."""
EXPIRES_IN_S, TIMEOUT_S = 900, 120
UPDATE_EXPIRES_IN_S, UPDATE_TIMEOUT_S = 7 * 86_400, 86_400
"""An update waits for its unit, for the line and for a free room."""
MOST_SHOWN = 100
Order = Literal["pause", "resume", "abort"]


class Rollouts:
    """Begin, look at and steer them. by: an account's id, or `cli:` and a user."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def start(self, request: RolloutRequest, by: str) -> int:
        """Begin; returns its number. Raises Refused."""
        now, payload = self._clock(), _payload(request)
        _allowed(request.failures_allowed)
        if request.wait_s not in WAIT_S:
            raise Refused("wait_s", f"is from {WAIT_S[0]} to {WAIT_S[-1]} seconds")
        with self._database.read() as db:
            units = _chosen(db, request)
        sizes = _sizes(request.stages, len(units))
        with self._database.write() as db:
            row = Rollout(
                what=request.what,
                title=request.title.strip()[:120] or _title(request.what, payload),
                payload=payload,
                stages=list(request.stages),
                failures_allowed=request.failures_allowed.strip(),
                by=by[:64],
                made_at=now,
                changed_at=now,
                wait_s=request.wait_s,
            )
            db.add(row)
            db.flush()
            stage_of = [stage for stage, size in enumerate(sizes) for _ in range(size)]
            rows = [
                {"rollout_id": row.id, "unit_id": unit, "stage": stage, "state": "waiting", "reason": ""}
                for unit, stage in zip(units, stage_of, strict=True)
            ]
            db.execute(insert(RolloutUnit), rows)
            fields = {"title": row.title, "units": len(units), "stages": list(row.stages)}
            audit.note(db, now, by=by, action="rollout_start", target=f"rollout:{row.id}", fields=fields)
            return row.id

    def steer(self, rollout: int, order: Order, by: str) -> None:
        """Pause, let it go on, or end it; raises Refused. What was sent already is followed to its end. One that
        its threshold has stopped does not go on: begin another for the rest."""
        now = self._clock()
        with self._database.write() as db:
            row = _rollout(db, rollout)
            allowed = {"pause": {"running"}, "resume": {"paused"}, "abort": {"running", "paused"}}[order]
            if row.state not in allowed:
                raise Refused("rollout", f"is {row.state}, so that it cannot be told to {order}")
            row.state = {"pause": "paused", "resume": "running", "abort": "aborted"}[order]
            row.reason, row.changed_at = "", now
            if order == "abort":
                skip_waiting(db, row.id, "aborted")
            audit.note(db, now, by=by, action=f"rollout_{order}", target=f"rollout:{rollout}")

    def lines(self, names: Mapping[str, str]) -> Sequence[RolloutLine]:
        """The newest first, without their units. names: of accounts by their ids."""
        with self._database.read() as db:
            rows = db.scalars(select(Rollout).order_by(Rollout.id.desc()).limit(MOST_SHOWN)).all()
            counts: dict[int, Counter[str]] = defaultdict(Counter)
            query = (
                select(RolloutUnit.rollout_id, RolloutUnit.state, func.count())
                .where(RolloutUnit.rollout_id.in_([row.id for row in rows]))
                .group_by(RolloutUnit.rollout_id, RolloutUnit.state)
            )
            for rollout, state, number in db.execute(query):
                counts[rollout][state] = number
            return [_line(row, counts[row.id], names) for row in rows]

    def line(self, rollout: int, names: Mapping[str, str]) -> RolloutLine:
        """One with its units; raises Refused."""
        with self._database.read() as db:
            row = _rollout(db, rollout)
            query = select(RolloutUnit).where(RolloutUnit.rollout_id == rollout)
            members = db.scalars(query.order_by(RolloutUnit.stage, RolloutUnit.unit_id)).all()
        units = tuple((each.unit_id, each.stage, each.state, each.reason) for each in members)
        return _line(row, Counter(each.state for each in members), names, units)


def skip_waiting(db: Session, rollout: int, reason: str) -> None:
    """Those that were sent nothing yet are left out."""
    query = update(RolloutUnit).where(RolloutUnit.rollout_id == rollout, RolloutUnit.state == "waiting")
    db.execute(query.values(state="skipped", reason=reason))


def command_times(payload: Mapping[str, Any]) -> tuple[timedelta, int]:
    """How long a rollout's command may wait for its unit, and how many seconds it may run."""
    return timedelta(seconds=payload["expires_in_s"]), payload["timeout_s"]


def _payload(request: RolloutRequest) -> dict[str, Any]:
    """As it is kept, complete; raises Refused."""
    if request.what == "config":
        values = plain(request.payload)
        if not values:
            raise Refused("payload", "sets nothing")
        # A unit's own fields hold over all others, so that what is right here is right for each of them.
        check(changed({}, values))
        return values
    is_update = request.payload.get("name") == "update"
    expires_in_s, timeout_s = (
        (UPDATE_EXPIRES_IN_S, UPDATE_TIMEOUT_S) if is_update else (EXPIRES_IN_S, TIMEOUT_S)
    )
    payload = {
        "name": str(request.payload.get("name", "")),
        "arguments": dict(request.payload.get("arguments") or {}),
        "expires_in_s": request.payload.get("expires_in_s", expires_in_s),
        "timeout_s": request.payload.get("timeout_s", timeout_s),
    }
    if payload["name"] in ONE_BY_ONE:
        raise Refused("name", f"{payload['name']} is for one unit at a time")
    for name in ("expires_in_s", "timeout_s"):
        if not isinstance(payload[name], int):
            raise Refused(name, "is a number of seconds")
    commands.check(payload["name"], payload["arguments"], *command_times(payload))
    return payload


def _allowed(text: str) -> Amount:
    try:
        return Amount.parse(text)
    except ValueError as error:
        raise Refused("failures_allowed", str(error)) from None


def _sizes(stages: Sequence[str], total: int) -> list[int]:
    try:
        return stage_sizes(stages, total)
    except ValueError as error:
        raise Refused("stages", str(error)) from None


def _chosen(db: Session, request: RolloutRequest) -> list[str]:
    """The units, those that are connected first; raises Refused."""
    wanted = _named_units(db, request)
    query = (
        select(Unit.id, UnitReport.state, Revocation.unit_id)
        .outerjoin(UnitReport, UnitReport.unit_id == Unit.id)
        .outerjoin(Revocation, Revocation.unit_id == Unit.id)
        .order_by(Unit.id)
    )
    rows = [row for row in db.execute(query) if wanted is None or row[0] in wanted]
    if unknown := sorted((wanted or set()) - {row[0] for row in rows}):
        raise Refused("units", f"{unknown[0][:63]} is not known")
    if not rows:
        raise Refused("units", "there is none to go to")
    return [row[0] for row in sorted(rows, key=lambda row: (row[1] not in CONNECTED or bool(row[2]), row[0]))]


def _named_units(db: Session, request: RolloutRequest) -> set[str] | None:
    if not request.units and not request.groups:
        return None
    known = set(db.scalars(select(Group.name)))
    if unknown := sorted(set(request.groups) - known):
        raise Refused("groups", f"{unknown[0][:40]} is not known")
    members = select(GroupMember.unit_id).where(GroupMember.group.in_(request.groups))
    return {*request.units, *db.scalars(members)}


def _title(what: str, payload: Mapping[str, Any]) -> str:
    return (", ".join(sorted(payload)) if what == "config" else str(payload["name"]))[:120]


def _rollout(db: Session, rollout: int) -> Rollout:
    row = db.get(Rollout, rollout, with_for_update=True)
    if row is None:
        raise Refused("rollout", "is not known")
    return row


def _line(
    row: Rollout,
    counts: Mapping[str, int],
    names: Mapping[str, str],
    units: Collection[tuple[str, int, str, str]] = (),
) -> RolloutLine:
    payload = row.payload if row.what == "command" else without_secrets(row.payload)
    return RolloutLine(
        id=row.id,
        what=cast(Literal["config", "command"], row.what),
        title=row.title,
        payload=payload,
        stages=tuple(row.stages),
        stage=row.stage,
        failures_allowed=row.failures_allowed,
        state=row.state,
        reason=row.reason,
        by=names.get(row.by, row.by),
        made_at=row.made_at,
        changed_at=row.changed_at,
        counts=dict(counts),
        units=tuple(units),
    )
