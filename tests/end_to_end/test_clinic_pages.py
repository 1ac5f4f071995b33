"""The day's list and the page after a meeting, in a real browser, with the region in memory."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    Page,
    Route,
    expect,
    sync_playwright,
)

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web" / "clinic")]

from clinic_fakes import SID, FakeRegion
from meeting_pages import served, sign_in

from tests.system.chromium import CHROMIUM, PLAYS_AT_ONCE, QUIET
from tests.system.visit import page_until
from web.clinic.services import HelpLine

pytestmark = pytest.mark.end_to_end
ANNA = {"role": "clinician", "name": "Anna\nBerg", "title": "leg. läkare", "organisation": "Kusten"}
KEPT = {
    "parties": [
        {**ANNA, "identified": "oidc"},
        {"role": "interpreter", "name": "Tolk 4711", "title": "", "organisation": "", "identified": "link"},
    ],
    "beside": [{"role": "staff", "name": "Eva Ek", "organisation": "Kusten"}],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, PLAYS_AT_ONCE])


@pytest.fixture
def region() -> FakeRegion:
    fake = FakeRegion()
    fake.add(state="ready", end=fake.now + timedelta(minutes=30))
    fake.add("b" * 12, ref="B01", state="waiting", checked_in_at=fake.now, checked_in_how="code")
    return fake


@pytest.fixture
def address(region: FakeRegion) -> Iterator[str]:
    with served(region) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="sv-SE", permissions=["clipboard-read", "clipboard-write"]) as context:
        context.set_default_timeout(60_000)
        yield context


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page, address, "anna")
    page.goto(f"{address}/today")
    page.wait_for_selector("#rows[data-line='up']")
    yield page
    assert not faults


def arrive(region: FakeRegion, minutes_ago: int = 5) -> None:
    arrived = region.now - timedelta(minutes=minutes_ago)
    region.change(state="waiting", checked_in_at=arrived, checked_in_how="code")


def test_an_arrival_sounds_changes_the_title_and_stands_where_it_belongs(
    page: Page, region: FakeRegion
) -> None:
    expect(page).to_have_title("(1) väntar · Dagens möten · Hälsorum")
    expect(page.locator("#sound")).to_have_attribute("data-sound", "on")
    arrive(region)
    expect(page.locator("#waiting [data-ref]").first).to_have_attribute("data-ref", "A17")  # waits longest
    expect(page).to_have_title("(2) väntar · Dagens möten · Hälsorum")
    expect(page.locator("#announce")).to_contain_text("A17")
    expect(page.locator("#rows")).to_have_attribute("data-rang", "true")


def test_the_sound_can_be_turned_off_and_this_browser_remembers(page: Page, region: FakeRegion) -> None:
    page.click("#sound")
    expect(page.locator("#sound")).to_contain_text("av")
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("data-sound", "off")
    page.wait_for_selector("#rows[data-line='up']")
    arrive(region)
    expect(page.locator("#rows")).to_have_attribute("data-rang", "false")
    page.click("#sound")
    expect(page.locator("#sound")).to_have_attribute("data-sound", "on")


def test_who_takes_a_patient_is_seen_on_a_colleagues_open_page(
    page: Page, browser: Browser, address: str, region: FakeRegion
) -> None:
    arrive(region)
    with browser.new_context() as theirs:
        colleague = theirs.new_page()
        sign_in(colleague, address, "cia")
        colleague.goto(f"{address}/today")
        row = colleague.locator(f"[data-sid='{SID}']")
        expect(row.locator("[data-claim='take']")).to_be_visible()
        page.click(f"[data-sid='{SID}'] [data-claim='take']")
        expect(row).to_contain_text("Tas emot av Anna Berg")
        expect(row.locator("[data-claim]")).to_have_count(0)
        page.click(f"[data-sid='{SID}'] [data-claim='release']")
        expect(row.locator("[data-claim='take']")).to_be_visible()


@pytest.mark.parametrize("what", ["today", "help"])
def test_an_answer_that_was_overtaken_undoes_nothing(page: Page, region: FakeRegion, what: str) -> None:
    """Two requests may be under way, and a slow line brings the older one's answer last."""
    held: list[Route] = []
    answers: list[APIResponse] = []

    def slow(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)  # at once: while it is fetched another may come here
            answers.append(route.fetch())

    news = page.locator(
        f"[data-sid='{SID}'][data-state='waiting']" if what == "today" else "[data-help='a1']"
    )
    page.route(f"**/api/{what}*", slow)
    for nothing_yet in (True, False):
        if what == "help":
            call = HelpLine("unit-1", "a1", "Rum 1", region.now, rings=True)
            region.call_for_help(*([] if nothing_yet else [call]))
        elif nothing_yet:
            region.change()
        else:
            arrive(region)
        page_until(page, lambda: bool(answers), "the older one to be asked")
    expect(news).to_be_visible()
    with page.expect_response(f"**/api/{what}*"):
        held[0].fulfill(response=answers[0])
    page.wait_for_timeout(300)
    expect(news).to_be_visible(timeout=1)
    page.unroute_all()


def test_an_end_that_the_room_confirms_before_the_page_listens_is_seen(
    page: Page, address: str, region: FakeRegion
) -> None:
    region.change(state="in_call")

    def late(route: Route) -> None:
        region.change(state="wiped")
        route.continue_()

    page.route("**/static/ended.js*", late)
    page.goto(f"{address}/meeting/{SID}/ended")
    expect(page.locator("#ended")).to_have_attribute("data-state", "wiped", timeout=10_000)


def after_the_meeting(page: Page, address: str, region: FakeRegion) -> None:
    region.change(state="wiped")
    page.evaluate("kept => sessionStorage.setItem('halsorum.summary', kept)", json.dumps(KEPT))
    page.goto(f"{address}/meeting/{SID}/ended")


def test_the_summary_has_the_names_is_copied_and_then_forgotten(
    page: Page, address: str, region: FakeRegion
) -> None:
    after_the_meeting(page, address, region)
    page.reload()  # the page's own, when the room has confirmed the end
    page.click("#copy")
    expect(page.locator("#copied")).to_contain_text("Kopierat")
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert "- Behandlare: Anna Berg, leg. läkare, Kusten (inloggad via regionen)" in copied
    assert "- Tolk: Tolk 4711 (med länk)" in copied
    assert copied[copied.index("Bredvid patienten:") + 1] == "- Personal: Eva Ek, Kusten"
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    assert "Anna" not in page.input_value("#summary")


def test_without_a_clipboard_the_text_is_chosen_to_be_copied_by_hand(
    page: Page, address: str, region: FakeRegion
) -> None:
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false;"
    )
    after_the_meeting(page, address, region)
    page.click("#copy")
    expect(page.locator("#copied")).to_contain_text("Ctrl+C")
    assert page.evaluate("getSelection().toString()").startswith("Videomöte")
    assert page.evaluate("sessionStorage.length") == 1  # still to be copied


@pytest.mark.parametrize("way", ["#back", "#sign-out", "#nav-booking"])
def test_whoever_leaves_takes_no_names_along(page: Page, address: str, region: FakeRegion, way: str) -> None:
    after_the_meeting(page, address, region)
    page.click(way)
    page.wait_for_url(lambda url: not url.endswith("/ended"))
    assert page.evaluate("sessionStorage.length") == 0


def test_the_roll_keeps_those_who_left_and_a_name_that_is_said_again(page: Page, address: str) -> None:
    kept = page.evaluate(
        """async () => {
          const { Roll, keptSummary } = await import("/static/summary.js");
          const { People } = await import("/static/people.js");
          const people = new People(true), roll = new Roll();
          const party = (peer, role, here = true) => ({ peer, role, identified: "link", here });
          const here = (...parties) => people.update({ you: "a", chair: "a", parties });
          people.own = { name: "Anna", title: "", organisation: "" };
          here(party("a", "clinician"), party("b", "interpreter"), party("c", "relative", false));
          people.name("b", { name: "Tolk 1", title: "", organisation: "Byrån" });
          roll.see(people);
          people.beside = [{ id: "1", role: "staff", name: "Eva", organisation: "" }];
          here(party("a", "clinician"), party("b", "interpreter", false));
          people.name("b", { name: "", title: "", organisation: "" });
          roll.see(people);
          roll.keep();
          return keptSummary();
        }"""
    )
    assert [(one["role"], one["name"]) for one in kept["parties"]] == [
        ("clinician", "Anna"),
        ("interpreter", "Tolk 1"),
    ]
    assert kept["beside"] == [{"role": "staff", "name": "Eva", "organisation": ""}]


def test_the_meeting_page_leaves_the_names_to_the_page_after_it(
    page: Page, address: str, region: FakeRegion
) -> None:
    page.goto(f"{address}/meeting/{SID}")
    page.wait_for_selector("#content[data-feed='up']")
    me = {
        "peer": "p1",
        "role": "clinician",
        "identified": "account",
        "chair": True,
        "sees": True,
        "here": True,
    }
    told = {"type": "parties", "you": "p1", "chair": "p1", "parties": [{**me, "share": False}], "lobby": []}
    region.meetings[SID].messages.put({**told, "sharing": {"on": False, "organisations": []}, "held": False})
    expect(page.locator("#people-list")).to_contain_text("Anna Berg")
    region.change(state="ended")
    page.wait_for_selector("#ended")
    expect(page.locator("#summary")).to_have_value(
        re.compile(r"^- Behandlare: Anna Berg, Kusten \(inloggad\)$", re.MULTILINE)
    )
