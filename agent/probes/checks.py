"""What other parts of the agent find out in a self-test, each by a question that is answered at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.selftest import Context
from agent.verdict import Verdict


class Checks:
    """A Probe. An answer of None is: nothing to say."""

    name = "checks"

    def __init__(self, checks: Sequence[Callable[[], Verdict | None]]) -> None:
        self._checks = checks

    async def run(self, context: Context) -> list[Verdict]:
        """Ask them all."""
        return [verdict for check in self._checks if (verdict := check()) is not None]
