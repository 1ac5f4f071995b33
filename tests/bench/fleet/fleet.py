"""The played units as a whole: several processes, one question to all of them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.bench.fleet import swarm
from tests.bench.fleet.site import Site, SiteError

UNITS_PER_PROCESS = 500
POLL_S = 0.25
LIFE_S = 1500.0
START_WITHIN_S = 120.0
ANSWER_WITHIN_S = 60.0


class Fleet:
    """Made connected to nothing; ended with stop(). Its processes end by themselves when this one does."""

    def __init__(self, site: Site) -> None:
        self._site = site
        context = multiprocessing.get_context("spawn")
        address = ("127.0.0.1", site.broker_port)
        self._swarms = []
        for first in range(0, len(site.units), UNITS_PER_PROCESS):
            units = site.units[first : first + UNITS_PER_PROCESS]
            ours, theirs = context.Pipe()
            process = context.Process(
                target=swarm.run, args=(theirs, units, site.identities, address, LIFE_S), daemon=True
            )
            process.start()
            theirs.close()
            self._swarms.append((process, ours, frozenset(name for name, _ in units)))
        for _, pipe, _ in self._swarms:
            if not pipe.poll(START_WITHIN_S) or not pipe.recv():
                raise SiteError("A process of played units did not start.")

    @property
    def pids(self) -> list[int]:
        """Of the processes."""
        return [process.pid for process, _, _ in self._swarms if process.pid is not None]

    def ask(self, *words: object) -> list[Any]:
        """Tell every process the same; their answers."""
        for _, pipe, _ in self._swarms:
            pipe.send(words)
        return [_answer(pipe) for _, pipe, _ in self._swarms]

    def ask_of(self, word: str, names: Sequence[str]) -> list[Any]:
        """Tell each process about those of the units that it has; the answers."""
        answers = []
        for _, pipe, mine in self._swarms:
            chosen = [name for name in names if name in mine]
            if chosen:
                pipe.send((word, chosen))
                answers.append(_answer(pipe))
        return answers

    def count(self, since: float = 0.0, revs: Mapping[str, tuple[int, int]] | None = None) -> dict[str, int]:
        """How many are connected since then, heard by the region, and served these revisions."""
        total: dict[str, int] = {}
        for counted in self.ask("count", revs, since):
            for what, number in counted.items():
                total[what] = total.get(what, 0) + number
        return total

    def seen(self, names: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """What units have had, by name: these, or all."""
        answers = (
            [answer["units"] for answer in self.ask("look")] if names is None else self.ask_of("seen", names)
        )
        return {name: seen for answer in answers for name, seen in answer.items()}

    def stop(self) -> None:
        """Disconnect all and end the processes."""
        for process, pipe, _ in self._swarms:
            if process.is_alive():
                pipe.send(("stop",))
        for process, _, _ in self._swarms:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def wait_until(done: Callable[[], bool], within_s: float) -> bool:
    """Ask again and again; False when the time is over."""
    until = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


def _answer(pipe: Any) -> Any:
    if not pipe.poll(ANSWER_WITHIN_S):
        raise SiteError("A process of played units does not answer; the machine is too busy.")
    return pipe.recv()
