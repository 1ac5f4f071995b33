"""People who come to a meeting by a link of their own: interpreter, relative, specialist, municipality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from playwright.sync_api import Page

from tests.system.people import Browsers, Office

TAKES_PART_WITHIN_MS = 90_000
"""Five browsers share the machine: on two cores they take their time to paint and to agree on keys."""


@dataclass(frozen=True)
class Seat:
    """What the one who invites sends on: shown once."""

    link: str
    code: str


def invite(office: Office, role: str, label: str = "") -> Seat:
    """A seat made in the meeting page, as the one who leads it does."""
    page = office.page
    open_part(page, "people")
    open_part(page, "invite")
    page.select_option("#seat-role", role)
    page.fill("#seat-label", label)
    page.click("#seat-make")
    page.wait_for_selector("#seat-shown:not([hidden])")
    seat = Seat(page.inner_text("#seat-link").strip(), page.inner_text("#seat-code").replace(" ", ""))
    page.click("#seat-done")
    return seat


def open_part(page: Page, name: str) -> None:
    """Open a part of the meeting page's side that may be folded."""
    page.evaluate("name => { document.getElementById(name).open = true; }", name)


@dataclass
class Guest:
    """A browser of one who has no account."""

    page: Page

    @classmethod
    def open(
        cls,
        browsers: Browsers,
        seat: Seat,
        *,
        window: tuple[int, int] = (800, 500),
        init_script: str | None = None,
    ) -> Self:
        """Open the link and write the code, up to the page where one prepares."""
        context = browsers.office.new_context(
            locale="sv-SE",
            viewport={"width": window[0], "height": window[1]},
            permissions=["camera", "microphone"],
        )
        if init_script is not None:
            context.add_init_script(init_script)
        page = context.new_page()
        page.goto(seat.link)
        page.fill("#code", seat.code)
        page.click("#go")
        page.wait_for_selector("#content[data-stage='prepare']")
        return cls(page)

    def knock(self, name: str, organisation: str = "") -> None:
        """Say who one is, and ask to be let in."""
        self.page.fill("#own-name", name)
        self.page.fill("#own-organisation", organisation)
        self.page.click("#join")
        self.page.wait_for_selector("#content[data-stage='lobby']")

    def takes_part(self) -> None:
        """Until one is connected to the room."""
        self.page.wait_for_selector(
            "#content[data-stage='call'][data-line='connected']", timeout=TAKES_PART_WITHIN_MS
        )


def let_in(office: Office, many: int = 1) -> None:
    """Let in all who knock, one after the other."""
    for _ in range(many):
        row = office.page.wait_for_selector("#lobby-list li")
        assert row is not None
        peer = row.get_attribute("data-peer")
        office.page.click(f"#lobby-list li[data-peer='{peer}'] button.go")
        office.page.wait_for_selector(f"#lobby-list li[data-peer='{peer}']", state="detached")
