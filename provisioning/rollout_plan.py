"""How a rollout goes on: whom it reaches in which stage, when it goes further, and when it stops. Pure.

**Stages** hold a number of units each, or a share of all; the last takes whoever is left. Units that are connected
come first, so that the first stage tells something.

**A unit** waits until its stage has begun and it is connected, and is skipped if it does not come within `wait`.
Once it was sent the change it has succeeded or failed by its own word, or has failed if it says nothing for
`wait`. One that defers it, since someone is in the room, holds nobody up and has not failed; after a day without
an end it has.

**A stage** is over when nobody in it is waited for; the next one begins if at least one unit has succeeded in it.
Otherwise it proves nothing, and the rollout pauses.

**The threshold**: with `3`, a fourth failure stops the rollout. With `5%`, it stops as soon as more than that
share of the units in the stages begun so far have failed, rounded down: of a first stage of one unit, none may
fail. What was sent is followed to its end; nothing more is sent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Answer = Literal["none", "deferred", "succeeded", "failed"]
DEFERRED_AT_MOST = timedelta(days=1)
AT_ONCE = 50
"""Units that are sent to in one go; the worker has calls to serve in between."""
MOST_STAGES = 20
_AMOUNT = re.compile(r"([0-9]{1,6})(%?)")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of units, or a share of them in percent."""

    number: int
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Amount:
        """`10` or `25%`; raises ValueError in words."""
        match = _AMOUNT.fullmatch(text.strip())
        if match is None or (match[2] and int(match[1]) > 100):
            raise ValueError(
                f"{text[:20]!r} is neither a number of units, such as 10, nor a share, such as 25%"
            )
        return cls(int(match[1]), bool(match[2]))

    def of(self, total: int, *, up: bool) -> int:
        """As a number of units."""
        share = total * self.number / 100
        return (math.ceil(share) if up else math.floor(share)) if self.is_share else self.number


def stage_sizes(stages: Sequence[str], total: int) -> list[int]:
    """How many units each stage takes; those that would take none are left out. Raises ValueError in words."""
    if not 1 <= len(stages) <= MOST_STAGES:
        raise ValueError(f"a rollout has 1 to {MOST_STAGES} stages")
    amounts = [Amount.parse(text) for text in stages]
    if any(amount.number == 0 for amount in amounts):
        raise ValueError("a stage of no units tells nothing")
    sizes: list[int] = []
    for amount in amounts[:-1]:
        sizes.append(min(amount.of(total, up=True), total - sum(sizes)))
    sizes.append(total - sum(sizes))
    return [size for size in sizes if size]


@dataclass(frozen=True, slots=True)
class Member:
    """A unit that is not through: `waiting` or `sent`, and what it has said of it."""

    unit: str
    stage: int
    state: str
    sent_at: datetime | None = None
    reachable: bool = True
    revoked: bool = False
    answer: Answer = "none"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a rollout stands. begun: how many units each stage holds; settled: (stage, state) -> how many are
    through."""

    state: str
    stage: int
    stage_since: datetime
    wait: timedelta
    allowed: Amount
    sizes: Sequence[int]
    settled: Mapping[tuple[int, str], int]
    listening_since: datetime
    """Since when answers could have come: the region was away before."""

    @property
    def is_last(self) -> bool:
        """Whether no stage comes after."""
        return self.stage >= len(self.sizes) - 1


@dataclass(slots=True)
class Moves:
    """What is to be done now. settled: unit -> (state, reason)."""

    state: str
    stage: int
    reason: str = ""
    settled: dict[str, tuple[str, str]] = field(default_factory=dict)
    send: list[str] = field(default_factory=list)


def next_moves(progress: Progress, members: Sequence[Member], now: datetime) -> Moves:
    """members: those that are not through, of the stages begun so far."""
    moves = Moves(progress.state, progress.stage)
    for member in members:
        if member.state == "sent" and (end := _end_of_sent(progress, member, now)) is not None:
            moves.settled[member.unit] = end
    failed = _count(progress, "failed") + sum(state == "failed" for state, _ in moves.settled.values())
    begun = sum(progress.sizes[: progress.stage + 1])
    if progress.state in {"running", "paused"} and failed > progress.allowed.of(begun, up=False):
        moves.state = "stopped"
        moves.reason = f"{failed} of the {begun} units in the stages begun have failed"
        return moves
    if progress.state == "running":
        _settle_waiting(progress, members, now, moves)
        if not moves.send:
            _go_on(progress, members, now, moves)
    return moves


def _end_of_sent(progress: Progress, member: Member, now: datetime) -> tuple[str, str] | None:
    if member.answer in {"succeeded", "failed"}:
        return member.answer, member.reason
    sent_at = member.sent_at or now
    if member.answer == "deferred":
        return ("failed", "deferred for a day") if now - sent_at >= DEFERRED_AT_MOST else None
    if now - max(sent_at, progress.listening_since) >= progress.wait:
        return "failed", f"no answer within {round(progress.wait.total_seconds())} s"
    return None


def _settle_waiting(progress: Progress, members: Sequence[Member], now: datetime, moves: Moves) -> None:
    over = now - max(progress.stage_since, progress.listening_since) >= progress.wait
    for member in members:
        if member.state != "waiting":
            continue
        if member.revoked:
            moves.settled[member.unit] = ("skipped", "revoked")
        elif member.reachable:
            if len(moves.send) < AT_ONCE:
                moves.send.append(member.unit)
        elif over:
            moves.settled[member.unit] = ("skipped", "not connected")


def _go_on(progress: Progress, members: Sequence[Member], now: datetime, moves: Moves) -> None:
    left = [member for member in members if member.unit not in moves.settled]
    held_up = [member for member in left if not _holds_nobody_up(progress, member, now)]
    if held_up:
        return
    of_stage = {member.unit for member in members if member.stage == progress.stage}
    succeeded = progress.settled.get((progress.stage, "succeeded"), 0)
    succeeded += sum(moves.settled.get(unit, ("", ""))[0] == "succeeded" for unit in of_stage)
    if progress.is_last:
        if not left:
            moves.state = "done"
    elif succeeded:
        moves.stage = progress.stage + 1
    elif not left:
        # Who lets it go on has seen that, and goes on with the next.
        moves.state, moves.stage = "paused", progress.stage + 1
        moves.reason = f"no unit of stage {moves.stage} has succeeded"


def _holds_nobody_up(progress: Progress, member: Member, now: datetime) -> bool:
    return member.answer == "deferred" and now - (member.sent_at or now) >= progress.wait


def _count(progress: Progress, state: str) -> int:
    return sum(number for (_, each), number in progress.settled.items() if each == state)
