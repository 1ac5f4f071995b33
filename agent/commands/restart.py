"""`restart`: the agent, the kiosk's browser, or the whole machine."""

from __future__ import annotations

from collections.abc import Callable

from agent.commands.deeds import Deed, InTask, Refused
from agent.commands.life import Ended, Entry
from agent.helper import Helper, HelperFailed

AFTER_TICKS = 2
"""The word that it begins is sent first."""


class AgentRestart:
    """A Deed that does not end: the next start of the agent is how it succeeds (agent/commands/life.py)."""

    def __init__(self, restart: Callable[[], None]) -> None:
        self._restart = restart
        self._ticks = 0

    def begin(self) -> None:
        """Wait for a moment."""

    def tick(self) -> Ended | None:
        """End the agent, which starts anew."""
        self._ticks += 1
        if self._ticks == AFTER_TICKS:
            self._restart()
        return None

    def stop(self) -> None:
        """Nothing to undo."""


class MachineRestart(InTask):
    """Likewise: what came back from being asked is not that it was done."""

    def tick(self) -> Ended | None:
        """Only that it could not be done."""
        ended = self._ended()
        return ended if ended is not None and ended.reason else None


def restart_deed(entry: Entry, restart: Callable[[], None], helper: Helper) -> Deed:
    """A Deed, by the argument `what`."""

    async def ask(name: str) -> None:
        try:
            await helper.ask(name)
        except HelperFailed as error:
            raise Refused(str(error)) from None

    what = entry.arguments.get("what", "agent")
    if what == "agent":
        return AgentRestart(restart)
    if what == "machine":
        return MachineRestart(lambda: ask("reboot"))
    return InTask(lambda: ask("browser"))
