"""Takes the steps of running rollouts, on the region's worker thread.

What a step decides and what it sends stand in one transaction, under the rollout's row: a region that is killed
between two steps, or a second instance of it, sends nothing twice. What was sent leaves by the outbox, as any
change does.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from agent.contract.commands import FINAL
from provisioning import audit, commands
from provisioning.config_standing import standing
from provisioning.configurations import refresh
from provisioning.database import Database
from provisioning.fleet_health import CONNECTED
from provisioning.fleet_models import CommandRow, Revocation, Rollout, RolloutUnit
from provisioning.models import Unit, UnitReport
from provisioning.rollout_plan import Amount, Answer, Member, Moves, Progress, next_moves
from provisioning.rollouts import command_times, skip_waiting
from web.clinic.services import Refused

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=1)
OPEN = ("waiting", "sent")


class RolloutWorker:
    """up: whether the broker is there; while it is not, nobody's silence counts."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], up: Callable[[], bool] = lambda: True
    ) -> None:
        self._database = database
        self._clock = clock
        self._up = up
        self._looked_at: datetime | None = None
        self._listening_since: datetime | None = None

    def tick(self) -> None:
        """Once a second, a step for each rollout that is not through."""
        now = self._clock()
        if not self._up():
            self._listening_since = None
            return
        self._listening_since = self._listening_since or now
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        unfinished = select(RolloutUnit.rollout_id).where(RolloutUnit.state == "sent").distinct()
        query = select(Rollout.id).where(
            or_(Rollout.state.in_(("running", "paused")), Rollout.id.in_(unfinished))
        )
        with self._database.read() as db:
            rollouts = db.scalars(query.order_by(Rollout.id)).all()
        for rollout in rollouts:
            with self._database.write() as db:
                self._step(db, rollout, now)

    def _step(self, db: Session, rollout: int, now: datetime) -> None:
        # Locked: whoever steers it, or another instance, waits.
        query = select(Rollout).where(Rollout.id == rollout).with_for_update(skip_locked=True)
        row = db.scalar(query)
        if row is None:
            return
        members = _members(db, row)
        moves = next_moves(_progress(db, row, self._listening_since or now), members, now)
        for unit, (state, reason) in moves.settled.items():
            _set(db, rollout, unit, state=state, reason=reason)
        if moves.send:
            _SENDERS[row.what](db, row, moves.send, now)
        if (moves.state, moves.stage) != (row.state, row.stage):
            _change(db, row, moves, now)


def _change(db: Session, row: Rollout, moves: Moves, now: datetime) -> None:
    if moves.state != row.state:
        log.info("rollout %d is %s: %s", row.id, moves.state, moves.reason)
        fields = {"reason": moves.reason}
        target = f"rollout:{row.id}"
        audit.note(db, now, by=audit.REGION, action=f"rollout_{moves.state}", target=target, fields=fields)
    row.state, row.stage, row.reason, row.changed_at = moves.state, moves.stage, moves.reason, now
    if moves.state == "stopped":
        skip_waiting(db, row.id, "the rollout was stopped")


def _progress(db: Session, row: Rollout, listening_since: datetime) -> Progress:
    query = (
        select(RolloutUnit.stage, RolloutUnit.state, func.count())
        .where(RolloutUnit.rollout_id == row.id)
        .group_by(RolloutUnit.stage, RolloutUnit.state)
    )
    counts = {(stage, state): number for stage, state, number in db.execute(query)}
    stages = max((stage for stage, _ in counts), default=0) + 1
    sizes = [sum(number for (each, _), number in counts.items() if each == stage) for stage in range(stages)]
    return Progress(
        state=row.state,
        stage=row.stage,
        stage_since=row.changed_at,
        wait=timedelta(seconds=row.wait_s),
        allowed=Amount.parse(row.failures_allowed),
        sizes=sizes,
        settled={key: number for key, number in counts.items() if key[1] not in OPEN},
        listening_since=listening_since,
    )


def _members(db: Session, row: Rollout) -> list[Member]:
    query = (
        select(
            RolloutUnit.unit_id,
            RolloutUnit.stage,
            RolloutUnit.state,
            RolloutUnit.sent_at,
            RolloutUnit.rev,
            Unit.config_epoch,
            Unit.config_rev,
            UnitReport.state.label("unit_state"),
            UnitReport.config_epoch.label("reported_epoch"),
            UnitReport.config_rev.label("reported_rev"),
            UnitReport.config_state,
            UnitReport.config_wanted_rev,
            UnitReport.config_errors,
            Revocation.unit_id.label("revoked"),
            CommandRow.state.label("command_state"),
            CommandRow.reason.label("command_reason"),
        )
        .join(Unit, Unit.id == RolloutUnit.unit_id)
        .join(UnitReport, UnitReport.unit_id == Unit.id)
        .outerjoin(Revocation, Revocation.unit_id == Unit.id)
        .outerjoin(CommandRow, CommandRow.id == RolloutUnit.command_id)
        .where(RolloutUnit.rollout_id == row.id, RolloutUnit.state.in_(OPEN), RolloutUnit.stage <= row.stage)
        .order_by(RolloutUnit.stage, RolloutUnit.unit_id)
    )
    answer = _config_answer if row.what == "config" else _command_answer
    return [_member(each, answer) for each in db.execute(query)]


def _member(row: Any, answer: Callable[[Any], tuple[Answer, str]]) -> Member:  # noqa: ANN401 - a row of names
    said, reason = answer(row) if row.state == "sent" else ("none", "")
    return Member(
        unit=row.unit_id,
        stage=row.stage,
        state=row.state,
        sent_at=row.sent_at,
        reachable=row.unit_state in CONNECTED,
        revoked=row.revoked is not None,
        answer=said,
        reason=reason,
    )


def _config_answer(row: Any) -> tuple[Answer, str]:  # noqa: ANN401 - as _members asks for it
    if row.reported_epoch == row.config_epoch and row.reported_rev >= row.rev:
        return ("none", "") if row.config_state == "trial" else ("succeeded", "")
    ours, theirs = (row.config_epoch, row.config_rev), (row.reported_epoch, row.reported_rev)
    how = standing(ours, theirs, row.config_state, row.config_wanted_rev)
    if how in {"rejected", "rolled_back"}:
        return "failed", ": ".join([how.replace("_", " "), *row.config_errors[:1]])[:300]
    return ("deferred", "") if how == "deferred" else ("none", "")


def _command_answer(row: Any) -> tuple[Answer, str]:  # noqa: ANN401 - as _members asks for it
    if row.command_state in FINAL:
        if row.command_state == "succeeded":
            return "succeeded", ""
        return "failed", ": ".join(filter(None, (row.command_state, row.command_reason)))[:300]
    # `accepted` with a reason is the contract's word for: it waits until nobody is in the room. `running` with
    # one: it is under way, and says how far; an update takes its time.
    deferred = row.command_state in {"accepted", "running"} and bool(row.command_reason)
    return ("deferred", "") if deferred else ("none", "")


def _send_config(db: Session, row: Rollout, units: Sequence[str], now: datetime) -> None:
    refused: dict[str, Refused] = {}
    revs = refresh(db, now, row.by, units, own=row.payload, refused=refused)
    for unit in units:
        if unit in refused:
            _set(db, row.id, unit, state="failed", reason=f"refused: {refused[unit]}"[:300])
        else:
            _set(db, row.id, unit, state="sent", sent_at=now, rev=revs[unit])


def _send_command(db: Session, row: Rollout, units: Sequence[str], now: datetime) -> None:
    expires_in, timeout_s = command_times(row.payload)
    for unit in units:
        command = CommandRow(
            id=f"c{secrets.token_hex(8)}",
            unit_id=unit,
            name=row.payload["name"],
            arguments=row.payload["arguments"],
            timeout_s=timeout_s,
            by=row.by,
            rollout_id=row.id,
            state="sent",
            reason="",
            made_at=now,
            expires_at=now + expires_in,
            changed_at=now,
        )
        try:
            commands.put(db, command)
        except Refused as refused:
            _set(db, row.id, unit, state="failed", reason=f"refused: {refused}"[:300])
        else:
            _set(db, row.id, unit, state="sent", sent_at=now, command_id=command.id)


def _set(db: Session, rollout: int, unit: str, **values: Any) -> None:  # noqa: ANN401 - columns of RolloutUnit
    query = update(RolloutUnit).where(RolloutUnit.rollout_id == rollout, RolloutUnit.unit_id == unit)
    db.execute(query.values(**values))


_SENDERS = {"config": _send_config, "command": _send_command}
