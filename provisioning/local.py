"""`make run`: broker, region and one unit on this machine, with real certificates made on the spot.

Starts in order, waits until each part answers, prints where to look, starts again what dies, and on Ctrl-C
stops in reverse order. All state lies in one folder; `system.json` in it tells tools where everything is.
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from agent.contract.unit_config import BrokerAddress
from provisioning.accounts import Accounts, Clients
from provisioning.broker import BrokerError, find_mosquitto
from provisioning.broker_access import wanted
from provisioning.broker_files import Access, BrokerFiles, write_files
from provisioning.database import Database
from provisioning.fleet_models import Bootstrap
from provisioning.local_files import write_private, write_toml
from provisioning.local_identity import CERTIFICATE, prepare_bootstrap, prepare_unit
from provisioning.local_new_unit import NEW_SERIAL, new_unit
from provisioning.local_parts import CannotStart, Part, Parts, http_answers, port_is_free, say, tls_answers
from provisioning.models import Unit
from provisioning.pki import BOOTSTRAP, Authority, Credentials, PkiError
from provisioning.rooms import Rooms
from web.clinic.services import Refused

WATCH_EVERY_S = 0.5
LOOPBACK = "127.0.0.1"
ROOM, ROOM_NAME, UNIT, CLINIC, PHONE = "rum-1", "Hälsorum 1", "unit-1", "Vårdcentralen", "0771-11 22 33"
SERIAL = "hs-1"


@dataclass(frozen=True, slots=True)
class Options:
    """What `make run` and the tests may choose."""

    state: Path
    broker_port: int = 8883
    region_port: int = 8080
    screen_port: int = 8400
    bootstrap_port: int = 8884
    new_unit: str | None = None
    """The serial number of a second unit that nobody has let in yet."""
    new_screen_port: int = 8401
    certificate_days: float = 365.0
    footage: Path | None = None
    burn_clock: bool = False
    tone_hz: float | None = None
    host: str = LOOPBACK
    """The address at which broker and region listen."""
    region_namespace: str | None = None
    """The network namespace (ip-netns(8)) of broker and region, for tests that cut the line to them."""
    without_unit: bool = False
    """The unit whose identity is made here runs elsewhere: the laboratory gives it to a machine of its own."""

    @property
    def region_url(self) -> str:
        """Where the region's pages are."""
        return f"http://{'localhost' if self.host == LOOPBACK else self.host}:{self.region_port}"

    def beyond_the_line(self, command: list[str]) -> list[str]:
        """A command as it is run where broker and region are."""
        if self.region_namespace is None:
            return command
        return ["nsenter", f"--net=/run/netns/{self.region_namespace}", "--", *command]


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """Who may do what on this machine: made at random the first time, kept for the owner of the folder only."""

    clinician: str
    clinician_password: str
    staff: str
    staff_password: str
    pin: str
    booking_token: str
    it: str
    it_password: str


def main() -> int:
    """Run until Ctrl-C; returns the exit status."""
    options = _options()
    # A list, since a handler may run inside of anything: an Event's own lock could be held by this very thread.
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda given, _frame: asked.append(given))
    parts = Parts()
    try:
        check_ports(options)
        say("Starting:")
        start(options, parts)
        _welcome(options)
        while not asked:
            time.sleep(WATCH_EVERY_S)
            parts.watch()
            _write_system(options, parts)
    except (CannotStart, BrokerError, PkiError) as error:
        say(str(error))
        return 1
    except Refused as error:
        say(
            f"The state in {options.state} is half made ({error}). Remove it with make clean, and start again."
        )
        return 1
    finally:
        say("Stopping:")
        parts.stop()
    return 0


def check_ports(options: Options) -> None:
    """Raise CannotStart for the first port that another program has."""
    ports = {
        "broker": options.broker_port,
        "region": options.region_port,
        "screen": options.screen_port,
        "bootstrap": options.bootstrap_port,
    }
    if options.new_unit is not None:
        ports["new-screen"] = options.new_screen_port
    for name, port in ports.items():
        if not port_is_free(port):
            raise CannotStart(
                f"Port {port}, meant for the {name}, is taken by another program. Stop that program, or choose "
                f"another port: make run OPTIONS='--{name}-port {port + 1}'."
            )


def start(options: Options, parts: Parts) -> None:
    """Make what is missing and start broker, region and unit, each after the one before it answers."""
    state = options.state.absolute()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, bootstraps = Authority(state / "pki"), Authority(state / "bootstrap-pki", BOOTSTRAP)
    broker, region = authority.server([options.host]), authority.client("region")
    unit = prepare(options, state / "unit" / "identity", authority, bootstraps)
    database_url = f"sqlite:///{state / 'region' / 'region.db'}"
    access = first_time(state, database_url, unit / CERTIFICATE)
    files = write_files(
        state / "broker",
        broker,
        port=options.broker_port,
        host=options.host,
        access=kept_access(database_url),
        bootstrap=(options.bootstrap_port, bootstraps.ca_file),
    )
    parts.start(
        Part(
            "broker",
            options.beyond_the_line([find_mosquitto(), "-c", str(files.config)]),
            files.log,
            tls_answers(options.broker_port, broker.ca_file, options.host),
        )
    )
    doors = {"host": options.host, "bootstrap_port": options.bootstrap_port}
    write_private(state / "broker.json", json.dumps(doors))
    settings = _region_settings(options, state, database_url, region, files)
    parts.start(
        Part(
            "region",
            options.beyond_the_line(
                [sys.executable, "-m", "provisioning.server", "--settings", str(settings)]
            ),
            state / "logs" / "region.log",
            http_answers(f"{options.region_url}/healthz"),
        )
    )
    if not options.without_unit:
        agent = _unit_settings(options, state)
        parts.start(
            Part(
                "unit",
                [sys.executable, "-m", "agent", "--config", str(agent)],
                state / "logs" / "unit.log",
                http_answers(f"http://localhost:{options.screen_port}/healthz"),
            )
        )
    if options.new_unit is not None:
        parts.start(new_unit(state, options.new_unit, options.new_screen_port))
    write_private(state / "access.json", json.dumps(asdict(access), indent=1))
    _write_system(options, parts)


def prepare(options: Options, folder: Path, authority: Authority, bootstraps: Authority) -> Path:
    """The first unit has been let in already, so that it works at once. Returns its identity's folder."""
    prepare_bootstrap(
        folder, SERIAL, bootstraps, authority.ca_file, host=options.host, port=options.bootstrap_port
    )
    address = BrokerAddress(host=options.host, port=options.broker_port)
    return prepare_unit(folder, UNIT, authority, address, timedelta(days=options.certificate_days))


def kept_access(database_url: str) -> Access:
    """Who was revoked stays so from the broker's start on."""
    database = Database(database_url)
    try:
        with database.read() as db:
            return wanted(db)
    finally:
        database.close()


def first_time(state: Path, database_url: str, certificate: Path) -> LocalAccess:
    """A clinic with one room, its unit, one clinician and one member of staff; made once, then found again."""
    kept = state / "access.json"
    (state / "region").mkdir(exist_ok=True, mode=0o700)
    database = Database(database_url)
    database.create()
    try:
        rooms = Rooms(database, _now)
        rooms.add_unit(UNIT, certificate.read_bytes())
        if kept.exists():
            return LocalAccess(**json.loads(kept.read_text()))
        access = _make_access(database)
        _came_by_bootstrap(database)
        rooms.add_room(ROOM, ROOM_NAME, CLINIC)
        rooms.assign(ROOM, UNIT)
        rooms.set_config(UNIT, phone=PHONE, staff_pin_digest=PasswordHasher().hash(access.pin))
        write_private(kept, json.dumps(asdict(access), indent=1))
        return access
    finally:
        database.close()


def _make_access(database: Database) -> LocalAccess:
    accounts = Accounts(database, _now)
    clinician, staff = secrets.token_urlsafe(9), secrets.token_urlsafe(9)
    accounts.add("behandlare", "Behandlare", "clinician", CLINIC, clinician)
    accounts.add("personal", "Personal", "staff", CLINIC, staff)
    it = secrets.token_urlsafe(9)
    accounts.add("it", "IT", "it", CLINIC, it)
    token = Clients(database).add("Tidbok", CLINIC)[1]
    pin = f"{secrets.randbelow(10**6):06}"
    return LocalAccess("behandlare", clinician, "personal", staff, pin, token, "it", it)


def _came_by_bootstrap(database: Database) -> None:
    with database.write() as db:
        db.get_one(Unit, UNIT).serial = SERIAL
        db.add(Bootstrap(serial=SERIAL, state="used", unit_id=UNIT, changed_at=_now()))


def _region_settings(
    options: Options, state: Path, database_url: str, identity: Credentials, broker: BrokerFiles
) -> Path:
    return write_toml(
        state / "region" / "region.toml",
        {"database_url": database_url, "state_dir": str(state / "region")},
        broker={
            "host": options.host,
            "port": options.broker_port,
            "ca_file": str(identity.ca_file),
            "certificate_file": str(identity.certificate_file),
            "key_file": str(identity.key_file),
            "acl_file": str(broker.acl),
            "bootstrap_acl_file": str(broker.bootstrap_acl),
            "pid_file": str(broker.pid),
        },
        enrolment={
            "authority_dir": str(state / "pki"),
            "bootstrap_dir": str(state / "bootstrap-pki"),
            "bootstrap_port": options.bootstrap_port,
            "certificate_days": options.certificate_days,
            "pause_minutes": 1,
        },
        web={
            "host": options.host,
            "port": options.region_port,
            "public_url": options.region_url,
            "support_phone": PHONE,
        },
    )


def _unit_settings(options: Options, state: Path) -> Path:
    values: dict[str, Any] = {
        "state_dir": str(state / "unit" / "state"),
        "broker_host": options.host,
        "broker_port": options.broker_port,
        "identity_dir": str(state / "unit" / "identity"),
        "web_port": options.screen_port,
        "loopback_media": options.host == LOOPBACK,
        "burn_clock": options.burn_clock,
        "room_name": ROOM_NAME,
        "phone": PHONE,
    }
    if options.footage is not None:
        values["footage"] = str(options.footage.absolute())
    if options.tone_hz is not None:
        values["tone_hz"] = options.tone_hz
    return write_toml(state / "unit" / "unit.toml", values)


def screen_address(options: Options) -> str:
    """The touchscreen's address with its browser's secret of this boot."""
    if options.without_unit:
        return "(its unit runs elsewhere)"
    kept = (options.state / "unit" / "state" / "run" / "browser-secret").read_text()
    return f"http://localhost:{options.screen_port}/enter?key={kept.split(' ')[1]}"


def _welcome(options: Options) -> None:
    access = LocalAccess(**json.loads((options.state / "access.json").read_text()))
    region = options.region_url
    say(
        f"""
Hälsorum runs. Open:
  touchscreen   {screen_address(options)}
  clinician     {region}/          sign in as {access.clinician}, password {access.clinician_password}
  booking       {region}/booking   sign in as {access.staff}, password {access.staff_password}
  fleet         {region}/it        sign in as {access.it}, password {access.it_password}

Book a time now, check in at the touchscreen with the code, and let the patient in on the clinician's page.
`make new-unit` starts another unit, which nobody has let in yet: do so as IT.
Staff's PIN at the touchscreen: {access.pin}. A booking system posts to {region}/fhir/Appointment (see README).
State is in {options.state}; Ctrl-C stops everything, make clean forgets it.
"""
    )


def _write_system(options: Options, parts: Parts) -> None:
    """What tools and tests need to find their way; written anew when a part was started again."""
    system = {
        "pids": parts.pids(),
        "ready_s": parts.ready_s(),
        "screen": screen_address(options),
        "region": options.region_url,
        "broker_port": options.broker_port,
        "bootstrap_port": options.bootstrap_port,
        "unit": UNIT,
        "room": ROOM,
    }
    file = options.state / "system.json"
    text = json.dumps(system, indent=1)
    if not file.exists() or file.read_text() != text:
        write_private(file, text)


def _now() -> datetime:
    return datetime.now(UTC)


def _options() -> Options:
    parser = argparse.ArgumentParser(
        prog="make run", description=(__doc__ or "").splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--state", type=Path, default=Path(".run"), help="folder of all state (.run)")
    parser.add_argument("--broker-port", type=int, default=8883)
    parser.add_argument("--region-port", type=int, default=8080)
    parser.add_argument("--screen-port", type=int, default=8400)
    parser.add_argument("--bootstrap-port", type=int, default=8884)
    parser.add_argument(
        "--new-unit",
        nargs="?",
        const=NEW_SERIAL,
        metavar="SERIAL",
        help=f"start another unit too, which nobody has let in yet ({NEW_SERIAL})",
    )
    parser.add_argument("--new-screen-port", type=int, default=8401, help="that unit's touchscreen (8401)")
    parser.add_argument(
        "--certificate-days", type=float, default=365.0, help="life of units' certificates (365)"
    )
    parser.add_argument(
        "--footage", type=Path, help="film with sound that stands in for camera and microphone"
    )
    parser.add_argument("--burn-clock", action="store_true", help="draw a readable clock into the picture")
    parser.add_argument("--tone-hz", type=float, help="mix a tone into the room's sound")
    parser.add_argument(
        "--host", default=LOOPBACK, help="address at which broker and region listen (127.0.0.1)"
    )
    parser.add_argument(
        "--region-namespace", help="network namespace for broker and region, so that tests can cut the line"
    )
    parser.add_argument("--without-unit", action="store_true", help="broker and region alone")
    values = vars(parser.parse_args())
    if values["footage"] is not None and not values["footage"].is_file():
        parser.error(f"--footage {values['footage']}: there is no such file")
    return Options(**values)


if __name__ == "__main__":
    sys.exit(main())
