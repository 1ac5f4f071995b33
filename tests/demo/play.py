"""One visit, played through the real surfaces: clicked and typed as people would, measured in their pages."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page

from tests.system.people import Browsers, Office, Screen
from tests.system.search import broker_holds, found
from tests.system.stack import Stack
from tests.system.visit import appointment, command, page_until, post, sees, until, wait_for_kind

BENCH = Path(__file__).parents[1] / "bench"
SCRIPTS = (BENCH / "clock_pattern.js", BENCH / "film_camera.js", BENCH / "receiver.js")
PATIENT = ("Kanarina Kanarsson", "19121212-1212", "kanariesymtom i vänster knä")
"""Put in where a careless booking system would, and searched for everywhere afterwards."""
VISIT = (
    "booked",
    "checked_in",
    "party_opened",
    "peer_joined",
    "admit_asked",
    "admitted",
    "call_started",
    "peer_connected",
    "end_asked",
    "peer_left",
    "call_ended",
    "session_wiped",
)


@dataclass
class Played:
    """What was seen of the visit."""

    to_clinician: dict[str, Any] = field(default_factory=dict)
    to_kiosk: dict[str, Any] = field(default_factory=dict)
    agent_cpu_pct: float = 0.0
    agent_rss_mib: float = 0.0
    agent_ready_s: float = 0.0
    events: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    log_ok: bool = False


def init_script() -> str:
    """What is loaded into both pages before their own scripts."""
    own = (Path(__file__).parent / "measure.js").read_text()
    return "\n".join([*(script.read_text() for script in SCRIPTS), own])


def play(stack: Stack, browsers: Browsers, seconds: float, picture: Path | None = None) -> Played:
    """The whole visit."""
    played = Played(agent_ready_s=stack.system["ready_s"]["unit"])
    browsers.room.add_init_script(init_script())
    screen = Screen.open(browsers, stack)
    clinician = Office.open(browsers, stack, init_script=init_script())
    _post_canaries(stack)
    sid, code = clinician.book()
    page_until(screen.page, lambda: _can_check_in(screen.page), "the session on the unit")
    screen.check_in(code)
    screen.shows("waiting")
    sees(screen.page, "video[data-media='self']")
    clinician.page.goto(f"{clinician.region}/today")
    clinician.page.click(f"[data-sid='{sid}'] [data-action='meeting']")
    clinician.admit()
    screen.shows("call")
    sees(screen.page, "video[data-media^='peer/']")
    sees(clinician.page, "#remote video")
    if picture is not None:
        screen.page.wait_for_timeout(2000)
        screen.page.screenshot(path=picture)
    _in_call(stack, screen.page, clinician.page, seconds, played)
    clinician.end()
    screen.shows("ended")
    played.events = wait_for_kind(stack, sid, "session_wiped")
    screen.page.click("[data-touch='done']")
    screen.shows("idle")
    played.log_ok = command(stack, "log", "verify")["ok"] is True
    played.left = _what_is_left(stack, browsers, sid, code)
    return played


def _in_call(stack: Stack, kiosk: Page, office: Page, seconds: float, played: Played) -> None:
    agent = psutil.Process(stack.system["pids"]["unit"])
    for page in (kiosk, office):
        page.evaluate("demoBegin()")
    before, began = agent.cpu_times(), time.monotonic()
    kiosk.wait_for_timeout(seconds * 1000)
    after, took_s = agent.cpu_times(), time.monotonic() - began
    played.agent_cpu_pct = 100 * (after.user + after.system - before.user - before.system) / took_s
    played.agent_rss_mib = agent.memory_info().rss / 2**20
    played.to_kiosk = kiosk.evaluate("demoFinish()")
    played.to_clinician = office.evaluate("demoFinish()")


def _can_check_in(page: Page) -> bool:
    return bool(page.evaluate("fetch('/api/screen').then(r => r.json()).then(s => s.can_check_in.length)"))


def _post_canaries(stack: Stack) -> None:
    name, number, reason = PATIENT
    patient = {"actor": {"display": name, "identifier": {"value": number}}, "status": "accepted"}
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    post(
        stack,
        appointment(
            stack.system["room"],
            start,
            30,
            identifier=[{"system": "urn:demo:tidbok", "value": f"demo-{start:%H%M%S}"}],
            description=reason,
            comment=f"{name} {number}",
            participants=[patient],
        ),
    )


def _what_is_left(stack: Stack, browsers: Browsers, sid: str, code: str) -> list[str]:
    """Names of files that hold what they must not; empty when all is gone."""
    person = [*PATIENT, PATIENT[1].replace("-", "")]
    unit = [stack.state / "unit", stack.state / "logs" / "unit.log", browsers.profile]
    until(lambda: not broker_holds(stack, [sid]), "the broker's store without the session")
    left = found(stack.state, person) + found(browsers.profile, person)
    left += found(stack.state, [code], but=frozenset({"access.json"}))
    for place in unit:
        left += found(place, [sid, code])
    return sorted({str(file.relative_to(stack.state.parent)) for file in left})
