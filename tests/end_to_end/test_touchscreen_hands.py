"""Hands on the glass, and what the patient's pages do with them, in a real browser around an agent in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "room"))

from fakes import FakeController, screen, view
from serve_fake import served
from states import STATES

from agent.screen import Announcement, Caption, Outcome, Question, Screen, Touch
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.visit import page_until

pytestmark = pytest.mark.end_to_end

PORT = 25210
PATIENCE_MS = 60_000
PALM_PX = 240
SECOND_MS = 900
"""Within this a second click of the same touch would have come."""
APP = "import('/static/app.js')"
FELT = "document.querySelectorAll('[data-felt]').length"
BY_QR = """import('/static/app.js')
  .then(({ app }) => app.screen.can_check_in.some(({ methods }) => methods.includes('qr')))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET])
        yield chromium
        chromium.close()


@pytest.fixture
def controller() -> FakeController:
    return FakeController()


@pytest.fixture
def page(browser: Browser, controller: FakeController) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    with served(controller, PORT) as address:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        page.wait_for_selector('body[data-page="idle"]')
        yield page
        context.close()


@pytest.fixture
def glass(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def put(glass: CDPSession, *points: tuple[float, float], radius: float = 20) -> None:
    """Fingers land on the glass, the first of them first."""
    down = []
    for number, (x, y) in enumerate(points):
        down.append({"x": x, "y": y, "id": number, "radiusX": radius, "radiusY": radius})
        glass.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": down})


def lift(glass: CDPSession) -> None:
    glass.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def ways_shown(page: Page, controller: FakeController, shown: Screen) -> None:
    """The page has heard of the ways to check in: before that, check-in asks for the code at once."""
    controller.show(shown)
    page_until(page, lambda: page.evaluate(BY_QR), "the ways to check in on the page")


def call(**changes: object) -> None:
    return screen(page="call", session=view(state="in_call", **changes))  # type: ignore[return-value]


def test_a_touch_is_felt_while_the_finger_is_still_down(page: Page, glass: CDPSession) -> None:
    put(glass, middle(page, '[data-action="checkin"]'))
    page_until(page, lambda: page.evaluate(FELT) == 1, "the button to say that it was felt")
    lift(glass)
    page.wait_for_selector('body[data-page="checkin-code"]')


def test_a_finger_that_rests_on_a_button_presses_it_once(
    page: Page, glass: CDPSession, controller: FakeController
) -> None:
    put(glass, middle(page, '[data-touch="help"]'))
    # As Chromium does on a real screen, and then gives no click; here it gives one, which must not count too.
    page.dispatch_event('[data-touch="help"]', "contextmenu")
    assert controller.touches == []
    lift(glass)
    page_until(page, lambda: controller.touches == [Touch("help")], "the one touch")
    page.wait_for_timeout(SECOND_MS)
    assert controller.touches == [Touch("help")]


def test_a_finger_that_rests_and_leaves_the_button_presses_nothing(
    page: Page, glass: CDPSession, controller: FakeController
) -> None:
    put(glass, middle(page, '[data-touch="help"]'))
    page.wait_for_timeout(SECOND_MS)
    away = {"x": 640, "y": 120, "id": 0, "radiusX": 20, "radiusY": 20}
    glass.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [away]})
    lift(glass)
    page.touchscreen.tap(*middle(page, '[data-action="checkin"]'))
    page.wait_for_selector('body[data-page="checkin-code"]')
    assert controller.touches == []


def test_a_palm_presses_nothing(page: Page, glass: CDPSession, controller: FakeController) -> None:
    put(glass, middle(page, '[data-touch="help"]'), radius=PALM_PX)
    lift(glass)
    page.touchscreen.tap(*middle(page, '[data-action="checkin"]'))
    page.wait_for_selector('body[data-page="checkin-code"]')
    assert controller.touches == []


def test_five_fingers_press_no_more_than_the_first_is_on(
    page: Page, glass: CDPSession, controller: FakeController
) -> None:
    controller.show(call())
    page.wait_for_selector('body[data-page="call"]')
    controls = ["microphone", "camera", "help"]
    spots = [middle(page, f'[data-touch="{name}"]') for name in controls]
    put(glass, (640, 100), *spots, (640, 300))
    lift(glass)
    page.touchscreen.tap(*middle(page, '[data-touch="microphone"]'))
    page_until(page, lambda: bool(controller.touches), "the one touch")
    assert controller.touches == [Touch("microphone", on=False)]
    assert page.evaluate("visualViewport.scale") == 1


def test_the_second_of_two_touches_is_not_for_what_came_up_under_the_finger(
    page: Page, controller: FakeController
) -> None:
    controller.show(call())
    page.wait_for_selector('body[data-page="call"]')
    spot = middle(page, '[data-action="leave"]')
    page.touchscreen.tap(*spot)
    page.wait_for_selector('body[data-panel="leave"]')
    page.touchscreen.tap(*spot)
    assert page.get_attribute("body", "data-panel") == "leave"
    assert controller.touches == []
    page.touchscreen.tap(*middle(page, '#panel [data-touch="leave"]'))
    page_until(page, lambda: controller.touches == [Touch("leave")], "leaving")


def test_three_touches_and_the_code_lead_to_the_waiting_page(page: Page, controller: FakeController) -> None:
    ways_shown(page, controller, STATES["idle-all-ways"])
    touches = 0
    for selector in ('[data-action="checkin"]', '[data-action="code"]'):
        page.touchscreen.tap(*middle(page, selector))
        touches += 1
        page.wait_for_timeout(60)
    page.wait_for_selector('body[data-page="checkin-code"]')
    page.keyboard.type("907731")
    page.touchscreen.tap(*middle(page, '[data-touch="checkin_code"]'))
    touches += 1
    page_until(page, lambda: controller.touches == [Touch("checkin_code", text="907731")], "the code")
    assert touches <= 3


def test_marks_are_given_by_one_touch_each_and_thanked_for(page: Page, controller: FakeController) -> None:
    controller.show(STATES["ended"])
    for step, mark in enumerate("321"):
        page.wait_for_selector(f'.faces[data-step="{step}"]')
        page.click(f'[data-mark="{mark}"]')
    page.wait_for_selector('.faces[data-step="thanks"]', state="attached")
    page_until(page, lambda: len(controller.touches) == 3, "three marks")
    assert [touch.text for touch in controller.touches] == ["3,0,0", "3,2,0", "3,2,1"]


def test_no_is_the_large_answer_and_reaches_the_agent(page: Page, controller: FakeController) -> None:
    controller.show(STATES["call-question"])
    no = page.wait_for_selector('#panel [data-touch="consent"][data-on="false"]')
    yes = page.query_selector('#panel [data-touch="consent"][data-on="true"]')
    assert no is not None and yes is not None
    sizes = [button.bounding_box() for button in (no, yes)]
    assert sizes[0] and sizes[1] and sizes[0]["height"] > sizes[1]["height"]
    no.click()
    page_until(page, lambda: controller.touches == [Touch("consent", text="s1", on=False)], "the no")
    controller.show(call(question=Question("s2", "still", "clinician", screen().now)))
    page.wait_for_selector('body[data-panel="question"]')


def test_help_covers_a_call_that_goes_on_beneath(page: Page, controller: FakeController) -> None:
    controller.show(call())
    page.wait_for_selector('[data-media-tile="peer/p1"]')
    page.evaluate("window.tile = document.querySelector('[data-media=\"peer/p1\"]')")
    page.click('[data-touch="help"]')
    page.wait_for_selector('body[data-page="help"][data-view="call"]')
    assert page.evaluate("window.tile.isConnected")
    controller.show(replace(controller.now, help_state="answered"))
    page.wait_for_selector('#cover h1:has-text("Personalen kommer")')
    page.click('#cover [data-action="help-read"]')
    page.wait_for_selector('body[data-page="call"]')
    assert page.evaluate("window.tile.isConnected")


def test_help_that_fails_leads_to_the_telephone(page: Page, controller: FakeController) -> None:
    controller.outcomes["help"] = Outcome("no_region")
    page.click('[data-touch="help"]')
    page.wait_for_selector('#cover:has-text("112")')
    assert "010" in page.inner_text("#cover h1")


def test_what_is_told_is_told_once_and_what_is_written_stays(page: Page, controller: FakeController) -> None:
    told = (Announcement(7, "still_taken", "clinician", "Kanarina"),)
    written = tuple(Caption(n, "p1", "clinician", f"rad {n}") for n in range(1, 8))
    controller.show(call(announcements=told, captions=written))
    page.wait_for_selector(
        '.told[data-announcement="still_taken"]:has-text("Kanarina har tagit en stillbild")'
    )
    assert "Kanarina" in page.inner_text("#announce")
    page.evaluate("document.getElementById('announce').textContent = ''")
    controller.show(call(announcements=told, captions=(*written, Caption(8, "p1", "clinician", "rad 8"))))
    page.wait_for_selector('[data-caption="8"]', state="attached")
    assert page.inner_text("#announce") == ""
    assert page.locator("[data-caption]").count() == 8
    lines = page.locator(".lines")
    assert lines.evaluate("it => it.scrollTop > 0 && it.scrollTop + it.clientHeight >= it.scrollHeight - 2")


def test_the_visit_waits_for_the_region_and_says_so(page: Page, controller: FakeController) -> None:
    controller.show(STATES["waiting-region"])
    page.wait_for_selector('body[data-page="waiting"][data-fault="region"]')
    assert "regionen" in page.inner_text("h1")
    controller.show(STATES["waiting"])
    page.wait_for_selector('body[data-fault=""]')


def test_the_three_checks_lead_back_or_to_one_thing_to_try(page: Page, controller: FakeController) -> None:
    controller.show(STATES["waiting"])
    page.click('[data-action="check"]')
    page.wait_for_selector('body[data-page="waiting-check"]')
    page.click('[data-action="check-no"]')
    page.wait_for_selector('[data-advice]:has-text("Tryck på Hjälp")')
    for step in ("microphone", "sound"):
        page.click('[data-action="check-yes"]')
        page.wait_for_selector(f'.check[data-step="{step}"]')
    page.click('[data-action="tone"]')
    page.click('[data-action="check-yes"]')
    page.wait_for_selector('body[data-page="waiting"]')


@pytest.mark.parametrize(
    ("before", "yes"),
    [
        ("[data-action='leave']", "#panel [data-touch='leave']"),
        ("[data-touch='help']", "#cover [data-touch='help_over']"),
    ],
)
def test_what_did_not_get_through_is_asked_still(
    page: Page, controller: FakeController, monkeypatch: pytest.MonkeyPatch, before: str, yes: str
) -> None:
    """Who pressed "leave" or "help is no longer needed" must not believe that it was done."""
    controller.show(STATES["call"])
    page.click(before)
    page.wait_for_selector(yes)
    page.wait_for_timeout(SECOND_MS)
    do, stuck = controller.touch, True

    def may_fail(touch: Touch) -> Outcome:
        if stuck:
            raise LookupError
        return do(touch)

    monkeypatch.setattr(controller, "touch", may_fail)
    with page.expect_response("**/api/touch"):
        page.click(yes)
    page.wait_for_timeout(SECOND_MS)
    assert page.is_visible(yes)
    stuck = False
    page.click(yes)
    page.wait_for_selector(yes, state="hidden")


def test_scanning_opens_and_closes_the_camera_and_tells_of_a_wrong_code(
    page: Page, controller: FakeController
) -> None:
    ways_shown(page, controller, STATES["idle-qr"])
    page.click('[data-action="checkin"]')
    page.click('[data-action="scan"]')
    page_until(page, lambda: controller.touches == [Touch("scan", on=True)], "the camera to be asked for")
    scanning = STATES["scan"]
    assert scanning.scan is not None
    controller.show(scanning)
    controller.show(replace(scanning, scan=replace(scanning.scan, refusal="foreign_qr", seen=1)))
    page.wait_for_selector('[data-message="foreign_qr"]')
    page.click('[data-action="code"]')
    page_until(page, lambda: controller.touches[-1] == Touch("scan", on=False), "the camera to be let go")


def test_a_code_refused_in_a_second_opening_is_told_whatever_the_first_had_refused(
    page: Page, controller: FakeController
) -> None:
    scanning = STATES["scan"]
    assert scanning.scan is not None
    # The page comes while the opening before it is still told of.
    earlier = replace(scanning.scan, refusal="foreign_qr", seen=3)
    ways_shown(page, controller, replace(STATES["idle-qr"], scan=earlier))
    page.click('[data-action="checkin"]')
    page.click('[data-action="scan"]')
    page.wait_for_selector('[data-message=""]')
    controller.show(scanning)
    page_until(
        page, lambda: controller.touches[-1:] == [Touch("scan", on=True)], "the camera to be asked for"
    )
    controller.show(replace(scanning, scan=replace(scanning.scan, refusal="foreign_qr", seen=1)))
    page.wait_for_selector('[data-message="foreign_qr"]')


def test_a_camera_that_the_unit_has_closed_is_opened_again_for_who_is_still_here(
    page: Page, controller: FakeController
) -> None:
    """As after five seconds without the page, or two minutes after the last touch that the unit was told of."""
    controller.show(STATES["idle-qr"])
    page.click('[data-action="checkin"]')
    page.click('[data-action="scan"]')
    controller.show(STATES["scan"])
    page.wait_for_function(f"{APP}.then(({{ app }}) => Boolean(app.screen.scan))")
    controller.show(STATES["idle-qr"])
    opened = Touch("scan", on=True)
    page_until(page, lambda: controller.touches == [opened, opened], "the camera to be asked for again")
    controller.outcomes["scan"] = Outcome("no_camera")
    controller.show(STATES["scan"])
    controller.show(STATES["idle-qr"])
    page.wait_for_selector('[data-message="no_camera"]')
    page.wait_for_timeout(SECOND_MS)
    assert len(controller.touches) == 3, "asked for again and again"


def own_mib(browser: Browser) -> float:
    """Memory that the page's process shares with nobody (proc_pid_status(5), RssAnon)."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    found = 0
    for process in processes:
        if process["type"] == "renderer":
            status = Path(f"/proc/{process['id']}/status").read_text("utf-8")
            anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon"))
            found = max(found, int(anonymous.split()[1]))
    return found / 1024


def test_the_page_is_light_and_soon_there(
    page: Page, glass: CDPSession, browser: Browser, controller: FakeController
) -> None:
    """Printed, since another's load is no fault of the page; what it fetches is counted."""
    controller.show(STATES["call-four"])
    page.reload()
    page.wait_for_selector('body[data-page="call"]')
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    fetched = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    glass.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in glass.send("Performance.getMetrics")["metrics"]}
    heap_mib = metrics["JSHeapUsedSize"] / 2**20
    print(
        f"loaded {timing:.0f} ms, {len(fetched)} files, heap {heap_mib:.1f} MiB, own {own_mib(browser):.0f} MiB"
    )
    assert all(address.startswith("http://localhost:") for address in fetched)
    assert heap_mib < 150
