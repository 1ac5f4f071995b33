"""IT's pages at a real region: a unit out of its box comes in, is set, told something, moved and shut out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from provisioning.local_new_unit import screen_of
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.stack import Stack, free_port

pytestmark = pytest.mark.end_to_end
SERIAL, NAME, OLD = "hs-77", "rum-77", "unit-1"
PATIENCE_MS = 120_000
"""A self-test that a busy machine spoilt is made again after 30 s."""
ROLLED_OUT = ".counts [data-count='succeeded'] strong"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        launched = player.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    screen = free_port()
    options = ["--new-unit", SERIAL, "--new-screen-port", str(screen)]
    with Stack(tmp_path_factory.mktemp("fleet"), options) as running:
        running.ports["new screen"] = screen
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    expect.set_options(timeout=PATIENCE_MS)
    context = browser.new_context(
        locale="sv-SE",
        base_url=f"http://localhost:{stack.ports['region']}",
        viewport={"width": 1280, "height": 800},
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/")
    page.fill("#username", stack.access["it"])
    page.fill("#password", stack.access["it_password"])
    page.click("#sign-in-button")
    page.wait_for_url("**/it")
    yield page
    context.close()


def test_the_first_unit_is_well(page: Page) -> None:
    expect(page.locator(f"tr[data-unit='{OLD}']")).to_have_attribute("data-health", "good")


def test_the_words_on_the_screen_are_those_at_the_door_and_the_unit_comes_in(
    page: Page, browser: Browser, stack: Stack
) -> None:
    page.goto("/it/enrol")
    door = page.locator(".door li[data-enrolment]")
    expect(door).to_contain_text(SERIAL)
    words = door.locator(".words li").all_inner_texts()
    screen = browser.new_page()
    screen.goto(screen_of(stack.state, SERIAL, stack.ports["new screen"]))
    for word in words:
        expect(screen.locator("body")).to_contain_text(word)
    screen.close()
    door.locator("a").click()
    page.check("#heard")
    page.fill("#unit", NAME)
    page.click("#approve-button")
    expect(page.locator("#enrolment")).to_have_attribute("data-state", "proven")
    page.click("#enrolment a.main")
    page.wait_for_url(f"**/it/unit/{NAME}")
    expect(page.locator("#now .verdict-box")).to_contain_text("Enheten står inte i något rum.")


def test_it_takes_the_place_of_the_old_one(page: Page) -> None:
    page.goto(f"/it/unit/{NAME}/room")
    page.select_option("#room", "rum-1")
    page.check("#swap")
    page.click("#move button.main")
    page.wait_for_url("**said=moved")
    expect(page.locator("#now .verdict-box")).to_have_attribute("data-health", "good")
    page.goto("/it")
    expect(page.locator(f"tr[data-unit='{OLD}']")).to_contain_text("Enheten står inte i något rum.")


def test_a_setting_is_in_force_and_a_wrong_one_is_said_at_its_field(page: Page) -> None:
    page.goto(f"/it/unit/{NAME}/config/network")
    page.select_option("#network-method", "static")
    page.fill("#network-address", "192.0.2.10/24")
    page.fill("#network-gateway", "198.51.100.1")
    page.fill("#network-dns", "192.0.2.53")
    page.click("#save")
    expect(page.locator("#network-gateway-problem")).to_have_text("Adressen ligger inte i enhetens nätverk.")
    page.goto(f"/it/unit/{NAME}/config/room")
    page.fill("#phone", "010-987 65 43")
    page.click("#save")
    page.wait_for_url("**said=set")
    page.goto(f"/it/unit/{NAME}")
    expect(page.locator("#now .facts")).to_contain_text("Gäller i enheten")


def test_an_order_is_followed_to_its_end(page: Page) -> None:
    page.goto(f"/it/unit/{NAME}")
    page.click("[data-order='selftest']")
    expect(page.locator(".orders li").first).to_have_attribute("data-state", "succeeded")


def test_a_rollout_reaches_all(page: Page) -> None:
    page.goto("/it/rollouts/new/config/media")
    page.fill("#title", "DSCP")
    page.fill("#dscp", "46")
    page.check("#whom-all")
    page.fill("#failures", "0")
    page.click("#count-button")
    page.click("#begin")
    page.wait_for_url("**/it/rollouts/1")
    expect(page.locator(ROLLED_OUT)).to_have_text("2")
    expect(page.locator(".badge").first).to_have_text("Klar")


def test_a_revoked_unit_is_shut_out_and_said_to_be(page: Page) -> None:
    page.goto(f"/it/unit/{OLD}/revoke")
    page.fill("#reason", "Stulen")
    page.fill("#name", OLD)
    page.click("#revoke button.stop")
    page.wait_for_url("**said=revoked")
    expect(page.locator("#now .verdict-box")).to_have_attribute("data-health", "revoked")
    page.goto(f"/it/audit?target={OLD}")
    expect(page.locator("table.log")).to_contain_text("Spärrade enhet")
    expect(page.locator("table.log")).to_contain_text("Stulen")


def test_every_page_of_the_unit_opens(page: Page) -> None:
    for tail in ("", "/config", "/details", "/history", "/room"):
        answer = page.goto(f"/it/unit/{NAME}{tail}")
        assert answer is not None
        assert answer.status == 200
