"""Every page of the touchscreen and of the region, looked at by axe-core; and the touchscreen's with large text.

Tags: WCAG 2.0 to 2.2, A and AA, and axe's best practice. Targets (AAA) are for measure_targets.js.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.screens.region import PAGES, Pages, region_pages
from tests.screens.touchscreen import CHOOSE, NAMES, SIZES, Touchscreen, touchscreen
from tests.system.chromium import CHROMIUM, QUIET

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

PORT = 25230
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL_RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
BENEATH_A_QUESTION = ("landmark-one-main", "page-has-heading-one")
IN_ARABIC = frozenset(
    [
        "idle",
        "idle-all-ways",
        "code-locked",
        "scan",
        "queue",
        "waiting-outputs",
        "call-four",
        "call-captions",
        "call-question",
        "hold",
        "ended",
        "rejected",
        "fault",
        "staff",
        "help-sent",
        "language",
        "access",
    ]
)
"""One state of each page: the others differ in a sentence."""
RUN = """async (options) => (await axe.run(document, options)).violations
  .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 140)).join(" | ")}`)"""
SPEAK = """async (language) => { const { app } = await import("/static/app.js"); app.set({ language }); }"""
MEASURE = (Path(__file__).parent / "measure_large_text.js").read_text("utf-8")


def axe_script() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Touchscreen]:
    """The smaller of the two screens, where there is least room."""
    with touchscreen(browser, PORT, SIZES[1]) as shown:
        shown.page.context.add_init_script(axe_script())
        yield shown


@pytest.fixture(scope="module")
def pages(browser: Browser) -> Iterator[Pages]:
    with region_pages(browser, PORT + 1) as opened:
        opened.add_init_script(axe_script())
        yield opened


def axe(page: Page, options: dict[str, Any]) -> list[str]:
    found = list(page.evaluate(RUN, options))
    asks = page.locator("#panel[role=alertdialog]:not([hidden])").count()
    # Beneath a question the page is inert, and axe looks past its landmark and its heading.
    return [fault for fault in found if not (asks and fault.startswith(BENEATH_A_QUESTION))]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_the_touchscreen(screen: Touchscreen, name: str) -> None:
    found: dict[str, list[str]] = {}
    screen.show(name)
    found["sv"] = axe(screen.page, ALL_RULES)
    screen.page.evaluate(CHOOSE, {"contrast": True})
    found["sv, high contrast"] = axe(screen.page, COLOURS)
    screen.page.evaluate(CHOOSE, {"contrast": False, "text": 200})
    found["sv, text 200 %"] = screen.page.evaluate(MEASURE)
    screen.page.evaluate(SPEAK, "ar")
    screen.page.wait_for_selector('html[lang="ar"]')
    found["ar, text 200 %"] = screen.page.evaluate(MEASURE)
    if name in IN_ARABIC:
        screen.page.evaluate(CHOOSE, {"text": 100})
        found["ar"] = axe(screen.page, ALL_RULES)
        screen.page.evaluate(CHOOSE, {"contrast": True})
        found["ar, high contrast"] = axe(screen.page, COLOURS)
    assert {how: wrong for how, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_region(pages: Pages, name: str) -> None:
    pages.show(name)
    assert axe(pages.page, ALL_RULES) == []
