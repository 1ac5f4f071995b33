"""Keeps compositor and browser running on the right page."""

from __future__ import annotations

import http.client
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from firmware.kiosk import compositor, processes, starting_page
from firmware.kiosk.flags import (
    BROWSER_ENVIRONMENT,
    browser_command,
    compositor_command,
    compositor_environment,
    has_input,
)
from firmware.kiosk.processes import Program
from firmware.kiosk.settings import KioskError, KioskSettings
from firmware.kiosk.watch import Verdict, Watch

log = logging.getLogger("kiosk")

LOOK_EVERY_S = 0.2
ASK_EVERY_S = 0.4
"""The agent, while it is not known to be there."""
ASK_WITHIN_S = 1.0
PING_EVERY_S, PINGS_MISSED = 1.0, 2
"""The compositor, whose page goes on for seconds after it has stopped. On a slow machine (Watch.patience) more may
be missed, and an answer may take longer, but never so long that systemd's watchdog is not fed."""
PING_MOST_S = 4.0
SOCKET_WITHIN_S = 15.0
PAUSES_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the next browser, when so many in a row never got as far as the page."""


class Guard:
    """One compositor and one browser. Used on one thread."""

    def __init__(
        self,
        settings: KioskSettings,
        *,
        gpu: bool,
        more_flags: tuple[str, ...] = (),
        watch: Watch | None = None,
        calls: Callable[[], int] | None = None,
    ) -> None:
        """calls: how often the room's page has called us while the agent was away (lifeline.py)."""
        self._calls = calls
        self._settings = settings
        self._gpu = gpu
        self._more_flags = more_flags
        self._watch = watch or Watch(patience=settings.patience)
        self._cage: Program | None = None
        self._browser: Program | None = None
        self._asked_at = self._begun_at = self._pinged_at = float("-inf")
        self._pings_missed = 0
        self._agent_up = self._is_led_on = False

    @property
    def pids(self) -> dict[str, int]:
        """Of what runs now."""
        running = {"cage": self._cage, "browser": self._browser}
        return {name: program.pid for name, program in running.items() if program is not None}

    def run(self, is_to_stop: Callable[[], bool], alive: Callable[[], None]) -> None:
        """Until told to stop; `alive` is called at each look. Raises KioskError if there is no compositor."""
        processes.keep_orphans()
        try:
            while not is_to_stop():
                self.step()
                alive()
                self._wait()
        finally:
            processes.end_all()

    def step(self) -> None:
        """Look once, and do what is to be done."""
        if self._cage is None or self._cage.poll() is not None:
            self._cage = self._open_screen()
        if self._browser is None and not self._open_browser():
            return
        assert self._browser is not None
        self._cage.listen()
        self._browser.listen()
        processes.reap_orphans(self.pids.values())
        has_ended = self._browser.poll() is not None
        reason = f"ended with status {self._browser.returncode}" if has_ended else self._what_is_wrong()
        if reason:
            self._close_browser(reason, judged=not has_ended)
            if self._cage is not None:
                self._open_browser()

    def _wait(self) -> None:
        """Until the next look, or the browser's end."""
        if self._browser is None:
            time.sleep(LOOK_EVERY_S)
        else:
            self._browser.await_end(LOOK_EVERY_S)

    def _open_screen(self) -> Program:
        if self._cage is not None:
            log.error(
                "the compositor ended with status %s and is started again: %s",
                self._cage.returncode,
                self._cage.last_words(),
            )
        processes.end_all()
        self._browser = self._cage = None
        for old in self._settings.folder.glob("wayland-*"):
            old.unlink()
        may_touch = has_input()
        cage = self._start_compositor(without_input=not may_touch)
        if may_touch and cage.poll() is not None:  # perhaps none of the devices is one that it could use
            log.warning("the compositor ended at once and is tried without input: %s", cage.last_words())
            cage = self._start_compositor(without_input=True)
        if not self._wayland().is_socket():
            raise KioskError(
                "The compositor (cage) shows nothing. Is a screen attached, and does halsorum-seat.service "
                f"run? Its last words: {cage.last_words()}"
            )
        return cage

    def _start_compositor(self, *, without_input: bool) -> Program:
        """Return when it has its socket, or has ended, or its time is over."""
        wanted = compositor_environment(gpu=self._gpu, without_input=without_input)
        cage = Program(compositor_command(), {**self._environment(), **wanted})
        until_s = time.monotonic() + SOCKET_WITHIN_S
        while not self._wayland().is_socket() and cage.poll() is None and time.monotonic() < until_s:
            time.sleep(0.02)
        return cage

    def _open_browser(self) -> bool:
        """False while it is too soon after one that failed."""
        pause_s = PAUSES_S[min(self._watch.failures, len(PAUSES_S) - 1)]
        if time.monotonic() < self._begun_at + pause_s:
            return False
        settings = self._settings
        # Nothing of what was before; one that was killed leaves its lock's folder, too.
        for left in (settings.profile, *settings.folder.glob("org.chromium.*")):
            shutil.rmtree(left, ignore_errors=True)
        settings.profile.mkdir(mode=0o700)
        starting_page.lay_out(settings.start_folder)
        self._is_led_on = False
        command = browser_command(settings, gpu=self._gpu, more=self._more_flags)
        self._browser = Program(command, {**self._environment(), **BROWSER_ENVIRONMENT})
        self._begun_at = time.monotonic()
        self._watch.begin(self._begun_at, self._mark())
        self._lead_on()
        return True

    def _what_is_wrong(self) -> str | None:
        if self._compositor_hangs():
            return "the compositor does not answer"
        now_s = time.monotonic()
        agent_up = True if self._watch.is_well else self._ask_agent(now_s)
        if not self._is_led_on and agent_up:
            self._lead_on()
        # The starting page does not call: it is a file, and needs nobody.
        calls = self._calls() if self._calls is not None and self._is_led_on else None
        verdict = self._watch.look(now_s, self._mark(), agent_up=agent_up, calls=calls)
        if self._watch.is_well and self._is_led_on:
            starting_page.forget_way(self._settings.start_folder)
        return explained(verdict)

    def _close_browser(self, reason: str, *, judged: bool) -> None:
        assert self._browser is not None and self._cage is not None
        self._watch.ended(judged=judged)
        log.warning("the browser is started again: %s", reason)
        is_well = self._compositor_answers()
        self._pings_missed = 0
        if not is_well:
            log.warning("the compositor does not answer and is started again, too")
        processes.end_all(but=[self._cage.pid] if is_well else [])
        self._browser.wait()
        self._browser = None
        if not is_well:
            self._cage = None

    def _lead_on(self) -> None:
        secret = self._settings.secret()
        if secret is None or not self._ask_agent(time.monotonic()):
            return
        starting_page.lead_on(self._settings.start_folder, self._settings.origin, secret)
        self._is_led_on = True

    def _ask_agent(self, now_s: float) -> bool:
        if now_s >= self._asked_at + ASK_EVERY_S:
            self._agent_up = agent_answers(self._settings.port)
            self._asked_at = time.monotonic()
        return self._agent_up

    def _compositor_hangs(self) -> bool:
        now_s = time.monotonic()
        if now_s >= self._pinged_at + PING_EVERY_S:
            self._pinged_at = now_s
            self._pings_missed = 0 if self._compositor_answers() else self._pings_missed + 1
        return self._pings_missed >= PINGS_MISSED * self._watch.patience

    def _compositor_answers(self) -> bool:
        within_s = min(compositor.ANSWER_WITHIN_S * self._watch.patience, PING_MOST_S)
        return compositor.answers(self._wayland(), within_s)

    def _mark(self) -> int | None:
        try:
            return os.stat(self._settings.mark).st_mtime_ns  # noqa: PTH116 - five times a second
        except OSError:
            return None

    def _wayland(self) -> Path:
        return self._settings.folder / "wayland-0"

    def _environment(self) -> dict[str, str]:
        folder = str(self._settings.folder)
        return {"XDG_RUNTIME_DIR": folder, "HOME": folder, "TMPDIR": folder}


def explained(verdict: Verdict) -> str | None:
    """Why it must be started again; None if it need not."""
    reasons = {
        "not started": "its page never came",
        "frozen": "its page has fallen silent",
        "not back": "its page did not come back with the agent",
        "lost": "its page was lost while the agent is away",
    }
    return reasons.get(verdict)


def agent_answers(port: int, within_s: float = ASK_WITHIN_S) -> bool:
    """Whether the agent serves its pages."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
