"""A unit that is revoked gets and gives nothing from then on, is never shown as ready, and can come back."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from agent.contract import Message, Topic, encode
from agent.contract.enrolment import CertificateRequest
from agent.contract.events import Intent
from agent.contract.status import Status
from provisioning.region import utc_now
from tests.provisioning.csr import csr
from tests.system.door import Box, Door, Voice, until

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with Door(tmp_path_factory.mktemp("door")) as made:
        yield made


def presence(door: Door, unit: str) -> str | None:
    """What the broker keeps of a unit's presence, as another instance of the region would hear it."""
    heard: queue.Queue[Message] = queue.Queue()
    with Watcher(door, unit, heard):
        with suppress(queue.Empty):
            return str(heard.get(timeout=2).data.state)
        return None


class Watcher:
    """Another instance of the region, with a name of its own at the broker."""

    def __init__(self, door: Door, unit: str, heard: queue.Queue[Message]) -> None:
        from agent.contract import decode
        from agent.link import Link, LinkSettings

        own = door.authority.client("region-2")
        self.link = Link(
            LinkSettings(
                "localhost",
                door.port,
                own.name,
                own.ca_file,
                own.certificate_file,
                own.key_file,
                (f"hr/v1/u/{unit}/up/#",),
            ),
            on_message=lambda topic, body: (
                heard.put(decode(topic, body)) if topic.endswith("status") else None
            ),
            on_connection=lambda _up: None,
        )

    def __enter__(self) -> None:
        self.link.start()

    def __exit__(self, *_error: object) -> None:
        self.link.stop()


def cut(line: socket.socket | None) -> bool:
    """End a connection without a word; False if there is none."""
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
    return line is not None


def test_revoked_while_connected_silent_shown_and_taken_back(door: Door) -> None:
    folder = Box(door, "hs-r1").come_in("unit-r1")
    with Voice(door, folder, door.port, will=True) as unit:
        unit.introduce("hs-r1")
        assert unit.next("dn/ack")
        until(lambda: door.unit("unit-r1")["state"] == "ready", "the unit works")
        began = time.monotonic()
        door.run("unit", "revoke", "unit-r1", "--reason", "stolen")
        until(lambda: "user unit-r1" in door.files.acl.read_text(), "the broker's rules")
        until(lambda: presence(door, "unit-r1") == "revoked", "its presence is overwritten")
        print(f"from the order to the presence overwritten: {time.monotonic() - began:.2f} s")

        # It is connected still, and talks: nothing of it is heard, nothing comes down to it.
        unit.shout("up/status", Status(state="ready", boot=1))
        unit.shout("up/intent", Intent(), "help")
        unit.shout("up/renewal", CertificateRequest(csr=csr()))
        with pytest.raises(queue.Empty):
            unit.next("dn/ack", 1.5)
        with pytest.raises(queue.Empty):
            unit.next("dn/renewal", 0.1)
        assert presence(door, "unit-r1") == "revoked"
        assert door.unit("unit-r1")["state"] == "revoked"
        # Its line is cut: neither is its Last Will.
        # The broker has ended it at each of those, and it has come again: it may be between two just now.
        until(lambda: cut(unit.link._client.socket()), "its line is cut")
        time.sleep(0.5)
        assert presence(door, "unit-r1") == "revoked"

    # A revoked unit that connects anew, and a broker that has restarted, make no difference.
    door.broker.kill()
    door.broker.start()
    with Voice(door, folder, door.port) as unit:
        unit.introduce("hs-r1")
        with pytest.raises(queue.Empty):
            unit.next("dn/ack", 1.5)
        assert door.unit("unit-r1")["state"] == "revoked"

        door.run("unit", "unrevoke", "unit-r1")
        until(lambda: "user unit-r1" not in door.files.acl.read_text(), "the broker's rules")

        def speaks() -> bool:
            unit.introduce("hs-r1")
            with suppress(queue.Empty):
                return bool(unit.next("dn/ack", 1.0))
            return False

        until(speaks, "it is heard again")
        assert door.unit("unit-r1")["state"] == "ready"
        unit.say("up/renewal", CertificateRequest(csr=csr()))
        assert unit.next("dn/renewal").data.state == "issued"


def test_a_presence_that_came_before_the_rules_is_overwritten(door: Door) -> None:
    """As with a broker that reads its rules late: the region's own eyes see to it."""
    folder = Box(door, "hs-r2").come_in("unit-r2")
    with Voice(door, folder, door.port) as unit:
        unit.introduce("hs-r2")
        until(lambda: door.unit("unit-r2")["state"] == "ready", "the unit works")
        door.run("unit", "revoke", "unit-r2")
        until(lambda: presence(door, "unit-r2") == "revoked", "its presence is overwritten")
        door.deny()  # the broker forgets the revocation, for a moment
        assert unit.link.publish(
            Topic("unit-r2", "up/status"), encode(Status(state="ready", boot=1), now=utc_now())
        )
        until(lambda: presence(door, "unit-r2") == "revoked", "its presence is overwritten again")
        assert door.unit("unit-r2")["state"] == "revoked"
