"""Serve the pages with the region in memory, to look at them: python tests/web/clinic/serve_fake.py [port].

In the meeting A17 a specialist is present and somebody knocks; `tolk` (interpreter) may open it too, and the two
pages connect. Nobody plays the unit.

Sign in as anna (clinician), bo (staff) or ivar (IT, who sees a fleet of as many units as the second argument
says) with the password in clinic_fakes.py. By a link: /seat# with the token
and code that stand there.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import waitress

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[3])]

from clinic_fakes import FakeFeed, FakeRegion
from courses import course
from fleet_fakes import full_fleet
from meeting_fakes import FakeParty, MeetingRegion
from readiness_fakes import COVERED, FakeReadiness
from recipients_fakes import FakeRecipients

from web.clinic import WebSettings, create_app
from web.clinic.people import Taken
from web.clinic.services import HelpLine, LogLine, QueueRow, Waiting


def region() -> FakeRegion:
    now = datetime.now(UTC)
    fake = MeetingRegion(now)
    fake.seat("tolk", "interpreter")
    fake.gathering.parties["peerz1"] = FakeParty("peerz1", "specialist", "account", feed=FakeFeed())
    fake.knock("peerz2", "relative")

    def at(minutes: int) -> dict[str, datetime]:
        return {"start": now + timedelta(minutes=minutes), "end": now + timedelta(minutes=minutes + 30)}

    arrived = now - timedelta(minutes=4)
    fake.add("f" * 12, ref="C31", room="r2", state="waiting", checked_in_at=now - timedelta(minutes=9),
             checked_in_how="staff", **at(-5))  # fmt: skip
    fake.held["f" * 12] = Taken("a3", "Cia Lund", now)
    fake.add(ref="A17", state="waiting", checked_in_at=arrived, checked_in_how="code", **at(0))
    fake.seats.make(fake.accounts["anna"], next(iter(fake.rows)), "interpreter", "Tolk 4711")
    fake.add("b" * 12, ref="A18", state="ready", **at(10))
    fake.add("c" * 12, ref="B04", room="r2", **at(12))
    fake.add("d" * 12, ref="B05", room="r3", schedule_on_unit=False, **at(70))
    fake.add("e" * 12, ref="A12", state="wiped", parties=("clinician", "interpreter"), checked_in_at=now,
             checked_in_how="staff", **at(-60))  # fmt: skip
    fake.add("f" * 12, ref="C31", state="ready", held_by="A17", **at(-1))
    rooms = fake.all_rooms
    waits = (Waiting(1, rooms["r3"], arrived), Waiting(2, rooms["r1"], now - timedelta(minutes=1)))
    fake.waiting = {"jour": QueueRow("jour", "Jouren", waits), "ssk": QueueRow("ssk", "Sjuksköterska")}
    for index, (kind, fields) in enumerate(
        [("booked", {}), ("checked_in", {"method": "code"}), ("peer_joined", {"role": "clinician"}),
         ("admitted", {}), ("call_started", {}), ("call_ended", {"reason": "ended"}), ("session_wiped", {})]
    ):  # fmt: skip
        fake.lines.append(
            LogLine(now + timedelta(minutes=index), "unit" if index else "region", kind, fields)
        )
    for sid, ref, hours, minutes in (
        ("e" * 12, "A12", -1, 8),
        ("d" * 12, "B05", -26, 47),
        ("c" * 12, "B04", -28, 1),
    ):
        fake.courses[sid] = course(sid, now + timedelta(hours=hours), ref=ref, minutes=minutes)

    def asked(minutes: int) -> datetime:
        return now - timedelta(minutes=minutes)

    fake.call_for_help(
        HelpLine("unit-1", "a1", "Rum 1", asked(1), rings=True),
        HelpLine("unit-2", "a2", "Rum 2", asked(3), rings=False, answered_at=now, answered_by="Bo Ek"),
        HelpLine("unit-3", "a3", "Rum 3", asked(90), rings=False, late=True),
    )
    return fake


def _rooms() -> FakeReadiness:
    now = datetime.now(UTC)
    soon = replace(COVERED, since=now - timedelta(minutes=12), start=now + timedelta(minutes=20))
    warns = replace(
        soon, id="r1", name="Rum 1", level="warn", instruction="camera_dark", targets=(), others=0, told=()
    )
    lost = replace(soon, id="r3", name="Rum 3", instruction="lost", can_try=False, targets=(), is_trying=True)
    rooms = FakeReadiness()
    rooms.found = [soon, lost, warns]
    return rooms


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 24000
    fake = region()
    settings = WebSettings("k" * 32, f"http://localhost:{port}", support_phone="010-123 45 67")
    fleet = full_fleet(fake.now, int(sys.argv[2]) if len(sys.argv) > 2 else 320)
    print(f"http://localhost:{port}")
    waitress.serve(
        create_app(fake, fake, settings, fleet=fleet, readiness=_rooms(), recipients=FakeRecipients()),
        host="127.0.0.1",
        port=port,
        threads=32,
    )


if __name__ == "__main__":
    main()
