"""Any page of the region, in a real browser, with the region in memory."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import waitress
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1] / "web" / "clinic"))

from clinic_fakes import PASSWORD, SEAT_TOKEN, SID, FakeRegion
from fleet_fakes import full_fleet

from web.clinic import WebSettings, create_app

LANGUAGES = ("sv", "en")
GONE = "0" * 32
HELD = "e" * 12
PAGES = {
    "sign-in": "/sign-in",
    "today": "/today",
    "booking": "/booking",
    "invitation": "",
    "invitation-gone": "/invitation/gone",
    "session": f"/sessions/{SID}",
    "log": f"/sessions/{HELD}/log",
    "meeting": f"/meeting/{SID}",
    "ended": f"/meeting/{HELD}/ended",
    "calls": "/calls",
    "course": f"/calls/{HELD}",
    "seat": f"/seat#{SEAT_TOKEN}",
    "seat-gone": f"/seat#{GONE}",
    "seat-ended": "/seat/ended",
    "visit": "/visit",
    "signed-out": "/signed-out",
    "error": "/nowhere",
    "it-units": "/it",
    "it-enrol": "/it/enrol",
    "it-enrolment": "/it/enrol/1",
    "it-rival": "/it/enrol/3",
    "it-unit": "/it/unit/u-001",
    "it-unit-revoked": "/it/unit/u-006",
    "it-unit-details": "/it/unit/u-001/details",
    "it-unit-history": "/it/unit/u-001/history",
    "it-unit-config": "/it/unit/u-001/config",
    "it-section": "/it/unit/u-001/config/room",
    "it-network": "/it/unit/u-001/config/network",
    "it-order": "/it/unit/u-001/do/show-message",
    "it-wipe": "/it/unit/u-001/do/wipe",
    "it-room": "/it/unit/u-001/room",
    "it-revoke": "/it/unit/u-001/revoke",
    "it-groups": "/it/groups",
    "it-group": "/it/groups/kusten",
    "it-rollouts": "/it/rollouts",
    "it-rollout": "/it/rollouts/2",
    "it-rollout-choose": "/it/rollouts/new",
    "it-rollout-new": "/it/rollouts/new/config/media",
    "it-audit": "/it/audit",
}
FOR_STRANGERS = ("sign-in", "seat", "seat-gone", "seat-ended", "visit", "signed-out")


class Pages:
    """One open page, of a clinician, of IT or of nobody."""

    def __init__(self, browser: Browser, address: str, options: dict[str, object]) -> None:
        self._contexts = [browser.new_context(**options) for _ in range(3)]  # type: ignore[arg-type]
        self._clinician, self._stranger, self._it = (context.new_page() for context in self._contexts)
        self._address = address
        self.page = self._clinician
        self._booked = 0
        """Each at another time, since a room is booked once."""

    def add_init_script(self, script: str) -> None:
        """For every page from now on."""
        for context in self._contexts:
            context.add_init_script(script)

    def sign_in(self) -> None:
        """As a clinician, and as IT."""
        for page, who, first in ((self._clinician, "anna", "**/today*"), (self._it, "ivar", "**/it")):
            page.goto(f"{self._address}/sign-in")
            page.fill("#username", who)
            page.fill("#password", PASSWORD)
            page.click("#sign-in-button")
            page.wait_for_url(first)

    def speak(self, language: str) -> None:
        """Choose a language, in all browsers."""
        for page in (self._clinician, self._stranger, self._it):
            page.goto(f"{self._address}/seat/ended")
            if page.get_attribute("html", "lang") != language:
                page.click(f'.languages button[value="{language}"]')
            page.wait_for_selector(f'html[lang="{language}"]')

    def show(self, name: str) -> Page:
        """Open one of PAGES, by whoever is to see it."""
        self.page = self._stranger if name in FOR_STRANGERS else self._clinician
        if name.startswith("it-"):
            self.page = self._it
        self.page.goto("about:blank")
        if name == "invitation":
            self.page.goto(f"{self._address}/booking")
            self.page.fill("#date", f"{datetime.now() + timedelta(days=1):%Y-%m-%d}")
            self._booked += 1
            self.page.fill("#time", f"{8 + self._booked:02}:30")
            self.page.click("#book")
            self.page.wait_for_selector("#invitation")
        else:
            self.page.goto(self._address + PAGES[name])
        self.page.wait_for_timeout(150)
        return self.page

    def close(self) -> None:
        """Close all."""
        for context in self._contexts:
            context.close()


def region() -> FakeRegion:
    """A day with all that a page may show."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(__file__).parents[1] / "web" / "clinic" / "serve_fake.py"
    spec = spec_from_file_location("clinic_serve_fake", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    fake: FakeRegion = module.region()
    fake.seats.make(fake.accounts["anna"], SID, "interpreter", "Tolk 4711")
    return fake


@contextmanager
def region_pages(browser: Browser, port: int, size: tuple[int, int] = (1280, 800)) -> Iterator[Pages]:
    """Serve the region's pages and sign in."""
    fake = region()
    address = f"http://localhost:{port}"
    settings = WebSettings("k" * 32, address, support_phone="010-123 45 67")
    app = create_app(fake, fake, settings, fleet=full_fleet(fake.now))
    server = waitress.create_server(app, host="127.0.0.1", port=port, threads=32)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    viewport = {"width": size[0], "height": size[1]}
    pages = Pages(browser, address, {"viewport": viewport, "bypass_csp": True})
    try:
        pages.sign_in()
        yield pages
    finally:
        pages.close()
        server.close()
