"""Signing in by OpenID Connect: a certified provider, the region's own pages and database, a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from provisioning.accounts import Accounts
from provisioning.people_models import AccountRow
from provisioning.region import Region
from provisioning.rooms import Rooms
from provisioning.settings import RegionSettings
from tests.system.chromium import CHROMIUM, QUIET
from tests.system.openid import OpenIdProvider
from tests.system.stack import free_port

pytestmark = pytest.mark.end_to_end

PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
NORTH, SOUTH = "Norra vårdcentralen", "Södra vårdcentralen"
PASSWORD = "correct horse battery"
PEOPLE: dict[str, dict[str, Any]] = {
    "anna": {
        "acr": "loa3",
        "claims": {"name": "Anna Berg", "groups": ["video-clinician", "other"], "clinic": ["HSA-NORTH"]},
    },
    "two": {
        "acr": "loa3",
        "claims": {
            "name": "Tua Två",
            "groups": ["video-clinician"],
            "clinic": ["HSA-NORTH", "HSA-SOUTH", "HSA-UNKNOWN"],
        },
    },
    "guest": {"acr": "loa3", "claims": {"name": "Gusten Gäst", "groups": ["other"], "clinic": ["HSA-NORTH"]}},
    "weak": {
        "acr": "loa2",
        "claims": {"name": "Vera Vag", "groups": ["video-clinician"], "clinic": ["HSA-NORTH"]},
    },
    "ivar": {"acr": "loa3", "claims": {"name": "Ivar It", "groups": ["video-it"]}},
}


class Silent:
    """A link to no broker: nothing of what is tested here goes over it."""

    up = False

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def publish(self, *_: object) -> bool:
        return False


@dataclass
class House:
    """The region's pages and the provider."""

    url: str
    region: Region
    provider: OpenIdProvider
    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def _settings(folder: Path, port: int, provider: OpenIdProvider) -> RegionSettings:
    secret = folder / "oidc.secret"
    secret.write_text(provider.client["client_secret"] + "\n")
    return RegionSettings.model_validate(
        {
            "database_url": f"sqlite:///{folder}/region.db",
            "state_dir": str(folder),
            "broker": {"ca_file": "ca", "certificate_file": "c", "key_file": "k"},
            "web": {"port": port, "public_url": f"http://localhost:{port}"},
            "oidc": {
                "issuer": provider.issuer,
                "client_id": provider.client["client_id"],
                "client_secret_file": str(secret),
                "name": "Regionens inloggning",
                "acr_values": ["loa3"],
                "roles": {"video-clinician": "clinician", "video-it": "it"},
                "clinics": {"HSA-NORTH": NORTH, "HSA-SOUTH": SOUTH},
            },
        }
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("region"), free_port()
    url = f"http://localhost:{port}"
    client = {
        "client_id": "halsorum",
        "client_secret": "a-secret-between-the-two-of-them",
        "redirect_uris": [f"{url}/sign-in/oidc/callback"],
        "post_logout_redirect_uris": [f"{url}/signed-out"],
    }
    with OpenIdProvider(free_port(), client, PEOPLE) as provider:
        shift: list[House] = []
        region = Region(
            _settings(folder, port, provider),
            clock=lambda: shift[0].now() if shift else datetime.now(UTC),
            make_link=Silent,
        )
        Accounts(region.database, region.clock).add("local", "Lo Kal", "clinician", NORTH, PASSWORD)
        rooms = Rooms(region.database, region.clock)
        for room, clinic in (("north", NORTH), ("south", SOUTH)):
            rooms.add_room(room, room.title(), clinic)
        made = House(url, region, provider)
        shift.append(made)
        server = make_server("127.0.0.1", port, region.web_app(), threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield made
        region.services.end()
        server.shutdown()
        thread.join(5)
        region.database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, house: House) -> Iterator[BrowserContext]:
    house.ahead = timedelta()
    context = browser.new_context(locale="sv-SE")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def at_provider(page: Page, house: House, who: str) -> None:
    page.goto(f"{house.url}/sign-in")
    page.click("#sign-in-oidc")
    page.fill("#login", who)
    page.click("#go")


def test_a_clinician_signs_in_sees_her_clinic_and_signs_out_at_both_places(house: House, page: Page) -> None:
    page.goto(f"{house.url}/booking")  # asked to sign in, and led on there afterwards
    page.click("#sign-in-oidc")
    page.fill("#login", "anna")
    page.click("#go")
    page.wait_for_selector("#booking")
    expect(page.locator(".who")).to_have_text(f"Anna Berg, {NORTH}")
    assert page.locator("#room option").all_inner_texts() == [f"North ({NORTH})"]
    page.click("#sign-out")
    page.click("button[name=logout]")  # the provider asks, and leads back
    page.wait_for_url(f"{house.url}/signed-out*")
    page.goto(f"{house.url}/today")
    page.click("#sign-in-oidc")
    expect(page.locator("#login")).to_be_visible()  # signed out there too


def test_the_same_person_is_the_same_account_and_the_database_knows_no_subject(
    house: House, page: Page
) -> None:
    at_provider(page, house, "anna")
    page.wait_for_selector("#rows")
    with house.region.database.read() as db:
        rows = [row for row in db.scalars(select(AccountRow)) if row.name == "Anna Berg"]
    assert len(rows) == 1
    assert rows[0].subject
    assert "anna" not in rows[0].subject + rows[0].id + rows[0].username


def test_an_answer_works_once_and_in_its_own_browser_alone(
    house: House, page: Page, browser: Browser
) -> None:
    answers: list[str] = []
    page.on("request", lambda request: answers.append(request.url) if "/callback?" in request.url else None)
    at_provider(page, house, "anna")
    page.wait_for_selector("#rows")
    for reader in (page, browser.new_context().new_page()):
        answer = reader.goto(answers[0])
        assert answer is not None
        assert answer.status == 403
        expect(reader.locator("#problem")).to_contain_text("Börja om")
    reader.context.close()


def test_a_token_for_another_nonce_is_refused(house: House, page: Page) -> None:
    started = page.context.request.get(f"{house.url}/sign-in/oidc", max_redirects=0)
    page.goto(re.sub(r"nonce=[^&]+", "nonce=planted", started.headers["location"]))
    page.fill("#login", "anna")
    page.click("#go")
    expect(page.locator("#problem")).to_contain_text("gick inte att lita på")
    page.goto(f"{house.url}/today")
    page.wait_for_selector("#username", state="attached")


@pytest.mark.long
def test_of_two_assignments_one_is_chosen_and_the_other_clinic_stays_closed(house: House, page: Page) -> None:
    at_provider(page, house, "two")
    assert page.locator("#assignments .big").all_inner_texts() == [NORTH, SOUTH]
    page.click(f"#assignments button:has-text('{SOUTH}')")
    page.wait_for_selector("#rows")
    expect(page.locator(".who")).to_have_text(f"Tua Två, {SOUTH}")
    page.goto(f"{house.url}/booking")
    assert page.locator("#room option").all_inner_texts() == [f"South ({SOUTH})"]


def test_a_person_without_a_role_is_told_what_to_do(house: House, page: Page) -> None:
    at_provider(page, house, "guest")
    expect(page.locator("h1")).to_have_text("Du har ingen behörighet här")
    page.goto(f"{house.url}/today")
    page.wait_for_selector("#sign-in-oidc")


def test_a_weaker_sign_in_than_asked_for_is_refused(house: House, page: Page) -> None:
    at_provider(page, house, "weak")
    expect(page.locator("#problem")).to_contain_text("e-legitimation")


@pytest.mark.long
def test_it_sees_calls_and_no_sessions(house: House, page: Page) -> None:
    at_provider(page, house, "ivar")
    page.wait_for_selector("#nav-calls")
    expect(page.locator("#nav-today")).to_have_count(0)
    answer = page.goto(f"{house.url}/api/today")
    assert answer is not None
    assert answer.status == 403


def test_cancelling_at_the_provider_is_no_dead_end(house: House, page: Page) -> None:
    page.goto(f"{house.url}/sign-in")
    page.click("#sign-in-oidc")
    page.click("#stop")
    expect(page.locator("#problem")).to_contain_text("avbröts")
    expect(page.locator("#sign-in-oidc")).to_be_visible()


@pytest.mark.long
def test_a_sign_in_ends_by_itself_after_hours_without_use(house: House, page: Page) -> None:
    at_provider(page, house, "anna")
    page.wait_for_selector("#rows")
    house.ahead = timedelta(hours=5)
    page.goto(f"{house.url}/today")
    page.wait_for_selector("#sign-in-oidc")


@pytest.mark.long
def test_a_new_key_at_the_provider_is_fetched_and_local_accounts_work_without_it(
    house: House, page: Page
) -> None:
    at_provider(page, house, "anna")
    page.wait_for_selector("#rows")
    page.context.clear_cookies()
    house.provider.stop()
    try:
        page.goto(f"{house.url}/sign-in")
        page.click("#local summary")
        page.fill("#username", "local")
        page.fill("#password", PASSWORD)
        page.click("#sign-in-button")
        page.wait_for_selector("#rows")
        page.context.clear_cookies()
    finally:
        house.provider.start()  # with a new key
    at_provider(page, house, "anna")
    page.wait_for_selector("#rows")
