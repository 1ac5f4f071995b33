"""The touchscreen's document and touches over HTTP, for tests that need no picture and so no browser."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import URLError

from tests.system.stack import Stack

REQUEST_WITHIN_S = 20.0
PATIENCE_S = 90.0
"""A self-test that a busy machine spoilt is made again after 30 s."""


class RoomPage:
    """Lets itself in with the kiosk's secret; after a restart of the machine another one is needed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._jar = CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def screen(self) -> dict[str, Any]:
        """The document now; raises URLError while the agent is away."""
        if not self._jar:
            self._ask(self._stack.system["screen"]).close()
        with self._ask(self._address("/api/screen")) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]

    def touch(self, kind: str, **fields: object) -> dict[str, Any]:
        """One touch and what came of it."""
        body = json.dumps({"kind": kind, **fields}).encode()
        headers = {"Content-Type": "application/json", "Origin": self._address("")}
        request = urllib.request.Request(self._address("/api/touch"), body, headers)
        with self._open.open(request, timeout=REQUEST_WITHIN_S) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]

    def until(
        self, holds: Callable[[dict[str, Any]], object], within_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """The first document for which something holds; a unit that is away for a moment is waited for."""
        until_s, last = time.monotonic() + within_s, None
        while time.monotonic() < until_s:
            try:
                last = self.screen()
                if holds(last):
                    return last
            except (URLError, OSError):
                self._jar.clear()
            time.sleep(0.1)
        raise AssertionError(f"the screen stays as it is: {last}")

    def _address(self, path: str) -> str:
        return f"http://localhost:{self._stack.ports['screen']}{path}"

    def _ask(self, address: str) -> Any:
        return self._open.open(address, timeout=REQUEST_WITHIN_S)
