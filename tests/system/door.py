"""A region's door: broker with its bootstrap listener, region and command line, and boxes played over MQTT."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from agent.contract import Message, Topic, bootstrap_down_filter, decode, down_filter, encode
from agent.contract.enrolment import EnrolReply, EnrolRequest
from agent.contract.status import Info, Status
from agent.identity import load_identity
from agent.link import Link, LinkSettings, Will
from provisioning import cli
from provisioning.broker import Broker
from provisioning.broker_files import Access, write_access, write_files
from provisioning.local_files import write_toml
from provisioning.local_identity import prepare_bootstrap
from provisioning.pki import BOOTSTRAP, Authority
from provisioning.region import utc_now
from tests.provisioning.csr import csr, key_pem, new_key, request_sha256
from tests.system.stack import free_port

WITHIN_S = 60.0
REGIONS = ["region", "region-2"]


def until(fact: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """Wait for something, and give it."""
    deadline = time.monotonic() + within_s
    while not (found := fact()):
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)
    return found


@dataclass
class Door:
    """Use as a context manager."""

    folder: Path
    enrolment: dict[str, Any] = field(default_factory=dict)
    region: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Door:
        self.authority = Authority(self.folder / "pki")
        self.bootstraps = Authority(self.folder / "bootstrap-pki", BOOTSTRAP)
        server, own = self.authority.server(), self.authority.client("region")
        self.port, self.bootstrap_port, self.web_port = free_port(), free_port(), free_port()
        self.files = write_files(
            self.folder / "broker",
            server,
            port=self.port,
            bootstrap=(self.bootstrap_port, self.bootstraps.ca_file),
        )
        self.broker = Broker(self.files, server, port=self.port)
        self.broker.start()
        write_toml(
            self.folder / "region.toml",
            {"database_url": f"sqlite:///{self.folder}/region.db", "state_dir": str(self.folder)},
            broker={
                "port": self.port,
                "ca_file": str(own.ca_file),
                "certificate_file": str(own.certificate_file),
                "key_file": str(own.key_file),
                "acl_file": str(self.files.acl),
                "bootstrap_acl_file": str(self.files.bootstrap_acl),
                "pid_file": str(self.files.pid),
                "regions": REGIONS,
            },
            enrolment={
                "authority_dir": str(self.folder / "pki"),
                "bootstrap_dir": str(self.folder / "bootstrap-pki"),
                "bootstrap_port": self.bootstrap_port,
                "pause_minutes": 0,
                **self.enrolment,
            },
            web={"port": self.web_port, "public_url": f"http://127.0.0.1:{self.web_port}"},
        )
        self.start_region()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop_region(signal.SIGTERM)
        self.broker.stop()

    def start_region(self) -> None:
        """Start, and return when it answers and hears."""
        heard = self.log().count("broker connected")
        command = [
            sys.executable,
            "-m",
            "provisioning.server",
            "--settings",
            str(self.folder / "region.toml"),
        ]
        with (self.folder / "region.log").open("ab") as log:
            self.region = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until(self._answers, "the region's start")
        until(lambda: self.log().count("broker connected") > heard, "the region at the broker")

    def stop_region(self, how: int) -> None:
        """End it, or kill it with all its processes as a power cut would."""
        assert self.region is not None
        if how == signal.SIGKILL:
            import os

            os.killpg(self.region.pid, how)
        else:
            self.region.send_signal(how)
        self.region.wait(WITHIN_S)

    def _answers(self) -> bool:
        assert self.region is not None and self.region.poll() is None, self.log()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def log(self) -> str:
        """What the region has said."""
        file = self.folder / "region.log"
        return file.read_text() if file.exists() else ""

    def run(self, *arguments: str) -> Any:
        """A command of `halsorum`."""
        given = ["--json", "--settings", str(self.folder / "region.toml"), *arguments]
        done = CliRunner().invoke(cli.app, given)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def waiting(self, serial: str) -> list[dict[str, Any]]:
        """Who is at the door under a serial number."""
        return [row for row in self.run("enrol", "list") if row["serial"] == serial]

    def unit(self, name: str) -> dict[str, Any]:
        """A unit as the list shows it, or nothing."""
        return next((row for row in self.run("unit", "list") if row["unit"] == name), {})

    def bootstrap(self, serial: str) -> str:
        """Whether a serial number may ask."""
        return next(row["state"] for row in self.run("bootstrap", "list") if row["serial"] == serial)

    def deny(self, *serials: str) -> None:
        """The broker's rules, without the region."""
        access = Access(bootstraps=frozenset(serials))
        write_access(self.files, regions=REGIONS, access=access)
        self.broker.reload()


class Voice:
    """One identity's connection, as a unit has it."""

    def __init__(self, door: Door, folder: Path, port: int, will: bool = False) -> None:
        self.identity = load_identity(folder / "certificate.pem", folder / "key.pem")
        self.name = self.identity.unit
        self.heard: queue.Queue[Message | None] = queue.Queue()
        self.ups: queue.Queue[bool] = queue.Queue()
        self._kept: list[Message] = []
        bootstrap = port == door.bootstrap_port
        wanted = bootstrap_down_filter(self.name) if bootstrap else down_filter(self.name)
        lost = Will(Topic(self.name, "up/status"), encode(Status(state="lost", boot=1), now=utc_now()))
        self.link = Link(
            LinkSettings(
                "localhost",
                port,
                self.name,
                door.authority.ca_file,
                folder / "certificate.pem",
                folder / "key.pem",
                (wanted,),
                backoff_max_s=1.0,
            ),
            on_message=lambda topic, body: self.heard.put(decode(topic, body) if body else None),
            on_connection=self.ups.put,
            will=lost if will else None,
        )

    def connect(self) -> Voice:
        """Connect, and return when the broker has accepted."""
        self.link.start()
        assert self.ups.get(timeout=WITHIN_S)
        return self

    def __enter__(self) -> Voice:
        return self.connect()

    def __exit__(self, *_error: object) -> None:
        self.link.stop()

    def say(self, channel: str, data: Any, *levels: str) -> None:
        """Publish."""
        assert self.link.publish(Topic(self.name, channel, levels), encode(data, now=utc_now()))

    def shout(self, channel: str, data: Any, *levels: str) -> None:
        """Publish if the broker has us just now: one that denies what we say may close the connection, which the
        link makes anew."""
        self.link.publish(Topic(self.name, channel, levels), encode(data, now=utc_now()))

    def next(self, channel: str, within_s: float = WITHIN_S) -> Message:
        """The next message on a channel; those on others are kept for later."""
        deadline = time.monotonic() + within_s
        while not any(message.topic.channel == channel for message in self._kept):
            message = self.heard.get(timeout=max(0.0, deadline - time.monotonic()))
            if message is not None:
                self._kept.append(message)
        found = next(message for message in self._kept if message.topic.channel == channel)
        self._kept.remove(found)
        return found

    def introduce(self, serial: str = "") -> None:
        """As a unit does after it has connected."""
        self.say("up/status", Status(state="ready", boot=1))
        self.say(
            "up/info",
            Info(
                software="1",
                board="sim",
                certificate_sha256=self.identity.certificate_sha256,
                certificate_not_after=self.identity.not_after,
                serial=serial,
            ),
        )


class Box:
    """A box at a health centre: its bootstrap identity, and the key with which it asks."""

    def __init__(self, door: Door, serial: str) -> None:
        self.door, self.serial = door, serial
        self.folder = door.folder / serial
        prepare_bootstrap(
            self.folder,
            serial,
            door.bootstraps,
            door.authority.ca_file,
            host="localhost",
            port=door.bootstrap_port,
        )
        self.new_key()

    def new_key(self) -> None:
        """Ask with another key from now on."""
        self.key = new_key()
        self.csr = csr(self.key, "region")

    def knock(self) -> Voice:
        """A connection under the bootstrap identity."""
        return Voice(self.door, self.folder / "bootstrap", self.door.bootstrap_port)

    def ask(self, voice: Voice, **wish: Any) -> None:
        """Say the request, as each half minute."""
        voice.say("up/enrol", EnrolRequest(csr=self.csr, **wish))

    def ask_in_vain(self, voice: Voice) -> None:
        """The same at a door that may be shut."""
        voice.shout("up/enrol", EnrolRequest(csr=self.csr))

    def answer(self, voice: Voice, *states: str) -> EnrolReply:
        """The next answer to our request, in one of these states."""
        while True:
            reply: EnrolReply = voice.next("dn/enrol").data
            if reply.request == request_sha256(self.csr) and (not states or reply.state in states):
                return reply

    def keep(self, reply: EnrolReply) -> Path:
        """Store what was approved."""
        folder = self.folder / (reply.unit or "?")
        folder.mkdir(exist_ok=True)
        (folder / "key.pem").write_text(key_pem(self.key))
        (folder / "certificate.pem").write_text(reply.certificate or "")
        return folder

    def come_in(self, unit: str, **wish: Any) -> Path:
        """The whole way, but for the proof: asks, is approved, keeps its certificate."""
        with self.knock() as voice:
            self.ask(voice, **wish)
            self.answer(voice, "waiting", "conflict")
            (row,) = self.door.waiting(self.serial)
            self.door.run("enrol", "approve", str(row["id"]), "--unit", unit)
            return self.keep(self.answer(voice, "approved"))
