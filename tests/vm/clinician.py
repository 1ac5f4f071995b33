"""The clinician outside: a real Chromium with its own side of the network, and no browser for the room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, sync_playwright

from tests.system.chromium import CHROMIUM, FAKE_MEDIA, PLAYS_AT_ONCE, QUIET
from tests.system.stack import Stack


@dataclass
class OfficeBrowser:
    """Use as a context manager; what tests.system.people.Office opens its pages in."""

    stack: Stack
    folder: Path

    def __enter__(self) -> Self:
        assert self.stack.network is not None
        program = self.stack.network.office.wrapper(self.folder, CHROMIUM)
        # Browsers give a camera to secure origins alone, and there is no TLS proxy in the laboratory.
        insecure = f"--unsafely-treat-insecure-origin-as-secure={self.stack.system['region']}"
        self._playwright = sync_playwright().start()
        self.office: Browser = self._playwright.chromium.launch(
            executable_path=str(program), args=[*QUIET, PLAYS_AT_ONCE, insecure, *FAKE_MEDIA]
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.office.close()
        self._playwright.stop()
