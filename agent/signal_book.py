"""Numbers for signalling: ours grow, and what came before is not taken twice."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from agent.contract.signalling import Signal


@dataclass(slots=True)
class SignalBook:
    """Sequence numbers by session and party. `instance` is new for each start of the agent."""

    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    _sent: dict[tuple[str, str], int] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def next(self, sid: str, peer: str) -> int:
        """The number of our next message to this party."""
        self._sent[sid, peer] = self._sent.get((sid, peer), -1) + 1
        return self._sent[sid, peer]

    def is_new(self, sid: str, peer: str, signal: Signal) -> bool:
        """Whether this message was not here before: QoS 1 may deliver twice."""
        key = (sid, peer, signal.instance)
        if signal.seq <= self._seen.get(key, -1):
            return False
        self._seen[key] = signal.seq
        return True

    def forget(self, sid: str) -> None:
        """Keep nothing of a session."""
        self._sent = {key: seq for key, seq in self._sent.items() if key[0] != sid}
        self._seen = {key: seq for key, seq in self._seen.items() if key[0] != sid}
