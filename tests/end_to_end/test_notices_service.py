"""A covered camera, from a unit's report over the real broker and the region's process to a mail; the region is
killed in between; the session goes to another room; the room is well again."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from agent.contract.status import Fault, Status
from provisioning.region import utc_now
from tests.end_to_end.test_region_service import House, PlayedUnit, house  # noqa: F401 - a fixture
from tests.provisioning.mail_server import Mailbox, mail_server

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

CLINIC = "Norra vårdcentralen"


def until(it_is_so: Callable[[], Any], within_s: float) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := it_is_so()):
        assert time.monotonic() < deadline
        time.sleep(0.25)
    return found


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def furnish(house: House, mailbox: Mailbox) -> list[PlayedUnit]:  # noqa: F811
    with (house.folder / "region.toml").open("a") as file:
        file.write(
            f'[smtp]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\n'
            'sender = "halsorum@region.example"\n'
        )
    house.start_region()
    units = []
    for number in (1, 2):
        credentials = house.authority.client(f"unit-{number}")
        house.run("unit", "add", credentials.name, "--certificate", str(credentials.certificate_file))
        house.run("room", "add", f"room-{number}", "--clinic", CLINIC, "--name", f"Hälsorum {number}")
        house.run("room", "assign", f"room-{number}", credentials.name)
        units.append(PlayedUnit(credentials, house.broker_port))
        units[-1].say("up/status", Status(state="ready", boot=1))
    house.run("region", "recipients", "add", CLINIC, "Receptionen", "--email", "reception@vc.example")
    return units


def test_the_clinic_is_told_moves_the_session_and_hears_that_it_is_well(house: House) -> None:  # noqa: F811
    with mail_server(Mailbox(answers={"MAIL": "451 later"})) as mailbox:
        one, two = furnish(house, mailbox)
        start = utc_now() + timedelta(minutes=40)
        booked = house.run("book", "room-1", start.isoformat(), "--minutes", "20")
        covered = Fault(probe="camera", instruction="camera_covered")
        one.say("up/status", Status(state="degraded", boot=1, faults=(covered,)))
        (line,) = until(lambda: house.run("region", "not-ready"), 10)
        assert (line["room"], line["instruction"], line["sid"]) == ("room-1", "camera_covered", booked["sid"])
        until(lambda: mailbox.connections, 90)  # a minute later, and the mail server says: later
        house.stop_region(signal.SIGKILL)
        mailbox.answers.clear()
        # The worker of a killed master ends by itself, and so gives the port back.
        until(lambda: is_free(house.web_port), 10)
        house.start_region()
        until(lambda: mailbox.mails, 60)
        assert mailbox.mails[0]["Subject"].startswith("Hälsorum 1: Kameran är täckt – nästa besök ")
        assert until(lambda: house.run("region", "recipients", "list")[0]["last"] == "sent", 10)

        house.run("region", "sessions", "move", booked["sid"], "room-2")
        until(lambda: booked["sid"] in held(two), 20)
        assert house.run("region", "not-ready") == []
        one.say("up/status", Status(state="ready", boot=1))
        until(lambda: len(mailbox.mails) == 2, 90)
        assert mailbox.mails[1]["Subject"] == "Hälsorum 1 är klart igen"
        for unit in (one, two):
            unit.link.stop()
    assert "reception@" not in house.log_text()


def held(unit: PlayedUnit) -> list[str]:
    return [session["sid"] for session in unit.next("dn/schedule").data.sessions]
