"""Plays a whole visit: every step is a click or a word typed at the touchscreen or in the clinician's page."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.demo.agent_process import AgentMeter
from tests.demo.canaries import CLINICIAN, INTERPRETER, Canary, appointment_parts, canaries, search
from tests.demo.covered import ADDRESS, Lens
from tests.demo.probes import OFFICE_TONE_HZ, ROOM_TONE_HZ, page_script
from tests.system.guests import Guest, Seat, invite, let_in, open_part
from tests.system.people import ZONE, Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import appointment, page_until, post, wait_on_unit, wait_until_ready

BOOKED_AFTER = timedelta(minutes=4)
OTHER_AFTER = timedelta(hours=3)
"""When the appointment with a patient's data is: not in the way of the visit."""
BEFORE_ADMITTING_S = 2.0
"""A clinician sees who waits before the click; meanwhile the self-view runs."""
OFFICE_WINDOW = (960, 600)
"""Smaller than the touchscreen's: without a graphics processor a browser paints each pixel by the processor."""
GUEST_WINDOW = (640, 400)
OTHER_PAGE = "#tiles .tile[data-line='connected']"
FIRST_FRAMES_WITHIN_S = 20.0
STILL_WITHIN_S = 40.0
NOTE_QUESTION = """() => {
  window.wasAsked = false;
  const look = () => { window.wasAsked ||= document.body.dataset.panel === "question"; };
  new MutationObserver(look).observe(document.body, { attributes: true });
}"""
"""The question stands for three seconds: noted when it comes, since a busy test may look too late."""
REMOTE = "video[data-media^='peer/']"
CONNECTED = "#content[data-line='connected'][data-session-state='in_call']"


@dataclass
class Played:
    """What was seen, in raw form. `sides` by where it was received: `clinician`, `kiosk`, `interpreter`; `still`
    is the size of the picture that the clinician was given, in pixels."""

    sid: str
    canaries: list[Canary]
    searched_and_found: bool
    agent: AgentMeter
    admit_at_ms: float | None = None
    sides: dict[str, dict[str, Any]] = field(default_factory=dict)
    muting: dict[str, bool] = field(default_factory=dict)
    still: tuple[int, int] | None = None
    still_was_told: bool = False


def play(
    stack: Stack,
    browsers: Browsers,
    say: Callable[[str], None],
    seconds: float,
    picture: Path | None,
    lens: Lens | None = None,
) -> Played:
    """From sign-in to the ended page. lens: covered for a while before the patient comes.

    Raises AssertionError or playwright's TimeoutError with what is missing.
    """
    browsers.room.add_init_script(page_script(draws_clock=False))
    screen = Screen.open(browsers, stack)
    screen.shows("idle")
    _post_patient(stack)
    account = _add_clinician(stack)
    wait_until_ready(stack)
    say("the room has tested itself: ready")
    script = page_script(draws_clock=picture is None)
    office = Office.open(browsers, stack, account=account, init_script=script, window=OFFICE_WINDOW)
    sid, code = office.book(datetime.now(ZONE) + BOOKED_AFTER)
    ref = office.page.get_attribute("#invitation", "data-ref") or ""
    wait_on_unit(stack, sid)
    say(f"booked by the clinician: {ref}")
    if lens is not None:
        lens.cover(stack, office, screen, say)
        lens.uncover(stack, office, say)
    screen.check_in(code)
    screen.shows("waiting")
    say("checked in at the touchscreen with the code: waiting")
    wanted = canaries(sid, ref, code)
    left = search({"": stack.state / "unit"}, [canary for canary in wanted if canary.text == sid])
    played = Played(sid, wanted, bool(left), AgentMeter(stack.system["pids"]["unit"]))
    guest = _begin(browsers, office, screen, played, say)
    _in_call({"clinician": office.page, "kiosk": screen.page, "interpreter": guest.page}, played, seconds)
    say(f"{seconds:.0f} s in call")
    if picture is not None:
        screen.page.screenshot(path=picture)
    played.muting = _mute_each(office.page, screen.page)
    _take_still(office.page, screen.page, played)
    say("a still picture at the sensor's full size, told to the patient and saved by the clinician")
    _end(office, guest, screen, say)
    if lens is not None:
        lens.wait_for_good_news(office, say)
        played.canaries.append(Canary("address of who is told", ADDRESS, ("region/",)))
    return played


def _begin(
    browsers: Browsers, office: Office, screen: Screen, played: Played, say: Callable[[str], None]
) -> Guest:
    """From the day's list to three parties in call."""
    office.today()
    office.page.click(f"[data-sid='{played.sid}'][data-state='waiting'] [data-action='meeting']")
    office.page.wait_for_selector("#admit:not([disabled])")
    seat = invite(office, "interpreter")
    played.canaries.append(Canary("code of the interpreter's link", seat.code, kind="number"))
    guest = _interpreter(browsers, seat)
    say("the interpreter knocks, with a link and a code of their own")
    office.page.wait_for_timeout(BEFORE_ADMITTING_S * 1000)
    office.admit()
    say("let in by the clinician")
    _first_pictures({"clinician": office.page, "kiosk": screen.page})
    let_in(office)
    guest.takes_part()
    for page in (office.page, guest.page):
        page.wait_for_selector(OTHER_PAGE)
    say("the interpreter too: three parties")
    return guest


def _end(office: Office, guest: Guest, screen: Screen, say: Callable[[str], None]) -> None:
    office.end()
    screen.shows("ended")
    for page in (office.page, guest.page):
        page.wait_for_selector("#ended")
    say("ended by the clinician")
    screen.page.click("[data-touch='done']")
    screen.shows("idle")


def _post_patient(stack: Stack) -> None:
    """A booking system tells more than anyone here may keep."""
    start = datetime.now(UTC).replace(microsecond=0) + OTHER_AFTER
    kept = post(stack, appointment(stack.system["room"], start, 30, **appointment_parts()))
    wait_on_unit(stack, kept["id"])


def _add_clinician(stack: Stack) -> tuple[str, str]:
    """An account with a name that can be searched for, made as IT makes it."""
    username, password = "demo", secrets.token_urlsafe(12)
    options = ["--clinic", "Vårdcentralen", "--name", CLINICIAN, "--password-stdin"]
    settings = ["--settings", str(stack.state / "region" / "region.toml")]
    command = [sys.executable, "-m", "provisioning.cli", *settings, "account", "add", username, *options]
    subprocess.run(command, input=f"{password}\n", text=True, check=True, capture_output=True)
    return username, password


def _interpreter(browsers: Browsers, seat: Seat) -> Guest:
    guest = Guest.open(browsers, seat, window=GUEST_WINDOW, init_script=page_script(draws_clock=False))
    guest.knock(INTERPRETER, "Tolkförmedlingen")
    return guest


def _first_pictures(pages: Mapping[str, Page]) -> None:
    for name, page in pages.items():
        page_until(
            page,
            lambda page=page: _marks(page)["firstFrameAt"],  # type: ignore[misc]
            f"a picture at the {name}",
            FIRST_FRAMES_WITHIN_S,
        )


def _in_call(pages: Mapping[str, Page], played: Played, seconds: float) -> None:
    office = pages["clinician"]
    office.wait_for_selector(CONNECTED)
    _first_pictures(pages)
    with played.agent:
        before = {name: page.evaluate("demoProbe.begin()") for name, page in pages.items()}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            office.wait_for_timeout(200)
        tones = [ROOM_TONE_HZ, OFFICE_TONE_HZ]
        after = {
            name: page.evaluate("tones => demoProbe.finish(tones)", tones) for name, page in pages.items()
        }
    played.admit_at_ms = _marks(office)["admitAt"]
    played.sides = {name: {"before": before[name], "after": after[name]} for name in pages}


def _take_still(office: Page, screen: Page, played: Played) -> None:
    """Asked for by the clinician, told to the patient, who lets it be, and saved."""
    open_part(office, "room-camera")
    screen.evaluate(NOTE_QUESTION)
    office.click("#still")
    office.wait_for_selector("#still-dialog[open]", timeout=STILL_WITHIN_S * 1000)
    width, height = office.eval_on_selector("#still-picture", "({ width, height }) => [width, height]")
    played.still = (width, height)
    played.still_was_told = screen.evaluate("window.wasAsked")
    with office.expect_download():
        office.click("#still-save")
    page_until(office, lambda: not office.locator("#still-dialog[open]").count(), "the still put away")


def _marks(page: Page) -> Mapping[str, float | None]:
    marks: Mapping[str, float | None] = page.evaluate("demoProbe.marks()")
    return marks


def _mute_each(office: Page, screen: Page) -> dict[str, bool]:
    """Each side turns its microphone off and on; the room's is also seen at the clinician's."""
    seen = {}
    screen.click("[data-touch='microphone']")
    office.wait_for_selector("#content[data-room-microphone='off']")
    screen.click("[data-touch='microphone'][data-on='false']")
    office.wait_for_selector("#content[data-room-microphone='on']")
    seen["kiosk"] = True
    office.click("#microphone[data-on='true']")
    office.wait_for_selector("#content[data-own-microphone='off']")
    office.click("#microphone[data-on='false']")
    office.wait_for_selector("#content[data-own-microphone='on']")
    seen["clinician"] = True
    return seen
