"""Staff's pages in a real browser, the agent in memory: one question each, over a meeting that goes on beneath."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "room"))

from fakes import NOW, FakeController, line, screen
from serve_fake import served
from states import STATES

from agent.screen import Lock, Outcome, QueueView, Screen, Touch
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.people import to_staff
from tests.system.stack import free_port
from tests.system.visit import page_until

pytestmark = pytest.mark.end_to_end

MEASURE = (Path(__file__).parent / "measure_targets.js").read_text("utf-8")
ANSWER = "import('/static/app.js').then(module => module.app.screen.staff_answer)"
LOCAL = "import('/static/app.js').then(({ app: { local } }) => [local.page, local.staff, local.message])"
IN_FLIGHT = "import('/static/app.js').then(({ app }) => app.inFlight.has('staff_extend'))"
B11, A17, A21 = (f"[data-session='sid-{ref}']" for ref in ("B11", "A17", "A21"))
QUEUED = replace(STATES["staff-many"], queue=QueueView("r2", "Jouren", 2, NOW))
TESTING = replace(STATES["staff-many"], testing=True)
WALKS: dict[str, tuple[Screen, list[str]]] = {
    "who": (STATES["staff-who"], []),
    "pin": (STATES["staff-who"], ["[data-member='s2']"]),
    "list": (STATES["staff-many"], []),
    "list, further": (STATES["staff-many"], ["[data-action='more']"]),
    "session": (STATES["staff-many"], [B11]),
    "rooms": (STATES["staff-many"], [B11, "button[data-view='rooms']"]),
    "queue": (STATES["staff-many"], ["button[data-view='queue']"]),
    "queued": (QUEUED, ["button[data-view='queue']"]),
    "health": (STATES["staff-many"], ["button[data-view='health']"]),
    "health, testing": (TESTING, ["button[data-view='health']"]),
    "health, faults": (STATES["staff-faults"], ["button[data-view='health']"]),
    "health, the sound as it shall be": (STATES["staff-quiet"], ["button[data-view='health']"]),
    "in call": (STATES["staff-in-call"], []),
    "session in call": (STATES["staff-in-call"], [A17]),
    "extend": (STATES["staff-in-call"], [A17, "button[data-view='extend']"]),
    "end": (STATES["staff-in-call"], [A17, "button[data-view='end']"]),
    "the next one": (STATES["staff-in-call"], [A21]),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def controller() -> FakeController:
    return FakeController()


@pytest.fixture(params=[(1280, 800), (1024, 600)], ids=["10 inch", "7 inch"])
def sized(request: pytest.FixtureRequest, browser: Browser, controller: FakeController) -> Iterator[Page]:
    yield from opened(browser, controller, request.param)


@pytest.fixture
def page(browser: Browser, controller: FakeController) -> Iterator[Page]:
    yield from opened(browser, controller, (1280, 800))


def opened(browser: Browser, controller: FakeController, size: tuple[int, int]) -> Iterator[Page]:
    with served(controller, free_port(), size) as address:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.goto(address)
        yield page
        page.close()


def walk(page: Page, controller: FakeController, name: str) -> None:
    controller.now, presses = WALKS[name]
    page.reload()
    to_staff(page)
    for press in presses:
        page.click(f"{press}:visible")


def shows(page: Page, name: str) -> None:
    page.wait_for_selector(f"body[data-view='{name}']")


def touched(controller: FakeController, kind: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(each.sid, each.text, each.by) for each in controller.touches if each.kind == kind]


@pytest.mark.long
def test_every_page_of_staffs_has_targets_for_a_finger_and_words_to_read(
    sized: Page, controller: FakeController
) -> None:
    wrong = {}
    for name in WALKS:
        walk(sized, controller, name)
        wrong[name] = sized.evaluate(MEASURE)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_one_chooses_oneself_and_writes_ones_own_pin(page: Page, controller: FakeController) -> None:
    walk(page, controller, "pin")
    shows(page, "staff-pin")
    controller.outcomes["staff_unlock"] = Outcome("wrong_pin", Lock(4, None))
    page.keyboard.type("471102")
    page.click("[data-touch='staff_unlock']")
    page.wait_for_selector("[data-message='wrong_pin']:has-text('4 försök kvar')")
    assert touched(controller, "staff_unlock") == [(None, "471102", "s2")]
    page.click("[data-action='back']")
    shows(page, "staff-who")
    controller.show(screen(staff=STATES["staff-who"].staff[:1]))
    page_until(page, lambda: page.locator("[data-member]").count() == 1, "the one who was removed is gone")


@pytest.mark.parametrize(
    ("name", "press", "kind", "told"),
    [
        ("session", "staff_start", "staff_start", ("sid-B11", None, None)),
        ("rooms", "staff_hand_over", "staff_hand_over", ("sid-B11", "r2", None)),
        ("queue", "staff_dropin", "staff_dropin", (None, "r2", None)),
        ("health", "staff_test", "staff_test", (None, None, None)),
        ("queued", "staff_dropin_cancel", "staff_dropin_cancel", (None, None, None)),
        ("end", "staff_end", "staff_end", ("sid-A17", None, None)),
        ("the next one", "staff_hand_over", "staff_hand_over", ("sid-A21", "r2", None)),
    ],
)
@pytest.mark.long
def test_each_touch_says_what_it_is_about_and_a_refusal_is_told_in_words(
    page: Page, controller: FakeController, name: str, press: str, kind: str, told: tuple[str | None, ...]
) -> None:
    controller.outcomes[kind] = Outcome("room_not_free")
    walk(page, controller, name)
    button = page.locator(f"[data-touch='{press}']:visible").first
    button.dblclick(delay=10)
    page.wait_for_selector("[data-message='room_not_free']:has-text('Välj ett annat')")
    assert set(touched(controller, kind)) == {told}
    controller.outcomes[kind] = Outcome("no_region")
    button.click()
    page.wait_for_selector("[data-message='no_region']:has-text('Försök igen')")


def test_what_is_possible_is_offered_where_the_next_visit_is_in_the_way(
    page: Page, controller: FakeController
) -> None:
    held, following = line("A17", -20, state="in_call"), line("A21", 22)
    base = replace(STATES["staff-in-call"], staff_sessions=(held, following))
    controller.now = base
    page.reload()
    to_staff(page)
    page.click(A17)
    page.click("button[data-view='extend']")
    minutes = page.locator("[data-touch='staff_extend']").all_inner_texts()
    assert minutes == ["5 minuter", "10 minuter"], "fifteen would reach into the next visit"
    controller.outcomes["staff_extend"] = Outcome("next_in_way", minutes=7)
    controller.show(replace(base, staff_offer=7))
    page.click("[data-minutes='10']")
    page.wait_for_selector("[data-message='next_in_way']:has-text('7 minuter går')")
    page.click("[data-minutes='7']")
    page_until(
        page, lambda: touched(controller, "staff_extend")[-1] == ("sid-A17", "7", None), "the seven minutes"
    )


def test_a_yes_is_told_at_once_though_the_next_document_has_not_come(
    page: Page, controller: FakeController
) -> None:
    """The touch's answer and the document come two ways: "asked" may be the last document for some time."""
    walk(page, controller, "queue")
    controller.show(replace(STATES["staff-many"], staff_answer="asked"))
    page_until(page, lambda: page.evaluate(ANSWER) == "asked", "the page has the document")
    page.click("[data-touch='staff_dropin']:visible")
    shows(page, "staff")
    page.wait_for_selector(".side [data-message]:has-text('Hälsorum 3')")


def test_an_answer_that_is_late_is_told_when_it_comes(page: Page, controller: FakeController) -> None:
    held = line("A17", -20, state="in_call")
    asked = replace(STATES["staff-in-call"], staff_answer="asked", staff_sessions=(held,))
    controller.outcomes["staff_extend"] = Outcome(pending=True)
    walk(page, controller, "extend")
    for answer in ("next_in_way", "done"):
        controller.show(asked)
        page.click("[data-touch='staff_extend'] >> nth=0")
        page.wait_for_selector("[data-message='asked']:has-text('Frågan är skickad')")
        controller.show(replace(asked, staff_answer=answer, staff_offer=7 if answer != "done" else None))
        if answer != "done":
            page.wait_for_selector(f"[data-message='{answer}']:has-text('7 minuter går')")
    shows(page, "staff")
    page.wait_for_selector(".side [data-message]:has-text('är förlängt')")


def test_a_meeting_goes_on_beneath_and_is_there_again(page: Page, controller: FakeController) -> None:
    controller.now = STATES["staff-in-call"]
    page.reload()
    page.wait_for_selector("video")
    page.evaluate("document.querySelectorAll('video').forEach((video, n) => { video.mark = n + 1; })")
    to_staff(page)
    shows(page, "staff")
    assert not page.is_visible("video >> nth=0")
    page.click("[data-touch='staff_lock']")
    shows(page, "call")
    marks = page.evaluate("[...document.querySelectorAll('video')].map(video => video.mark)")
    assert marks
    assert all(marks), "no picture was made anew"
    assert page.is_visible("[data-touch='microphone']")
    assert "staff_lock" in {each.kind for each in controller.touches}


def test_the_screen_is_the_patients_again_when_the_session_moves_on(
    page: Page, controller: FakeController
) -> None:
    walk(page, controller, "session")
    controller.show(replace(STATES["waiting"], staff_unlocked_until=controller.now.staff_unlocked_until))
    shows(page, "waiting")
    page_until(page, lambda: touched(controller, "staff_lock"), "the screen was locked")


def test_a_page_loaded_anew_is_locked(page: Page, controller: FakeController) -> None:
    controller.now = STATES["staff"]
    page.reload()
    shows(page, "idle")
    page_until(page, lambda: touched(controller, "staff_lock"), "the screen was locked")


def test_one_who_was_removed_or_is_away_too_long_sees_the_first_page_of_staffs(
    page: Page, controller: FakeController
) -> None:
    walk(page, controller, "rooms")
    controller.show(replace(STATES["staff-many"], staff_unlocked_until=None, staff_sessions=()))
    shows(page, "staff-who")


def test_a_session_that_is_gone_leads_back_to_the_list(page: Page, controller: FakeController) -> None:
    walk(page, controller, "session")
    controller.show(replace(STATES["staff-many"], staff_sessions=()))
    shows(page, "staff")
    assert page.is_visible("text=Inga tider i dag.")


def test_who_left_before_the_pin_was_found_right_leaves_no_open_screen(
    page: Page, controller: FakeController
) -> None:
    """A slow unit looks at a PIN for a second, and its yes comes with a document after that."""
    walk(page, controller, "pin")
    page.click("[data-action='back']")
    page.click("[data-action='back']")
    shows(page, "idle")
    controller.show(replace(STATES["staff-many"], now=NOW + timedelta(seconds=1)))
    page_until(page, lambda: bool(touched(controller, "staff_lock")), "the screen to be locked")
    controller.show(replace(STATES["idle"], now=NOW + timedelta(seconds=2)))
    controller.touches.clear()
    page.click("[data-action='staff']")
    shows(page, "staff-pin")
    assert touched(controller, "staff_lock") == []


def extend_slowly(page: Page, controller: FakeController, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A17 is asked to go on for longer; the answer comes when the event is set."""
    answers, do = threading.Event(), controller.touch

    def slow(touch: Touch) -> Outcome:
        if touch.kind == "staff_extend":
            answers.wait(20)
        return do(touch)

    monkeypatch.setattr(controller, "touch", slow)
    walk(page, controller, "extend")
    later = (line("A17", -20, state="in_call"), line("A21", 60))
    controller.show(replace(STATES["staff-in-call"], staff_sessions=later))
    page.click("[data-touch='staff_extend'] >> nth=0")
    return answers


@pytest.mark.parametrize("away", ["another", "idle"])
def test_who_has_gone_on_is_not_fetched_back_by_an_answer(
    page: Page, controller: FakeController, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    answers = extend_slowly(page, controller, monkeypatch)
    page.click("[data-action='back']")
    page.click("[data-action='back']" if away == "another" else "[data-touch='staff_lock']")
    if away == "another":
        page.click(A21)
    before = page.evaluate(LOCAL)
    answers.set()
    page_until(page, lambda: not page.evaluate(IN_FLIGHT), "the answer to be here")
    page.wait_for_timeout(200)
    assert page.evaluate(LOCAL) == before


def test_what_was_extended_is_told_on_the_list_by_its_own_name(
    page: Page, controller: FakeController, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = extend_slowly(page, controller, monkeypatch)
    page.click("[data-action='back']")
    page.click("[data-action='back']")
    page.click(A21)
    page.click("[data-action='back']")
    answers.set()
    page.wait_for_selector(".side [data-message]:has-text('A17 är förlängt')")
