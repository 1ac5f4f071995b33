"""A clinic is told once that its room is not ready, and once that it is again: from report to mail and webhook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract import Topic, decode, encode
from agent.contract.status import Fault, Status
from agent.contract.telemetry import Telemetry
from provisioning.fleet import Fleet
from provisioning.free_rooms import is_ready
from provisioning.models import BookedSession, Room
from provisioning.notice_channels import Mail, NotSent, Webhook
from provisioning.notice_plan import DEBOUNCE, GIVE_UP_AFTER, LAST_AGAIN, again_after
from provisioning.notice_sender import NoticeSender
from provisioning.notice_settings import SmtpSettings, WebhookSettings
from provisioning.notice_text import Frame
from provisioning.notices import NoticeWatch
from provisioning.readiness import Told, not_ready_today
from provisioning.readiness_models import Notice, NoticeRecipient, UnitFault
from provisioning.recipients import Recipients, Wish
from provisioning.region import Region
from provisioning.settings import BrokerSettings, RegionSettings
from provisioning.telemetry import FleetTelemetry
from tests.provisioning.conftest import CLINIC, ZONE
from tests.provisioning.hook_server import Inbound, hook_server
from tests.provisioning.mail_server import Mailbox, mail_server

COVERED = Fault(probe="camera", instruction="camera_covered")
MUTE = Fault(probe="microphone", instruction="microphone_dead")
DARK = Fault(probe="camera", instruction="camera_dark", level="warn")
MINUTE = DEBOUNCE.total_seconds()


class House:
    """Room east is booked in an hour; the receptionist has mail, the clinic's own system a webhook."""

    def __init__(self, database: Any, clock: Any, mailbox: Mailbox, inbound: Inbound, secret: Path) -> None:
        self.database, self.clock, self.mailbox, self.inbound = database, clock, mailbox, inbound
        self._secret = secret
        self._fleet = Fleet(database, clock)
        recipients = Recipients(database, clock)
        self.reception = recipients.add(Wish(CLINIC, "Receptionen", "reception@vc.example"), "cli:test")
        recipients.add(Wish(CLINIC, "Larm", webhook=inbound.url, language="en"), "cli:test")
        self.recipients = recipients
        self.leads = True
        self.broker_up = True
        self.speaks = True
        self._figures = FleetTelemetry(database, clock)
        self.restart()
        self.say("ready")

    def restart(self) -> None:
        """All that is in memory is gone."""
        smtp = SmtpSettings(
            host="127.0.0.1", port=self.mailbox.port, security="none", sender="halsorum@region.example"
        )
        webhook = WebhookSettings(secret_file=self._secret)
        frame = Frame(ZONE, "https://video.region.example")
        ways = {
            "email": Mail(smtp, frame, self.clock),
            "webhook": Webhook(webhook, frame, self.clock),
        }
        self._senders = [
            NoticeSender(name, way, self.database, self.clock, lambda: self.leads)
            for name, way in ways.items()
        ]
        self.watch = NoticeWatch(self.database, self.clock, ZONE, up=lambda: self.broker_up)

    def say(self, state: Any, *faults: Fault, unit: str = "unit-1") -> None:
        self._fleet.status(unit, Status(state=state, boot=1, faults=faults))

    def show_figures(self) -> None:
        """As a unit does each minute."""
        told = Telemetry(at=self.clock.now, uptime_s=60)
        message = decode(str(Topic("unit-1", "up/event/telemetry")), encode(told, now=self.clock.now))
        self._figures.take("unit-1", message)
        self._figures.write()

    def later(self, *, step_s: float = 15, **duration: float) -> None:
        """Time passes in steps, and the region works meanwhile."""
        until = self.clock.now + timedelta(**duration)
        while self.clock.now < until:
            self.clock.pass_by(seconds=step_s)
            if self.speaks:
                self.show_figures()
            self.watch.tick()
            for sender in self._senders:
                sender.send_due()

    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mailbox.mails]

    def states(self) -> list[tuple[str, str, str, int]]:
        with self.database.read() as db:
            rows = db.scalars(select(Notice).where(Notice.channel == "email").order_by(Notice.id))
            return [(row.kind, row.instruction, row.state, row.tries) for row in rows]

    def told(self) -> list[Told]:
        with self.database.read() as db:
            (line,) = not_ready_today(db, CLINIC, self.clock.now, ZONE)
            return list(line.told)


@pytest.fixture
def house(database: Any, rooms: Any, clock: Any, tmp_path: Path) -> Iterator[House]:
    secret = tmp_path / "webhook.secret"
    secret.write_text("a secret of thirty-two characters")
    with mail_server(Mailbox()) as mailbox, hook_server() as inbound:
        yield House(database, clock, mailbox, inbound, secret)


@pytest.fixture
def sid(house: House, bookings: Any, booker: Any, wanted: Any, clock: Any) -> str:
    """At ten, when it is nine where the rooms are."""
    return bookings.book(booker, wanted(clock, hours=1)).sid


def test_each_recipient_is_told_once_each_way_and_once_when_it_is_well(house: House, sid: str) -> None:
    house.say("degraded", COVERED)
    house.later(seconds=MINUTE - 15)
    assert house.subjects() == [], "not before it has lasted a minute"
    house.later(step_s=60, minutes=20)
    assert house.subjects() == ["East: Kameran är täckt – nästa besök 10.00"]
    assert [(each["type"], each["fault"]) for each in house.inbound.told] == [
        ("fault", "The camera is covered")
    ]
    told = house.told()
    assert [(each.recipient, each.channel, each.state) for each in told] == [
        ("Receptionen", "email", "sent"),
        ("Larm", "webhook", "sent"),
    ]
    house.say("ready")
    house.later(seconds=MINUTE - 15)
    assert len(house.subjects()) == 1
    house.later(step_s=30, minutes=5)
    assert house.subjects()[1:] == ["East är klart igen"]
    assert house.mailbox.mails[1]["In-Reply-To"] == house.mailbox.mails[0]["Message-ID"]
    assert [each["type"] for each in house.inbound.told] == ["fault", "well"]
    house.say("degraded", COVERED)
    house.later(minutes=2)
    assert house.subjects()[2:] == ["East: Kameran är täckt – nästa besök 10.00"], "a new fault is told anew"


def test_what_comes_and_goes_within_a_minute_is_told_to_nobody(house: House, sid: str) -> None:
    for _ in range(3):
        house.say("degraded", COVERED)
        house.later(seconds=45)
        house.say("ready")
        house.later(seconds=45)
    assert house.states() == []


def test_a_fault_that_comes_and_goes_is_told_once(house: House, sid: str) -> None:
    house.say("degraded", COVERED)
    house.later(minutes=2)
    for _ in range(4):
        house.say("ready")
        house.later(seconds=30)
        house.say("degraded", COVERED)
        house.later(seconds=90)
    assert len(house.subjects()) == 1


def test_one_thing_at_a_time_the_next_when_the_first_is_mended(house: House, sid: str) -> None:
    house.say("degraded", COVERED, MUTE)
    house.later(minutes=2)
    house.say("degraded", MUTE)
    house.later(minutes=3)
    assert house.subjects() == [
        "East: Kameran är täckt – nästa besök 10.00",
        "East: Mikrofonen är avstängd – nästa besök 10.00",
    ]
    house.say("ready")
    house.later(minutes=3)
    assert house.subjects()[2:] == ["East är klart igen"], "once, however much it was"


def test_a_lost_unit_is_told_and_kept_as_a_fault_and_well_only_after_a_test(house: House, sid: str) -> None:
    house.say("lost")
    house.later(minutes=2)
    assert house.subjects() == ["East: Regionen når inte rummets enhet – nästa besök 10.00"]
    house.say("starting")
    house.later(minutes=3)
    assert len(house.subjects()) == 1
    with house.database.read() as db:
        (row,) = db.scalars(select(UnitFault))
        assert (row.instruction, row.until is not None) == ("lost", True)
    house.say("ready")
    house.later(minutes=2)
    assert house.subjects()[1:] == ["East är klart igen"]


def test_a_unit_that_falls_silent_without_its_last_will_is_told_as_lost(house: House, sid: str) -> None:
    house.later(minutes=4)
    house.speaks = False
    house.later(minutes=3)
    assert house.subjects() == []
    house.later(minutes=1)
    lost = "East: Regionen når inte rummets enhet – nästa besök 10.00"
    assert house.subjects() == [lost]
    house.say("ready")
    house.later(minutes=3)
    assert house.subjects() == [lost], "a broker repeats what it keeps, also of who is gone"
    with house.database.read() as db:
        (line,) = not_ready_today(db, CLINIC, house.clock.now, ZONE)
        assert (line.instruction, line.since) == ("lost", house.clock.now - timedelta(minutes=7))
        assert not is_ready(db, db.get_one(Room, line.room_id), house.clock.now)
    house.speaks = True
    house.later(minutes=2)
    assert house.subjects() == [lost, "East är klart igen"]
    with house.database.read() as db:
        assert not_ready_today(db, CLINIC, house.clock.now, ZONE) == []
        assert is_ready(db, db.get_one(Room, line.room_id), house.clock.now)


@pytest.mark.parametrize("is_regions_own", [True, False])
def test_after_the_regions_or_the_brokers_restart_nobody_is_called_silent_too_soon(
    house: House, sid: str, is_regions_own: bool
) -> None:
    house.later(minutes=4)
    house.speaks = house.broker_up = False
    if is_regions_own:
        house.clock.pass_by(minutes=10)
        house.restart()
    else:
        house.later(minutes=10)
    house.broker_up = True
    house.later(minutes=3)
    house.speaks = True
    house.later(minutes=5)
    assert house.states() == []


def test_a_booked_room_without_a_unit_is_told_and_well_when_one_is_there_and_tested(
    house: House, sid: str, rooms: Any
) -> None:
    house.later(minutes=2)
    rooms.assign("east", None)
    house.later(minutes=3)
    assert house.subjects() == ["East: Rummet har ingen enhet som får användas – nästa besök 10.00"]
    rooms.assign("east", "unit-1")
    house.say("starting")
    house.later(minutes=2)
    assert len(house.subjects()) == 1
    house.say("ready")
    house.later(minutes=2)
    assert house.subjects()[1:] == ["East är klart igen"]


def test_a_room_that_nobody_has_booked_bothers_nobody(house: House) -> None:
    house.say("lost")
    house.later(step_s=30, minutes=5)
    assert house.states() == []
    with house.database.read() as db:
        assert db.scalars(select(UnitFault)).all() == []


def test_a_warning_is_told_at_the_test_before_the_session_and_not_in_it(
    house: House, sid: str, clock: Any
) -> None:
    house.say("degraded", DARK)
    house.later(step_s=60, minutes=29)
    assert house.subjects() == []
    house.later(minutes=2)
    assert house.subjects() == ["East: Det är för mörkt i rummet – nästa besök 10.00"]


def test_a_warning_that_comes_in_a_session_waits_for_its_end(house: House, sid: str) -> None:
    with house.database.write() as db:
        db.get_one(BookedSession, sid).state = "in_call"
    house.later(step_s=60, minutes=59)
    house.say("in_session", DARK)
    house.later(step_s=30, minutes=5)
    assert house.subjects() == []


def test_what_could_not_be_sent_is_tried_again_also_after_a_restart(house: House, sid: str) -> None:
    house.mailbox.answers["MAIL"] = "451 later"
    house.inbound.statuses = [503, 200]
    house.say("degraded", COVERED)
    house.later(seconds=90)
    ((_, _, state, tries),) = house.states()
    assert (state, house.subjects()) == ("waiting", [])
    assert tries >= 2
    assert [(each.state, each.tries) for each in house.told() if each.channel == "webhook"] == [("sent", 2)]
    ids = {headers["webhook-id"] for headers, _ in house.inbound.posts}
    assert len(ids) == 1, "a receiver knows it by its id"
    house.restart()
    house.mailbox.answers.clear()
    house.later(minutes=2)
    assert len(house.subjects()) == 1
    house.restart()
    house.later(step_s=30, minutes=5)
    assert len(house.subjects()) == 1


def test_what_can_never_be_sent_is_given_up_and_shown_as_failed(
    house: House, bookings: Any, booker: Any, wanted: Any, clock: Any
) -> None:
    bookings.book(booker, wanted(clock, hours=6))
    house.mailbox.answers["RCPT"] = "550 5.1.1 reception@vc.example is unknown"
    house.say("degraded", COVERED)
    house.later(step_s=900, seconds=(GIVE_UP_AFTER + 2 * DEBOUNCE).total_seconds())
    (mail,) = [each for each in house.told() if each.channel == "email"]
    assert (mail.state, mail.recipient) == ("failed", "Receptionen")
    before = house.mailbox.connections
    house.later(step_s=600, hours=1)
    assert house.mailbox.connections == before
    (row, last), *_ = house.recipients.list(CLINIC)
    assert (row.id, last.state if last else "") == (house.reception, "failed")
    assert last is not None
    assert "550" in last.reason
    assert "@" not in last.reason
    house.mailbox.answers.clear()
    house.say("ready")
    house.later(step_s=30, minutes=5)
    assert house.subjects() == [], "who was never told of it hears nothing of its end"
    assert [each["type"] for each in house.inbound.told] == ["fault", "well"]


def test_news_that_nobody_needs_any_more_is_not_sent(
    house: House, sid: str, bookings: Any, booker: Any
) -> None:
    house.mailbox.answers["MAIL"] = "451 later"
    house.say("degraded", COVERED)
    house.later(minutes=2)
    bookings.cancel(booker, sid)
    house.later(seconds=15)
    assert [(kind, state) for kind, _, state, _ in house.states()] == [("fault", "dropped")]
    house.mailbox.answers.clear()
    house.say("ready")
    house.later(step_s=60, minutes=10)
    assert house.subjects() == []


def test_one_that_was_on_its_way_when_it_was_mended_is_followed_by_the_good_news(
    house: House, sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Mail.send

    def mended_meanwhile(self: Mail, to: str, message: Any) -> None:
        send(self, to, message)
        if message.kind == "fault":
            house.say("ready")
            house.clock.pass_by(minutes=2)
            house.watch.look()

    monkeypatch.setattr(Mail, "send", mended_meanwhile)
    house.say("degraded", COVERED)
    house.later(minutes=6)
    assert house.subjects() == ["East: Kameran är täckt – nästa besök 10.00", "East är klart igen"]


def test_the_next_visit_is_the_one_that_comes_when_it_is_sent(
    house: House, sid: str, bookings: Any, booker: Any, wanted: Any, clock: Any
) -> None:
    bookings.book(booker, wanted(clock, hours=2.25))
    house.mailbox.answers["MAIL"] = "451 later"
    house.later(step_s=900, minutes=45)
    house.say("degraded", COVERED)
    house.later(step_s=120, minutes=50)
    house.mailbox.answers.clear()
    house.later(step_s=120, seconds=LAST_AGAIN.total_seconds())
    assert house.subjects() == ["East: Kameran är täckt – nästa besök 11.15"]


def test_an_instance_that_does_not_lead_sends_nothing(house: House, sid: str) -> None:
    house.leads = False
    house.say("degraded", COVERED)
    house.later(minutes=3)
    assert house.mailbox.connections == 0
    house.leads = True
    house.later(seconds=15)
    assert len(house.subjects()) == 1


def test_who_is_removed_is_told_no_more_and_leaves_no_address(house: House, sid: str) -> None:
    house.say("degraded", COVERED)
    house.later(minutes=2)
    house.recipients.remove(house.reception, "cli:test")
    house.say("ready")
    house.later(minutes=3)
    assert len(house.subjects()) == 1
    with house.database.read() as db:
        assert db.scalars(select(NoticeRecipient.name)).all() == ["Larm"]
        assert [row.recipient_id for row in db.scalars(select(Notice)) if row.channel == "email"] == [
            None
        ] * 2


def test_another_clinics_people_hear_nothing(house: House, sid: str, rooms: Any) -> None:
    rooms.add_room("far", "Far", "Södra vårdcentralen")
    house.recipients.add(Wish("Södra vårdcentralen", "Söder", "soder@vc.example"), "cli:test")
    house.say("degraded", COVERED)
    house.later(minutes=2)
    assert [to for _, to in house.mailbox.envelopes] == ["reception@vc.example"]


def test_the_thread_sends_when_it_is_woken_and_goes_on_after_a_fault(house: House, sid: str) -> None:
    tried = threading.Semaphore(0)

    class Way:
        def send(self, to: str, message: Any) -> None:
            tried.release()
            raise RuntimeError(to)

    sender = NoticeSender("email", Way(), house.database, house.clock)
    watch = NoticeWatch(house.database, house.clock, ZONE, made=sender.wake)
    house.say("degraded", COVERED)
    house.clock.pass_by(minutes=2)
    sender.start()
    try:
        for _ in range(2):
            watch.look()
            sender.wake()
            assert tried.acquire(timeout=5)
            house.clock.pass_by(minutes=1)
    finally:
        sender.stop()


def test_a_receiver_that_hangs_holds_up_what_is_new_for_others_by_one_try_at_most(
    house: House, sid: str
) -> None:
    tried = []

    class Way:
        def send(self, to: str, message: Any) -> None:
            tried.append(message.name)
            house.clock.pass_by(seconds=60)  # longer than until the next try of what hangs
            if message.name == "Receptionen":
                raise NotSent("the receiver cannot be reached: Timeout")

    house.recipients.add(Wish(CLINIC, "Vakten", "vakten@vc.example"), "cli:test")
    house.say("degraded", COVERED)
    house.clock.pass_by(minutes=2)
    house.watch.look()
    with house.database.write() as db:
        for row in db.scalars(select(Notice).where(Notice.recipient_id == house.reception)):
            row.tries = 1
    sender = NoticeSender("email", Way(), house.database, house.clock)
    sender.send_due()
    assert tried == ["Vakten", "Receptionen"]


def test_tries_come_at_longer_and_longer_intervals() -> None:
    assert [again_after(tries).total_seconds() for tries in (1, 2, 3, 7, 100)] == [15, 30, 60, 900, 900]


def test_the_regions_service_has_it_all_wired(
    database: Any, rooms: Any, sid: str, house: House, wire: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("provisioning.region.Database", lambda url: {"url:": database}[url])
    smtp = SmtpSettings(host="127.0.0.1", port=house.mailbox.port, security="none", sender="a@region.example")
    broker = BrokerSettings(ca_file=tmp_path, certificate_file=tmp_path, key_file=tmp_path)
    settings = RegionSettings(database_url="url:", state_dir=tmp_path, broker=broker, smtp=smtp)
    region = Region(settings, clock=house.clock, make_link=lambda *_, **__: wire.link())
    report = Status(state="degraded", boot=1, faults=(COVERED,))
    region.inbox.handle(str(Topic("unit-1", "up/status")), encode(report, now=house.clock.now))
    house.clock.pass_by(minutes=2)
    region._tick()
    for sender in region.notices.senders:
        sender.send_due()
    assert house.subjects() == ["East: Kameran är täckt – nästa besök 10.00"]
    (webhook,) = [each for each in house.told() if each.channel == "webhook"]
    assert webhook.state == "waiting", "no secret is set"
    region.stop()
