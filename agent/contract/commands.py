"""Commands and how far they have come: `dn/cmd/{id}`, `up/cmd/{id}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agent.contract.body import Body, Instant, Kind, LongText

CommandName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_-]{1,39}$")]
CommandState = Literal[
    "accepted", "rejected", "running", "succeeded", "failed", "timed_out", "canceled", "expired"
]
FINAL: frozenset[CommandState] = frozenset(
    {"rejected", "succeeded", "failed", "timed_out", "canceled", "expired"}
)
"""After these nothing more comes, and the region clears both topics."""
KNOWN = (
    "restart",
    "selftest",
    "collect-diagnostics",
    "renew-certificate",
    "rotate-bootstrap",
    "set-clock-source",
    "show-message",
    "wipe",
    "locate",
    "update",
    "repair-data",
)
"""Those that a unit of this version can do; it rejects any other."""


class Command(Body):
    """`dn/cmd/{id}`: something to do, once.

    The envelope's `expires_at` says until when it may begin, at most 30 days after it was issued; a unit rejects a
    command without. A second message under the same id with `cancel` takes back what has not begun.
    """

    name: CommandName
    arguments: dict[str, LongText] = Field(default_factory=dict, max_length=20)
    timeout_s: int = Field(
        120,
        ge=5,
        le=86_400,
        description="How long it may run; an update waits for its line and for a free room.",
    )
    cancel: bool = False
    issued_at: Instant | None = Field(
        None,
        description="When it was first sent: the same however often it is published. Without it the envelope's "
        "`ts` counts, so a region that leaves it out publishes a command again byte for byte.",
    )


class CommandReport(Body):
    """`up/cmd/{id}`: how far a command has come: accepted or rejected, running, and how it ended.

    `accepted` with a reason: it is deferred, since it would disturb whoever is in the room. `running` with a
    reason: how far a long one is.
    """

    state: CommandState
    reason: LongText = ""
    result: dict[Kind, LongText] = Field(default_factory=dict, max_length=40)
