"""Numbers for signalling: ours grow, and what came before is not taken twice."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from agent.contract.signalling import Signal


@dataclass(slots=True)
class SignalBook:
    """Sequence numbers. `instance` is new for each start of the agent, and ours grow for all of its time.

    The other side remembers what it has had of an instance longer than we may remember the session: numbers
    of one session alone would begin anew when it comes back, and be taken for repetitions.
    """

    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    _sent: int = -1
    _seen: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def next(self) -> int:
        """The number of our next message."""
        self._sent += 1
        return self._sent

    def is_new(self, sid: str, peer: str, signal: Signal) -> bool:
        """Whether this message was not here before: QoS 1 may deliver twice."""
        key = (sid, peer, signal.instance)
        if signal.seq <= self._seen.get(key, -1):
            return False
        self._seen[key] = signal.seq
        return True

    def forget(self, sid: str) -> None:
        """Keep nothing of a session."""
        self._seen = {key: seq for key, seq in self._seen.items() if key[0] != sid}
