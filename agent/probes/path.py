"""The way to the region and its TURN servers, from cause to consequence: after a fault nothing more is tried."""

from __future__ import annotations

from collections.abc import Sequence

from agent.selftest import Context, Probe
from agent.verdict import Verdict


class Path:
    """A Probe of several. `is_open`: whether the last test came to its end."""

    name = "path"

    def __init__(self, parts: Sequence[Probe]) -> None:
        self._parts = parts
        self._known: dict[str, tuple[Verdict, ...]] = {}
        self.is_open = False

    async def run(self, context: Context) -> list[Verdict] | None:
        """All verdicts up to the first that keeps visits out."""
        self.is_open = False
        verdicts: list[Verdict] = []
        for part in self._parts:
            given = await part.run(context)
            if context.stopped.is_set():
                return None
            if given is not None:
                self._known[part.name] = tuple(given)
            verdicts += self._known.get(part.name, ())
            if any(verdict.level == "fail" for verdict in verdicts):
                return verdicts
        self.is_open = True
        return verdicts
