"""One thread for everything of the panel that happens later: a lamp's next change, a button that has settled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

AT_ONCE_S = 0.001
"""What is due so soon is done now: waiting for less than that only rounds."""
Work = Callable[[], None]


class PanelClock:
    """Work by key, each at its time; the same key again replaces what waits. Any thread may ask for any of it.

    The thread begins with the first work and sleeps while there is none. With runs=False there is no thread, and
    tests call run_due().
    """

    def __init__(self, now: Callable[[], float] = time.monotonic, *, runs: bool = True) -> None:
        self.now = now
        self._runs = runs
        self._due: dict[str, tuple[float, Work]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def after(self, key: str, delay_s: float, work: Work) -> None:
        """Do this, that many seconds from now."""
        with self._changed:
            if self._stopping:
                return
            self._due[key] = (self.now() + delay_s, work)
            if self._runs and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self, key: str) -> None:
        """Do it no more."""
        with self._changed:
            self._due.pop(key, None)

    def stop(self) -> None:
        """Do nothing any more; returns when nothing is being done."""
        with self._changed:
            self._stopping = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def run_due(self) -> float | None:
        """Do what is due, the longest due first; seconds until the next, None if nothing waits."""
        while True:
            with self._changed:
                key = min(self._due, key=lambda each: self._due[each][0], default=None)
                if key is None:
                    return None
                due, work = self._due[key]
                if due > self.now() + AT_ONCE_S:
                    return due - self.now()
                del self._due[key]
            try:
                work()
            except Exception:
                log.exception("the panel's %s was not done", key)

    def _run(self) -> None:
        while True:
            wait_s = self.run_due()
            with self._changed:
                if self._stopping:
                    return
                due = min((due for due, _ in self._due.values()), default=None)
                if due is None or wait_s is None or due > self.now():
                    self._changed.wait(None if due is None else max(0.0, due - self.now()))
