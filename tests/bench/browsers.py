"""Chromium, driven by Playwright: one browser that sends, another that receives."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.__main__ import NICE
from tests.system.chromium import PLAYS_AT_ONCE, QUIET

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

ARGUMENTS = (
    *QUIET,
    PLAYS_AT_ONCE,
    "--allow-loopback-in-peer-connection",
    # .local names would have to be looked up by multicast, which has nothing to do with what is measured.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
FIRST_PICTURE_WITHIN_S = 15.0
POLL_S = 0.1


async def launch(playwright: Playwright, before_others: Path | None = None) -> Browser:
    """A browser with processes of its own. SystemExit says what to install where there is none.

    before_others: a folder, if it shall run at the agent's priority (where this user may give it that).
    """
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("Chromium is missing: apt-get install chromium")
    if before_others is not None:
        starter = before_others / "chromium-before-others"
        starter.write_text(f'#!/bin/sh\nexec nice -n {NICE} {path} "$@"\n')
        starter.chmod(0o755)
        path = str(starter)
    return await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


class PeerPage:
    """One page that sends or receives (peer.js)."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    async def open(cls, browser: Browser, url: str) -> PeerPage:
        # With the right to capture, a page's candidates are all of the machine's addresses, loopback too.
        context = await browser.new_context(
            viewport={"width": 400, "height": 240}, permissions=["camera", "microphone"]
        )
        page = cls(await context.new_page())
        await page._page.goto(url)
        return page

    async def call(self, name: str, *arguments: object) -> Any:
        """bench.<name>(...arguments) in the page."""
        return await self._page.evaluate(f"arguments => bench.{name}(...arguments)", list(arguments))

    async def wait_for_picture(self) -> None:
        """Until the first picture is decoded. TimeoutError, with what the page said, if none comes."""
        until = time.monotonic() + FIRST_PICTURE_WITHIN_S
        while not await self.call("decoded"):
            if time.monotonic() > until:
                raise TimeoutError(f"no picture came in {FIRST_PICTURE_WITHIN_S} s {self.errors}")
            await asyncio.sleep(POLL_S)

    async def close(self) -> None:
        await self._page.context.close()
