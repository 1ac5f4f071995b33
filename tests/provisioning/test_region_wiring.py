"""Messages from units through the whole region, with the broker played; and what its pages may do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.contract import Topic, encode
from agent.contract.events import Ack, Intent
from agent.contract.quality import PageReport, QualityReport, Received
from agent.contract.signalling import Join, RemoteCheckIn
from agent.contract.status import Fault, Info, Status
from agent.contract.unit_config import ConfigReport
from provisioning.accounts import Accounts
from provisioning.database import Database
from provisioning.region import Region
from provisioning.rooms import Rooms
from provisioning.settings import BrokerSettings, RegionSettings, SettingsError, load_settings
from web.clinic.services import Account, NotAllowed, Refused


@pytest.fixture
def region(
    tmp_path: Path, database: Database, rooms: Rooms, clock: Any, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Region]:
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker)
    made = Region(settings, clock=clock, make_link=lambda *_, **__: wire.link())
    yield made
    made.stop()


@pytest.fixture
def doctor(accounts: Accounts) -> Account:
    return accounts.add("anna", "Anna", "clinician", "Norra vårdcentralen", "correct horse battery")


def say(
    region: Region, channel: str, data: Any, *levels: str, unit: str = "unit-1", rev: int | None = None
) -> None:
    region.inbox.handle(str(Topic(unit, channel, levels)), encode(data, now=region.clock(), rev=rev))


def room_state(region: Region, doctor: Account) -> tuple[str, tuple[str, ...]]:
    room = next(room for room in region.services.rooms(doctor) if room.id == "east")
    return room.unit_state, room.faults


def test_presence_is_shown_answered_and_an_old_last_will_is_dropped(
    region: Region, doctor: Account, wire: Any
) -> None:
    feed = region.services.watch(doctor)
    assert room_state(region, doctor) == ("unknown", ())
    say(region, "up/status", Status(state="ready", boot=3))
    assert room_state(region, doctor) == ("ready", ())
    assert feed.get(0) == {"type": "changed"}
    (answer,) = wire.take("dn/ack")
    assert (answer.data, answer.ts) == (Ack(epoch=0, seq=0), region.clock())
    say(region, "up/status", Status(state="lost", boot=2))
    fault = Fault(probe="camera", instruction="check_camera_cable")
    say(region, "up/status", Status(state="degraded", boot=3, faults=(fault,)))
    assert room_state(region, doctor) == ("degraded", ("check_camera_cable",))
    say(region, "up/status", Status(state="lost", boot=3))
    assert room_state(region, doctor)[0] == "lost"


def test_a_unit_that_counts_its_starts_anew_is_believed(region: Region, doctor: Account) -> None:
    say(region, "up/status", Status(state="ready", boot=40))
    say(region, "up/status", Status(state="lost", boot=40))
    say(region, "up/status", Status(state="starting", boot=1))
    assert room_state(region, doctor)[0] == "starting"
    say(region, "up/status", Status(state="lost", boot=1))
    assert room_state(region, doctor)[0] == "lost"


def test_a_unit_that_starts_hears_who_has_its_meeting_open(
    region: Region, doctor: Account, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    say(region, "up/status", Status(state="ready", boot=1))
    region.services.open_meeting(doctor, sid, "page-one")
    wire.sent.clear()
    say(region, "up/status", Status(state="ready", boot=1))
    assert wire.take("dn/call") == []
    say(region, "up/status", Status(state="starting", boot=2))
    assert len(wire.take("dn/call")) == 1


def test_a_session_that_staff_began_hours_early_goes_on_after_a_restart_of_its_unit(
    region: Region, doctor: Account, unit_hand: Any, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock, hours=3)).sid
    say(region, "up/call", Join(instance="boot-2", seq=0, resume=True), sid, "unit")
    say(region, "up/event", unit_hand.event("checked_in", clock.now, sid, how="staff"), "checked_in")
    say(region, "up/call", Join(instance="boot-2", seq=1, resume=True), sid, "unit")
    assert [message.data.type for message in wire.take("dn/call")] == ["reject", "admit"]


def test_events_move_the_day_and_the_open_page(
    region: Region, doctor: Account, unit_hand: Any, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    feed = region.services.open_meeting(doctor, sid, "page-one")
    while feed.get(0) is not None:
        pass
    event = unit_hand.event("checked_in", clock.now, sid, how="button")
    say(region, "up/event", event, "checked_in")
    message = feed.get(0)
    assert message is not None
    assert (message["type"], message["state"], message["checked_in_how"]) == ("session", "waiting", "button")
    assert wire.take("dn/ack")[-1].data == Ack(epoch=1, seq=1)
    assert [line.kind for line in region.services.log(doctor, sid)] == [
        "booked",
        "party_opened",
        "checked_in",
    ]
    say(region, "up/event", unit_hand.event("admitted", clock.now, sid), "call_started")
    assert wire.take("dn/ack") == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("hr/v1/u/unit-1/up/status", b'{"v": 2, "Kanarie": 1}'),
        ("hr/v1/u/unit-1/up/status", b"Kanarie"),
        ("hr/v1/u/unit-1/up/nonsense", b"{}"),
        ("hr/v1/u/Kanarie", b"{}"),
        ("hr/v1/u/unit-1/up/status", b"x" * 300_000),
        ("hr/v1/u/unit-1/up/status", b""),
    ],
)
def test_messages_that_break_the_contract_are_dropped_and_not_repeated_in_the_log(
    region: Region, caplog: pytest.LogCaptureFixture, wire: Any, topic: str, payload: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    region.inbox.handle(topic, payload)
    assert "Kanarie" not in caplog.text
    assert wire.sent == []


def test_a_unit_that_is_not_known_leaves_no_trace(region: Region, doctor: Account, rooms: Rooms) -> None:
    say(region, "up/status", Status(state="ready", boot=1), unit="unit-7")
    say(region, "up/config", ConfigReport(applied=True), unit="unit-7", rev=1)
    assert [unit.id for unit, _, _ in rooms.units()] == ["unit-1", "unit-2"]


def test_what_a_unit_is_and_has_in_force_is_kept(region: Region, rooms: Rooms, clock: Any) -> None:
    info = Info(software="1", board="sim", certificate_sha256="0" * 64, certificate_not_after=clock.now)
    say(region, "up/info", info)
    say(region, "up/config", ConfigReport(applied=False, errors=("languages: empty",)), rev=1)
    _, report, room = rooms.units()[0]
    assert (report.info["board"], report.config_rev, report.config_errors) == ("sim", 1, ["languages: empty"])
    assert room is not None
    assert room.id == "east"


def test_remote_check_in_needs_a_unit_that_is_there_and_is_logged_with_who_did_it(
    region: Region, doctor: Account, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    with pytest.raises(Refused, match="not yet open"):
        region.services.check_in(doctor, sid)
    clock.pass_by(minutes=45)
    with pytest.raises(Refused, match="reached"):
        region.services.check_in(doctor, sid)
    say(region, "up/status", Status(state="ready", boot=1))
    region.services.check_in(doctor, sid)
    assert [type(message.data) for message in wire.take("dn/call")] == [RemoteCheckIn]
    line = region.services.log(doctor, sid)[-1]
    assert (line.kind, line.fields["by"], line.fields["identified"]) == (
        "remote_check_in",
        doctor.id,
        "account",
    )


def test_help_reaches_the_day_and_an_open_meeting_and_its_event_counts_once(
    region: Region, doctor: Account, unit_hand: Any, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    day, meeting = region.services.watch(doctor), region.services.open_meeting(doctor, sid, "page-one")
    for feed in (day, meeting):
        while feed.get(0) is not None:
            pass
    event = unit_hand.event("help_asked", clock.now, id="a1")
    say(region, "up/event", event, "help_asked")
    say(region, "up/intent", Intent(id="a1"), "help")
    assert (day.get(0), day.get(0)) == ({"type": "help"}, None)
    assert meeting.get(0) == {"type": "help"}
    (line,) = region.services.help_calls(doctor)
    region.services.come(doctor, line.unit, line.id)
    assert [message.data.id for message in wire.take("dn/notice")] == ["a1"]
    say(region, "up/intent", Intent(id="a1"), "help_over")
    assert region.services.help_calls(doctor) == []
    say(region, "up/event", event, "help_asked")
    assert region.services.help_calls(doctor) == []


def test_another_clinic_sees_and_does_nothing_here(
    region: Region, doctor: Account, accounts: Accounts, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    stranger = accounts.add("cy", "Cy", "clinician", "Södra vårdcentralen", "correct horse battery")
    services, start = region.services, clock.now + timedelta(hours=3)
    assert (services.rooms(stranger), services.sessions(stranger, clock.now)) == ([], [])
    for attempt in (
        lambda: services.session(stranger, sid),
        lambda: services.move(stranger, sid, start, start + timedelta(minutes=5)),
        lambda: services.cancel(stranger, sid),
        lambda: services.check_in(stranger, sid),
        lambda: services.log(stranger, sid),
        lambda: services.open_meeting(stranger, sid, "page-one"),
        lambda: services.signal(stranger, sid, "page-one", {"type": "end"}),
        lambda: services.book(stranger, wanted(clock, hours=5)),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert [row.sid for row in services.sessions(doctor, clock.now)] == [sid]


def test_a_units_and_a_pages_figures_become_a_course_for_its_clinic_and_for_it(
    region: Region, doctor: Account, accounts: Accounts, clock: Any, wanted: Any
) -> None:
    sid = region.services.book(doctor, wanted(clock)).sid
    seen = PageReport(age_s=0.0, interval_s=5.0, connected=True, received=Received(frame_rate=25.0))
    with pytest.raises(Refused, match="has not opened this meeting"):
        region.services.saw(doctor, sid, "page-one", [seen])
    region.services.open_meeting(doctor, sid, "page-one")
    region.services.saw(doctor, sid, "page-one", [seen])
    said = QualityReport(sid=sid, at=clock.now, interval_s=5.0)
    say(region, "up/event/quality", said)
    technician = accounts.add("it", "It", "it", "Regionens IT", "correct horse battery")
    stranger = accounts.add("cy", "Cy", "staff", "Södra vårdcentralen", "correct horse battery")
    for viewer in (doctor, technician):
        told = region.services.course(viewer, sid)
        assert told is not None
        assert (len(told.unit), [way.to_room for way in told.directions]) == (1, [False, True])
        assert [line.sid for line in region.services.calls(viewer)] == [sid]
    assert region.services.calls(stranger) == []
    for attempt in (
        lambda: region.services.course(stranger, sid),
        lambda: region.services.saw(stranger, sid, "page-one", [seen]),
        lambda: region.services.saw(technician, sid, "page-one", [seen]),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_no_connection_to_the_database_is_held_while_signalling_is_asked(
    region: Region, doctor: Account, database: Database, wanted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all of them held by pages that wait for its lock, the one who has it would get none."""
    held: list[int] = []

    def parties(_sid: str) -> tuple[str, ...]:
        held.append(database._engine.pool.checkedout())  # type: ignore[attr-defined]
        return ("clinician",)

    sid = region.services.book(doctor, wanted(region.clock)).sid
    monkeypatch.setattr(region.signalling, "parties", parties)
    region.services.open_meeting(doctor, sid, "page-one")
    rows = [*region.services.sessions(doctor, region.clock()), region.services.session(doctor, sid)]
    assert {row.parties for row in [*rows, region.services.meeting(doctor, sid)]} == {("clinician",)}
    assert len(held) >= 4
    assert set(held) == {0}


def test_a_stopped_region_ends_its_feeds_and_its_thread(region: Region, doctor: Account) -> None:
    feed = region.services.watch(doctor)
    region.start()
    region.stop()
    region.stop()
    with pytest.raises(StopIteration):
        while feed.get(0.1) is not None:
            pass  # what was said before the end
    assert "region" not in [thread.name for thread in threading.enumerate()]


def test_work_that_fails_ends_nothing_and_is_logged_without_what_it_was_about(
    region: Region, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handled = threading.Event()

    def read(_inbox: object, _topic: str, payload: bytes) -> None:
        if payload == b"good":
            handled.set()
        else:
            raise ValueError(payload)

    monkeypatch.setattr(type(region.inbox), "_read", read)
    region._on_message("a", b"Kanarie")
    region._on_message("a", b"good")
    region.start()
    assert handled.wait(20)
    assert "failed at one piece of work and goes on: ValueError at region.py:" in caplog.text
    assert "Kanarie" not in caplog.text


SETTINGS = """
database_url = "sqlite:///region.db"
state_dir = "."
[broker]
ca_file = "ca.pem"
certificate_file = "region.pem"
key_file = "region.key"
[[ice_servers]]
urls = ["turn:turn.example"]
username = "u"
credential = "c"
[turn]
urls = ["turn:turn.example", "turns:turn.example:443"]
secret_file = "turn.secret"
"""


def test_settings_are_read_and_the_environment_stands_over_them(tmp_path: Path) -> None:
    file = tmp_path / "region.toml"
    file.write_text(SETTINGS)
    settings = load_settings(None, {"HALSORUM_SETTINGS": str(file), "HALSORUM_BROKER__PORT": "8884"})
    assert (settings.broker.port, settings.broker.name) == (8884, "region")
    assert settings.ice_servers[0].urls == ("turn:turn.example",)
    assert settings.turn is not None and len(settings.turn.urls) == 2
    over = {"HALSORUM_TURN__URLS": "turn:a turn:b turns:c", "HALSORUM_TURN__LIFETIME_S": "600"}
    changed = load_settings(file, over).turn
    assert changed is not None and (changed.urls, changed.lifetime_s) == (
        ("turn:a", "turn:b", "turns:c"),
        600,
    )
    assert settings.ice_transport_policy == "all"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("state_dir = 1", "database_url"),
        (SETTINGS.replace('"."', '"."\ntimezone = "Mars/Base"'), "timezone"),
        (SETTINGS.replace("[broker]", "[broker]\nport = 0"), "broker.port"),
        (SETTINGS.replace("turns:", "https:"), "turn.urls: .*no TURN URL"),
        (SETTINGS.replace("[broker]", "[broker]\nsurprise = 0"), "broker.surprise"),
        ("= nonsense", "is not TOML"),
    ],
)
def test_bad_settings_name_the_setting(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "region.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load_settings(file, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})


def test_a_tick_that_fails_keeps_the_others_from_nothing(
    region: Region, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ValueError("Kanarie")

    monkeypatch.setattr(region.schedules, "work_off_outbox", fails)
    ticked: list[str] = []
    region.hooks.ticks.append(lambda: ticked.append("hook"))
    region._tick()
    assert ticked == ["hook"]
    assert "goes on" in caplog.text
    assert "Kanarie" not in caplog.text


def test_a_revocation_that_was_taken_back_does_not_return_by_what_the_broker_kept(
    region: Region, doctor: Account
) -> None:
    say(region, "up/status", Status(state="ready", boot=1))
    say(region, "up/status", Status(state="revoked", boot=1))  # nobody has revoked it
    assert room_state(region, doctor) == ("ready", ())


@pytest.mark.parametrize("name", ["north", "unit-1", "", "region-2\ntopic readwrite #", "region 2", "#"])
def test_the_region_has_no_name_that_a_unit_could_have(tmp_path: Path, name: str) -> None:
    files = dict.fromkeys(("ca_file", "certificate_file", "key_file"), tmp_path)
    with pytest.raises(ValueError, match=r"could be a unit's name"):
        BrokerSettings(name=name, **files)
    with pytest.raises(ValueError, match=r"could be a unit's name"):
        BrokerSettings(regions=("region", name), **files)
    assert BrokerSettings(name="region-1", regions=("region-1", "region-2"), **files).name == "region-1"
