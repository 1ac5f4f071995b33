"""IT's pages in a real browser, with the fleet in memory: what stays true by itself, and what is kept."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

sys.path[:0] = [str(Path(__file__).parents[1] / "web" / "clinic")]

from clinic_fakes import PASSWORD, FakeRegion
from fleet_fakes import FakeFleet, full_fleet

from tests.system.chromium import CHROMIUM, QUIET
from web.clinic import WebSettings, create_app

pytestmark = pytest.mark.end_to_end
SMALL, LARGE = {"width": 1024, "height": 600}, {"width": 1280, "height": 800}
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
QUICK = "for (const part of document.querySelectorAll('[data-live]')) part.dataset.everyS = '0.2';"
"""The pages ask every few seconds; a test need not wait for that."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def fleet() -> FakeFleet:
    return full_fleet(datetime.now(UTC))


@pytest.fixture
def address(fleet: FakeFleet) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    server.daemon_threads = True
    url, region = f"http://localhost:{server.server_port}", FakeRegion()
    server.app = create_app(region, region, WebSettings("s" * 32, url), fleet=fleet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def opened(browser: Browser, address: str, *, scripts: bool = True) -> Page:
    context = browser.new_context(viewport=SMALL, locale="sv-SE", java_script_enabled=scripts)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    if scripts:
        page.add_init_script(f"document.addEventListener('readystatechange', () => {{ {QUICK} }})")
    page.goto(f"{address}/it")
    page.fill("#username", "ivar")
    page.fill("#password", PASSWORD)
    page.click("#sign-in-button")
    page.wait_for_url("**/it")
    return page


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = opened(browser, address)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
    yield page
    page.context.close()
    assert not faults


def test_a_unit_that_is_lost_is_seen_without_a_reload_and_focus_and_typing_stay(
    page: Page, fleet: FakeFleet
) -> None:
    page.fill("#text", "halvskriv")
    page.focus("[data-key='u-002']")
    fleet.lines["u-200"] = replace(fleet.lines["u-200"], health="bad", reasons=("lost",), state="lost")
    expect(page.locator("tr[data-unit='u-200']")).to_contain_text("Ingen kontakt med enheten.")
    expect(page.locator("[data-key='bad'] strong")).to_have_text("4")
    expect(page.locator("[data-key='u-002']")).to_be_focused()
    expect(page.locator("#text")).to_have_value("halvskriv")


def test_the_list_is_not_taken_from_under_the_reader(page: Page, fleet: FakeFleet) -> None:
    page.evaluate("scrollTo(0, 900)")
    fleet.lines["u-300"] = replace(fleet.lines["u-300"], health="bad", reasons=("lost",))
    expect(page.locator("tr[data-unit='u-300']")).to_be_attached()
    assert page.evaluate("scrollY") == 900


def test_a_region_that_does_not_answer_is_said(page: Page) -> None:
    page.route("**/api/it/**", lambda route: route.abort())
    expect(page.locator("#line")).to_be_visible()
    page.unroute("**/api/it/**")
    expect(page.locator("#line")).to_be_hidden()


def test_a_unit_is_let_in_and_its_page_follows(page: Page, fleet: FakeFleet, address: str) -> None:
    page.click("#nav-enrol")
    page.click("[data-enrolment='1'] a")
    page.click("#approve-button")
    expect(page.locator("#heard-problem")).to_be_visible()
    page.check("#heard")
    page.fill("#unit", "rum-99")
    page.select_option("#room", "r-free")
    page.click("#approve-button")
    expect(page.locator("#enrolment")).to_have_attribute("data-state", "approved")
    fleet.door[1] = replace(fleet.door[1], state="proven")
    expect(page.locator("a.main")).to_have_text("Till rum-99")


def test_a_colleagues_decision_takes_the_form_away(page: Page, fleet: FakeFleet, address: str) -> None:
    page.goto(f"{address}/it/enrol/1")
    expect(page.locator("#approve")).to_be_visible()
    fleet.door[1] = replace(fleet.door[1], state="rejected", reason="Fel rum", decided_by="Cia It")
    expect(page.locator("#approve")).to_have_count(0)
    expect(page.locator("#enrolment")).to_contain_text("Fel rum")


def test_an_orders_life_is_followed_and_an_open_list_stays_open(
    page: Page, fleet: FakeFleet, address: str
) -> None:
    page.goto(f"{address}/it/unit/u-050")
    page.click("[data-order='locate']")
    expect(page.locator("#said")).to_contain_text("Kommandot är skickat")
    page.click(".doings summary")
    (command,) = [one for one in fleet.sent.values() if one.unit == "u-050"]
    for state, words in (("running", "Pågår"), ("succeeded", "Klart")):
        fleet.sent[command.id] = replace(command, state=state)
        expect(page.locator(f"[data-command='{command.id}']")).to_contain_text(words)
    expect(page.locator("[data-order='wipe']")).to_be_visible()


def test_wiping_needs_the_name(page: Page, fleet: FakeFleet, address: str) -> None:
    page.goto(f"{address}/it/unit/u-050/do/wipe")
    page.fill("#name", "u-051")
    page.click("#order-button")
    expect(page.locator("#name-problem")).to_contain_text("u-050")
    page.fill("#name", "u-050")
    page.click("#order-button")
    page.wait_for_url("**/it/unit/u-050?said=ordered#orders")
    assert [call[1:3] for call in fleet.calls if call[0] == "command"][-1] == ("u-050", "wipe")


def test_what_was_typed_survives_a_colleagues_change(page: Page, fleet: FakeFleet, address: str) -> None:
    page.goto(f"{address}/it/unit/u-050/config/network")
    expect(page.locator("#warning")).to_contain_text("inom två minuter")
    page.fill("#network-vlan", "4711")
    fleet.own["u-050"] = {"network": {"vlan": 12}}
    page.click("#save")
    expect(page.locator("#network-vlan-problem")).to_be_visible()
    page.fill("#network-vlan", "47")
    page.click("#save")
    page.wait_for_url("**/it/unit/u-050/config?said=set")
    assert fleet.own["u-050"] == {"network": {"vlan": 47}}


def test_a_rollout_is_counted_begun_and_paused_by_keyboard(
    page: Page, fleet: FakeFleet, address: str
) -> None:
    page.goto(f"{address}/it/rollouts/new/command/restart")
    page.fill("#title", "Omstart i natt")
    page.check("#whom-all")
    page.press("#title", "Enter")
    expect(page.locator("#count")).to_have_attribute("data-units", "320")
    page.focus("#begin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/it/rollouts/3")
    page.focus("[data-key='pause']")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("pausad")


def test_the_main_paths_need_no_script(browser: Browser, fleet: FakeFleet, address: str) -> None:
    page = opened(browser, address, scripts=False)
    page.fill("#text", "u-050")
    page.press("#text", "Enter")
    page.click("[data-unit='u-050'] a")
    page.click("[data-order='selftest']")
    expect(page.locator(".orders")).to_contain_text("Kontrollera rummet")
    page.goto(f"{address}/it/enrol/1")
    page.check("#heard")
    page.click("#approve-button")
    expect(page.locator("#enrolment")).to_have_attribute("data-state", "approved")
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_no_page_is_wider_than_its_screen(page: Page, address: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    wide = []
    for path in (
        *("/it", "/it/enrol", "/it/enrol/3", "/it/unit/u-001", "/it/unit/u-001/details"),
        *("/it/unit/u-001/history", "/it/unit/u-001/config", "/it/unit/u-001/config/network"),
        *("/it/groups", "/it/groups/kusten", "/it/rollouts", "/it/rollouts/2"),
        *("/it/rollouts/new/config/network", "/it/audit"),
    ):
        page.goto(address + path)
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            wide.append(path)
    assert wide == []
