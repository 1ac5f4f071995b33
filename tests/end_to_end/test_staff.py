"""Staff at one room's touchscreen, with a second room and a clinic elsewhere: the real system in real pages."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from provisioning import meeting_log
from provisioning.accounts import Accounts
from provisioning.database import Database
from provisioning.local import CLINIC
from provisioning.models import BookedSession
from provisioning.pki import Authority
from tests.system.people import Browsers, Office, Screen, to_staff
from tests.system.stack import Stack, free_port
from tests.system.visit import PATIENCE_S, book, command, database, until, wait_for_kind, wait_until_ready

pytestmark = pytest.mark.end_to_end

PINS = {"Anna": "471102", "Bo": "830915"}
SOUTH = "Södra vårdcentralen"
ROOM = "rum-2"


@dataclass
class SecondUnit:
    """The agent of the other room, with pages of its own."""

    port: int
    state: Path

    @property
    def address(self) -> str:
        """For a browser."""
        secret = (self.state / "run" / "browser-secret").read_text().split(" ")[1].strip()
        return f"http://localhost:{self.port}/enter?key={secret}"


def run_command(stack: Stack, *words: str, stdin: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning.cli", "--json", *words],
        env={
            "HALSORUM_SETTINGS": str(stack.state / "region" / "region.toml"),
            "PYTHONPATH": ":".join(sys.path),
        },
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def staff(stack: Stack) -> dict[str, str]:
    """Two members of staff by the command line; their ids by name."""
    return {
        name: run_command(stack, "staff", "add", name, "--clinic", CLINIC, "--pin-stdin", stdin=f"{pin}\n")[
            "id"
        ]
        for name, pin in PINS.items()
    }


@pytest.fixture(scope="module")
def second(stack: Stack, staff: dict[str, str]) -> Iterator[SecondUnit]:
    """Another room of the centre, in which a unit of its own stands."""
    folder = stack.state / "unit-2"
    identity = Authority(stack.state / "pki").client("unit-2", folder / "identity")
    command(stack, "unit", "add", "unit-2", "--certificate", str(identity.certificate_file))
    command(stack, "room", "add", ROOM, "--clinic", CLINIC, "--name", "Hälsorum 2")
    command(stack, "room", "assign", ROOM, "unit-2")
    values = tomllib.loads((stack.state / "unit" / "unit.toml").read_text())
    port = free_port()
    del values["identity_dir"]
    values |= {
        "ca_file": str(identity.ca_file),
        "state_dir": str(folder / "state"),
        "certificate_file": str(identity.certificate_file),
        "key_file": str(identity.key_file),
        "web_port": port,
        "room_name": "Hälsorum 2",
    }
    file = folder / "unit.toml"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    with (stack.state / "logs" / "unit-2.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "--config", str(file)], stdout=log, stderr=log
        )
    unit = SecondUnit(port, folder / "state")
    try:
        until(lambda: unit_state(stack, "unit-2") == "ready", "the second room is well", 2 * PATIENCE_S)
        yield unit
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def unit_state(stack: Stack, unit: str) -> str:
    rows = command(stack, "unit", "list")
    return next((row["state"] for row in rows if row["unit"] == unit), "")


def configured(stack: Stack) -> bool:
    told = [row["configuration"].split(" of ") for row in command(stack, "unit", "list")]
    return all(has == wanted for has, wanted in told)


@pytest.fixture(scope="module")
def doctor(browsers: Browsers, stack: Stack) -> Office:
    """A clinician of another clinic, whose queue the room may ask."""
    password = secrets.token_urlsafe(12)
    opened = Database(f"sqlite:///{stack.state / 'region' / 'region.db'}")
    Accounts(opened, lambda: datetime.now(UTC)).add("eva", "Eva", "clinician", SOUTH, password)
    opened.close()
    command(stack, "queue", "add", "jour", "--name", "Jouren", "--clinic", SOUTH)
    return Office.open(browsers, stack, account=("eva", password))


def unlock(screen: Screen, name: str) -> Page:
    """Choose oneself, and write one's own PIN."""
    page = screen.page
    to_staff(page)
    screen.shows("staff-who")
    page.click(f"[data-member]:has-text('{name}')")
    screen.shows("staff-pin")
    for digit in PINS[name]:
        page.click(f"[data-digit='{digit}']")
    page.click("[data-touch='staff_unlock']")
    screen.shows("staff")
    return page


def session_of(stack: Stack, sid: str) -> BookedSession:
    with database(stack) as db:
        return db.get_one(BookedSession, sid)


def logged(stack: Stack, sid: str, kind: str) -> list[dict[str, Any]]:
    with database(stack) as db:
        return [dict(entry.fields) for entry in meeting_log.of_session(db, sid) if entry.kind == kind]


def test_a_waiting_patient_is_handed_over_and_checks_in_there_by_the_same_code(
    stack: Stack, browsers: Browsers, screen: Screen, staff: dict[str, str], second: SecondUnit
) -> None:
    wait_until_ready(stack)
    booked = book(stack, after_min=3, minutes=20)
    until(lambda: configured(stack), "the units have taken their configuration")
    page = unlock(screen, "Bo")
    page.click(f"[data-session='{booked.sid}']")
    page.click(f"[data-touch='staff_checkin'][data-sid='{booked.sid}']")
    screen.shows("waiting")
    wait_for_kind(stack, booked.sid, "checked_in")
    assert logged(stack, booked.sid, "checked_in")[-1] == {"how": "staff", "staff": staff["Bo"]}

    page = unlock(screen, "Anna")
    page.click(f"[data-session='{booked.sid}']")
    page.click("button[data-view='rooms']")
    page.click(f"[data-touch='staff_hand_over'][data-room='{ROOM}']")
    until(lambda: session_of(stack, booked.sid).room_id == ROOM, "the booking is in the other room")
    screen.shows("ended")
    wait_for_kind(stack, booked.sid, "session_wiped")
    assert logged(stack, booked.sid, "handed_over") == [{"room": ROOM, "staff": staff["Anna"]}]

    context = browsers.office.new_context(locale="sv-SE", viewport={"width": 1280, "height": 800})
    other = Screen(context.new_page())
    other.page.goto(second.address)
    other.shows("idle")
    other.page.wait_for_selector(f"[data-next]:has-text('{booked.ref}')")
    other.check_in(booked.code)
    other.shows("waiting")
    until(lambda: session_of(stack, booked.sid).state == "waiting", "checked in in the other room")
    other.leave()
    context.close()
    page.click("[data-touch='done']")
    screen.shows("idle")


def test_a_clinician_is_asked_for_by_the_queue_and_the_meeting_is_extended_and_ended_here(
    stack: Stack, screen: Screen, doctor: Office, staff: dict[str, str]
) -> None:
    wait_until_ready(stack)
    page = unlock(screen, "Anna")
    page.click("button[data-view='queue']")
    page.click("[data-touch='staff_dropin'][data-queue='jour']")
    screen.shows("staff")
    page.click("[data-touch='staff_lock']")
    screen.shows("queue")
    page.wait_for_selector("h1:has-text('näst på tur')")

    doctor.page.goto(f"{doctor.region}/queue")
    doctor.page.click("[data-action='take-next']")
    doctor.page.wait_for_url("**/meeting/*")
    sid = doctor.page.url.rpartition("/")[2]
    screen.shows("call")
    wait_for_kind(stack, sid, "call_started")
    row = session_of(stack, sid)
    assert (row.room_id, row.kind, row.clinic.name) == (stack.system["room"], "dropin", SOUTH)
    assert logged(stack, sid, "queue_taken")[0]["queue"] == "jour"

    page.wait_for_selector("video[data-media^='peer/']")  # the log may have the call before the page
    videos = "document.querySelectorAll('video').length"
    before = page.evaluate(videos)
    page = unlock(screen, "Bo")
    assert page.evaluate(videos) == before, "the meeting goes on beneath"
    page.click(f"[data-session='{sid}']")
    page.click("button[data-view='extend']")
    page.click("[data-touch='staff_extend'][data-minutes='5']")
    screen.shows("staff")
    until(lambda: session_of(stack, sid).end > row.end, "the end is later")
    until(lambda: logged(stack, sid, "extended"), "it is in the log")
    assert logged(stack, sid, "extended") == [{"minutes": 5, "staff": staff["Bo"]}]

    page.click(f"[data-session='{sid}']")
    page.click("button[data-view='end']")
    page.click("[data-touch='staff_end']")
    screen.shows("ended")
    assert "session_wiped" in wait_for_kind(stack, sid, "session_wiped")
    assert logged(stack, sid, "call_ended")[0] == {"reason": "ended_by_staff", "staff": staff["Bo"]}
    doctor.page.wait_for_url("**/ended", timeout=60_000)
    page.click("[data-touch='done']")
    screen.shows("idle")


@pytest.mark.long
def test_with_the_region_away_nothing_is_lost_and_who_is_removed_is_out_at_once(
    stack: Stack, screen: Screen, doctor: Office, staff: dict[str, str]
) -> None:
    page = unlock(screen, "Anna")
    page.click("button[data-view='queue']")
    with stack.paused("region"):
        page.click("[data-touch='staff_dropin'][data-queue='jour']")
        page.wait_for_selector("[data-message='asked']")
    page.wait_for_selector(".side [data-message]:has-text('står i kö')")
    page.click("button[data-view='queue']")
    page.click("[data-touch='staff_dropin_cancel']")
    screen.shows("staff")
    command(stack, "staff", "remove", staff["Anna"])
    screen.shows("staff-who")
    assert page.locator("[data-member]").count() == 1
    page.click("[data-action='back']")
    screen.shows("idle")
