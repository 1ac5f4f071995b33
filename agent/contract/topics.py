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
BOOTSTRAP_PREFIX = "hr/v1/b"
"""Where a unit stands under its serial number until it has a name."""

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
    "up/event/telemetry": {},  # among the events by name, as is quality, but no part of their chain
    "up/event/quality": {},  # among the events by name, but telemetry: with a body of its own, and no log
    "dn/ack": {},
    "dn/notice": {"kind": _KIND},
    "up/renewal": {},
    "dn/renewal": {},
    "up/enrol": {},
    "dn/enrol": {},
}
_OF_BOOTSTRAP = frozenset({"up/enrol", "dn/enrol"})
UNIT_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""Of a unit's name, and of a serial number."""


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
        if not UNIT_PATTERN.fullmatch(self.unit):
            raise ContractError("topic", "unit", "is not a unit's name")
        patterns = wanted.values()
        fits = len(wanted) == len(self.levels) and all(map(re.fullmatch, patterns, self.levels))
        if not fits or (self.levels and "/".join((self.channel, *self.levels)) in _LEVELS):
            raise ContractError("topic", self.channel, "has levels the contract does not know")

    def __str__(self) -> str:
        return "/".join((_prefix_of(self.channel), self.unit, self.channel, *self.levels))

    @classmethod
    def parse(cls, text: str) -> Topic:
        """The topic that text names; raises ContractError, which does not repeat the text."""
        parts = text.split("/")
        prefix = "/".join(parts[:3])
        if len(parts) < 6 or prefix not in {PREFIX, BOOTSTRAP_PREFIX}:
            raise ContractError("topic", "prefix", f"is not {PREFIX}/")
        channel = "/".join(parts[4:])
        whole = channel in _LEVELS
        topic = cls(parts[3], channel) if whole else cls(parts[3], "/".join(parts[4:6]), tuple(parts[6:]))
        if prefix != _prefix_of(topic.channel):
            raise ContractError("topic", "prefix", "does not have this channel")
        return topic


def _prefix_of(channel: str) -> str:
    return BOOTSTRAP_PREFIX if channel in _OF_BOOTSTRAP else PREFIX


def address(channel: str) -> str:
    """A channel's topics, with names of their levels in braces."""
    who = "{serial}" if channel in _OF_BOOTSTRAP else "{unit}"
    return "/".join((_prefix_of(channel), who, channel, *(f"{{{level}}}" for level in _LEVELS[channel])))


def level_patterns(channel: str) -> dict[str, str]:
    """Names of the levels after a channel, each with the pattern it fits."""
    return dict(_LEVELS[channel])


def down_filter(unit: str) -> str:
    """What a unit subscribes to: all that comes down to it."""
    return f"{PREFIX}/{unit}/dn/#"


def bootstrap_down_filter(serial: str) -> str:
    """What a unit subscribes to under its bootstrap identity."""
    return f"{BOOTSTRAP_PREFIX}/{serial}/dn/#"


def bootstrap_up_filter() -> str:
    """What the region subscribes to besides: those that want to enrol."""
    return f"{BOOTSTRAP_PREFIX}/+/up/#"


def up_filter() -> str:
    """What the region subscribes to: all that comes up from every unit."""
    return f"{PREFIX}/+/up/#"
