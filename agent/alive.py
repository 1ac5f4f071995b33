"""Whether the agent lives: systemd's watchdog is fed only while event loop, media and screen feed all move.

A thread of its own looks at them, since a loop that stands still could tell of nothing. What stands still is
said in the journal and kept in the runtime folder before systemd ends the process (sd_notify(3), WATCHDOG=1): the
next start tells the region. What moves again in time is said too, and nothing is ended.

| part | stands still when |
|---|---|
| loop | no turn of the event loop has ended |
| unit | each turn's own work has failed, and not for want of disk |
| media | a camera's, microphone's or encoder's thread has not come back from its device, or ended by an error |
| screen | the pages' server does not answer, or a page's feed is no longer asked for the next event |
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.media import pulse

log = logging.getLogger(__name__)

PARTS = ("loop", "unit", "media", "screen")
USUAL_WATCHDOG_S = 20.0
"""WatchdogSec= in systemd/halsorum-agent.service. Without systemd it is looked and said all the same."""
DEEPEST = 6
KEPT = "stalled.json"


@dataclass(frozen=True, slots=True)
class Stall:
    """What stands still: one of PARTS, and a sentence that holds names and places alone."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares of systemd's patience, in seconds: told early enough to be on record before the end."""

    look_every_s: float
    loop_s: float
    unit_s: float
    media_s: float
    screen_s: float

    @classmethod
    def of(cls, watchdog_s: float) -> Limits:
        """For WatchdogSec=."""
        return cls(watchdog_s / 5, watchdog_s * 0.4, watchdog_s, watchdog_s / 2, watchdog_s / 2)


Check = Callable[[float, float], str]
"""Now and the limit, in seconds: why this part stands still, or nothing."""


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float:
    """How long systemd waits for us (sd_watchdog_enabled(3)), in seconds."""
    given = environment.get("WATCHDOG_USEC", "")
    return int(given) / 1e6 if given.isdigit() and int(given) > 0 else USUAL_WATCHDOG_S


class Alive:
    """Made on the event loop's thread, which calls `beat`; the rest runs on a thread of its own."""

    def __init__(
        self,
        notify: Callable[[str], object],
        *,
        kept: Path | None = None,
        limits: Limits | None = None,
        screen: Check = lambda _now, _within_s: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notify = notify
        self._kept = kept
        self._limits = limits or Limits.of(watchdog_s())
        self._screen = screen
        self._clock = clock
        self._loop_thread = threading.get_ident()
        self._beat_at = self._well_at = clock()
        self._stall: Stall | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alive", daemon=True)

    def start(self) -> None:
        """Begin to look, and to feed."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; systemd's watchdog goes on counting until it hears STOPPING=1."""
        self._stopping.set()

    def beat(self, well: bool = True) -> None:
        """A turn of the event loop has ended; well: and its work was done."""
        self._beat_at = self._clock()
        if well:
            self._well_at = self._beat_at

    def look(self) -> Stall | None:
        """Look at every part once; feed the watchdog if all move, else say and keep what does not."""
        stall = self._found()
        if stall is None:
            self._notify("WATCHDOG=1")
        if (stall and stall.part) != (self._stall and self._stall.part):
            self._say(stall)
        self._stall = stall
        return stall

    def _found(self) -> Stall | None:
        limits = self._limits
        checks: tuple[tuple[str, Check, float], ...] = (
            ("loop", self._loop_stands, limits.loop_s),
            ("unit", self._unit_fails, limits.unit_s),
            ("media", media_stand, limits.media_s),
            ("screen", self._screen, limits.screen_s),
        )
        for part, check, within_s in checks:
            reason = check(self._clock(), within_s)
            if reason:
                return Stall(part, reason)
        return None

    def _loop_stands(self, now: float, within_s: float) -> str:
        stood_s = now - self._beat_at
        return (
            f"the event loop stands since {stood_s:.0f} s at {place(self._loop_thread)}"
            if stood_s > within_s
            else ""
        )

    def _unit_fails(self, now: float, within_s: float) -> str:
        failed_s = now - self._well_at
        return f"the unit's own work fails since {failed_s:.0f} s" if failed_s > within_s else ""

    def _say(self, stall: Stall | None) -> None:
        if stall is None:
            log.warning("what stood still moves again", extra={"halsorum_stalled": ""})
            self._notify("STATUS=")
        else:
            log.critical("stalled: %s", stall.reason, extra={"halsorum_stalled": stall.part})
            self._notify(f"STATUS=stalled: {stall.reason}")
        if self._kept is not None:
            with suppress(OSError):
                keep(self._kept, stall)

    def _run(self) -> None:
        while not self._stopping.wait(self._limits.look_every_s):
            self.look()


def media_stand(now: float, within_s: float) -> str:
    """Threads that should move and do not, with the place where they are."""
    return "; ".join(
        f"{each.name} has ended: {each.ended_by}"
        if each.ended_by
        else f"{each.name} stands since {now - (each.moved_at or now):.0f} s at {place(each.thread)}"
        for each in pulse.standing(now, within_s)
    )


def place(thread: int) -> str:
    """Where a thread is: the innermost lines first, since an event's text is short; no values."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return "its end"
    lines = traceback.extract_stack(frame)[-DEEPEST:]
    return ", ".join(f"{Path(line.filename).name}:{line.lineno}" for line in reversed(lines))


def any_of(checks: Sequence[Check]) -> Check:
    """The first that has something to say."""
    return lambda now, within_s: next((said for check in checks if (said := check(now, within_s))), "")


def runtime_folder(state: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """In memory and over a restart, not over a boot (RuntimeDirectory=, systemd.exec(5)); without systemd
    beside the state."""
    given = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(given) if given else state / "run"


def keep(folder: Path, stall: Stall | None) -> None:
    """For the next start; None: there is nothing to tell. Raises OSError."""
    file = folder / KEPT
    if stall is None:
        file.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(json.dumps(asdict(stall)))


def take_kept(folder: Path) -> Stall | None:
    """What the last run said of its end; told once."""
    file = folder / KEPT
    try:
        told = json.loads(file.read_text())
        file.unlink()
        return Stall(str(told["part"]), str(told["reason"])) if told["part"] in PARTS else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
