"""Any page of the touchscreen, in any language, contrast and size of text, in a real browser without an agent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "room"))

from fakes import FakeController, FakeVoice, screen, view
from serve_fake import served
from states import STATES

from agent.screen import Screen
from web.room.catalogue import catalogues

__all__ = ["FakeController", "FakeVoice", "Touchscreen", "screen", "served", "touchscreen", "view"]
SIZES = ((1280, 800), (1024, 600))
LANGUAGES = tuple(catalogues())
SHEETS = ("language", "access")
NAMES = (*STATES, *SHEETS)
"""All states of states.py, and the sheets that lie over a page."""
CHOOSE = """async (choice) => {
  const { app } = await import("/static/app.js");
  app.set({ access: { ...app.local.access, ...choice } });
}"""


class Touchscreen:
    """One open page and the agent in memory behind it."""

    def __init__(self, page: Page, controller: FakeController) -> None:
        self.page = page
        self.controller = controller

    def show(self, name: str, language: str = "sv", *, text: int = 100, high_contrast: bool = False) -> None:
        """Show a state afresh, going on from the first page where the state begins further in."""
        state = in_language(STATES.get(name, STATES["idle"]), language)
        self.controller.now = replace(state, high_contrast=high_contrast)
        self.page.reload()
        self.page.wait_for_selector('body:not([data-view="loading"])')
        for selector in way_to(name):
            self.page.click(selector)
        self.page.wait_for_selector(f'html[lang="{language}"]')
        if text != 100:
            self.page.evaluate(CHOOSE, {"text": text})
            self.page.wait_for_selector(f'html[data-text="{text}"]')


def in_language(state: Screen, language: str) -> Screen:
    """The state as a room shows it whose first language this is."""
    session = replace(state.session, language=language) if state.session else None
    rest = tuple(code for code in LANGUAGES if code != language)
    return replace(state, session=session, languages=(language, *rest), speech=LANGUAGES)


def way_to(name: str) -> tuple[str, ...]:
    """What is pressed to come from the first page to where the state is shown."""
    if name in SHEETS:
        return (f'#foot [data-action="{name}"]',)
    if name in {"idle-button", "idle-qr", "idle-all-ways", "code-locked"}:
        return ('[data-action="checkin"]',)
    if name == "scan":
        return ('[data-action="checkin"]', '[data-action="scan"]')
    if name == "staff-in-call":
        return ('#foot [data-action="access"]', '#foot [data-action="staff"]')
    return ('[data-action="staff"]',) if name.startswith(("staff", "pin")) else ()


@contextmanager
def touchscreen(browser: Browser, port: int, size: tuple[int, int] = SIZES[0]) -> Iterator[Touchscreen]:
    """Serve it and open it."""
    controller = FakeController()
    with served(controller, port, size) as address:
        # Our own measuring scripts come from outside the page, which its policy rightly forbids.
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, bypass_csp=True)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector('body[data-page="idle"]')
        yield Touchscreen(page, controller)
        context.close()
