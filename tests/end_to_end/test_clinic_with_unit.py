"""The meeting page's tools on a real unit: stills, zoom, who sits beside the patient, and what is shown."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.system.guests import Guest, invite, let_in, open_part
from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import book, page_until, wait_for_kind, wait_until_ready

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
PATIENCE_MS = 60_000


def test_a_still_a_zoom_and_a_document_go_through_a_real_unit(own_stack: Stack, tmp_path: Path) -> None:
    stack = own_stack
    wait_until_ready(stack)
    booking = book(stack)
    with Browsers(tmp_path / "profile") as browsers:
        screen = Screen.open(browsers, stack)
        screen.check_in(booking.code)
        screen.shows("waiting")
        office = Office.open(browsers, stack)
        office.open_meeting(booking.sid)
        seat = invite(office, "specialist")
        office.admit()
        page = office.page
        page.wait_for_selector("#content[data-line='connected']", timeout=PATIENCE_MS)
        _takes_a_still(page, stack, booking.sid)
        _zooms(page)
        _writes_down_who_is_there(page, screen.page)

        guest = Guest.open(browsers, seat)
        guest.knock("Erik Holm", "Universitetssjukhuset")
        let_in(office)
        guest.takes_part()
        expect(page.locator("#people-list")).to_contain_text("Universitetssjukhuset", timeout=PATIENCE_MS)
        _lets_show(page)
        _shows(guest.page, page)
        office.end()
        screen.shows("ended", timeout_s=30)


def _takes_a_still(page: Page, stack: Stack, sid: str) -> None:
    open_part(page, "room-camera")
    # The line is up before the channel beside it: until then the page says so, and one asks again.
    page_until(page, lambda: _asks_for_a_still(page), "a still asked for", 20)
    expect(page.locator("#still-state")).to_contain_text("Patienten får veta", timeout=PATIENCE_MS)
    expect(page.locator("#still-dialog")).to_be_visible(timeout=PATIENCE_MS)
    with page.expect_download() as download:
        page.click("#still-save")
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert picture.width >= 1280
    wait_for_kind(stack, sid, "still_saved")


def _asks_for_a_still(page: Page) -> bool:
    page.click("#still")
    return page.is_disabled("#still")


def _zooms(page: Page) -> None:
    page.click("#zoom-nearer")
    expect(page.locator("#content")).to_have_attribute("data-zoomed", "yes")
    expect(page.locator("#zoom-state")).to_have_text("1,4 gånger förstorat")
    page.click("#zoom-whole")
    expect(page.locator("#content")).to_have_attribute("data-zoomed", "no")


def _writes_down_who_is_there(page: Page, screen: Page) -> None:
    open_part(page, "people")
    open_part(page, "beside-add")
    page.fill("#beside-name", "Lisa Ek")
    page.press("#beside-name", "Enter")
    expect(page.locator("#beside-list")).to_contain_text("Lisa Ek")
    expect(screen.locator("body")).to_contain_text("Lisa Ek", timeout=PATIENCE_MS)


def _lets_show(page: Page) -> None:
    open_part(page, "showing")
    page.click("#sharing-on")
    expect(page.locator("#consent-organisations")).to_have_value("Vårdcentralen\nUniversitetssjukhuset")
    page.check("#consent-given")
    page.click("#consent-yes")
    expect(page.locator("#sharing-organisations")).to_contain_text("Universitetssjukhuset")


def _shows(guest: Page, page: Page) -> None:
    open_part(guest, "showing")
    picture = io.BytesIO()
    Image.new("RGB", (2000, 1000), "white").save(picture, "PNG")
    guest.set_input_files(
        "#show-files", [{"name": "ekg.png", "mimeType": "image/png", "buffer": picture.getvalue()}]
    )
    expect(guest.locator("#content")).to_have_attribute("data-showing-line", "connected", timeout=PATIENCE_MS)
    view = page.locator(".tile.view video")
    page_until(
        page, lambda: view.count() == 1 and view.evaluate("v => v.videoHeight") == 1080, "a document", 40
    )
    guest.click("#show-stop")
    expect(page.locator(".tile.view")).to_have_count(0)
