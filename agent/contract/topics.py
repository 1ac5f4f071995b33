"""Topics of the contract, built and parsed side by side.

>>> topic = Topic("unit-7", "dn/call", ("k3v9q2m4x8t1", "c41f"))
>>> str(topic)
'hr/v1/u/unit-7/dn/call/k3v9q2m4x8t1/c41f'
>>> Topic.parse(str(topic)) == topic
True
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.contract.body import ContractError

PREFIX = "hr/v1/u"

# Channel -> names and patterns of the levels after it.
_SID = r"[a-z0-9]{8,40}"
_PEER = r"[a-z0-9]{4,40}"
_COMMAND = r"[a-z0-9-]{4,64}"
_KIND = r"[a-z][a-z_]{1,39}"
_LEVELS: dict[str, dict[str, str]] = {
    "up/status": {},
    "up/info": {},
    "dn/schedule": {},
    "up/schedule": {},
    "dn/config": {},
    "up/config": {},
    "dn/cmd": {"command": _COMMAND},
    "up/cmd": {"command": _COMMAND},
    "up/intent": {"kind": _KIND},
    "dn/call": {"session": _SID, "peer": _PEER},
    "up/call": {"session": _SID, "peer": _PEER},
    "up/event": {"kind": _KIND},
    "up/event/quality": {},  # among the events by name, but telemetry: with a body of its own, and no log
    "dn/ack": {},
    "dn/notice": {"kind": _KIND},
}
_UNIT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: whose it is, which channel, and the levels after the channel."""

    unit: str
    channel: str
    levels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be parsed again; raises ContractError."""
        wanted = _LEVELS.get(self.channel)
        if wanted is None:
            raise ContractError("topic", "channel", "is not in the contract")
        if not _UNIT.fullmatch(self.unit):
            raise ContractError("topic", "unit", "is not a unit's name")
        patterns = wanted.values()
        fits = len(wanted) == len(self.levels) and all(map(re.fullmatch, patterns, self.levels))
        if not fits or (self.levels and "/".join((self.channel, *self.levels)) in _LEVELS):
            raise ContractError("topic", self.channel, "has levels the contract does not know")

    def __str__(self) -> str:
        return "/".join((PREFIX, self.unit, self.channel, *self.levels))

    @classmethod
    def parse(cls, text: str) -> Topic:
        """The topic that text names; raises ContractError, which does not repeat the text."""
        parts = text.split("/")
        if len(parts) < 6 or "/".join(parts[:3]) != PREFIX:
            raise ContractError("topic", "prefix", f"is not {PREFIX}/")
        channel = "/".join(parts[4:])
        if channel in _LEVELS:
            return cls(parts[3], channel)
        return cls(parts[3], "/".join(parts[4:6]), tuple(parts[6:]))


def level_patterns(channel: str) -> dict[str, str]:
    """Names of the levels after a channel, each with the pattern it fits."""
    return dict(_LEVELS[channel])


def down_filter(unit: str) -> str:
    """What a unit subscribes to: all that comes down to it."""
    return f"{PREFIX}/{unit}/dn/#"


def up_filter() -> str:
    """What the region subscribes to: all that comes up from every unit."""
    return f"{PREFIX}/+/up/#"
