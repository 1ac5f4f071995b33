"""The bench itself: each instruction has a fault that can be meant, name service, certificates, a healthy run."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography import x509

from agent.contract.instructions import INSTRUCTIONS
from agent.media import camera
from firmware.board import load_board
from provisioning.pki import Authority
from tests.bench.selftest import agent_process, faults, healthy, healthy_room, names
from tests.bench.selftest.certificates_of_any_age import LIFE, hand_made
from tests.bench.selftest.devices import Devices
from tests.bench.selftest.outcomes import judged
from tests.bench.selftest.rig import Found


def test_every_instruction_of_the_table_has_a_fault_and_names_are_unique():
    right = {key for fault in faults.ALL for key in fault.right}
    assert right == set(INSTRUCTIONS)
    assert max(Counter(fault.name for fault in faults.ALL).values()) == 1
    broken = [fault for fault in faults.ALL if not fault.is_healthy]
    assert len(broken) >= 24


COVERED = next(fault for fault in faults.ALL if fault.right == ("camera_covered",))
HEALTHY = faults.HEALTHY[0]


@pytest.mark.parametrize(
    ("fault", "shown", "is_found", "is_right"),
    [
        (COVERED, ("camera_covered", "camera_dark"), True, True),
        (COVERED, ("microphone", "camera_covered"), True, False),
        (COVERED, (), False, False),
        (HEALTHY, (), False, True),
        (HEALTHY, ("clock",), False, False),
    ],
)
def test_found_is_among_those_shown_and_right_is_the_first(fault, shown, is_found, is_right):
    outcome = judged(fault, Found(shown, 12.0, 3.0))
    assert (outcome.is_found, outcome.is_right) == (is_found, is_right)
    assert outcome.before_min == (pytest.approx(19.8) if is_found else None)


def test_boards_of_the_faults_can_be_loaded(tmp_path):
    """A profile that is refused would end the agent in place of breaking the room."""
    boards = []

    class Paper(Devices):
        def restart_agent(self):
            boards.append(load_board(str(self.board_file)))

    paper = Paper(tmp_path, {})
    paper.board_file.parent.mkdir()
    for fault in faults.ALL:
        if fault.level.startswith(("board profile", "its switch")):
            fault.make(paper)
            fault.mend(paper)
    broken, mended = boards[::2], boards[1::2]
    assert len(broken) >= 4 and len(set(map(repr, mended))) == 1
    assert all(each != mended[0] for each in broken)


def test_a_driver_fails_as_its_file_says_and_works_again(tmp_path, monkeypatch):
    monkeypatch.setattr(camera.FileCamera, "read", lambda self: "a picture")
    monkeypatch.setattr(agent_process, "LATE_S", 0.0)
    agent_process.break_driver(tmp_path / "how")
    given = camera.FileCamera.__new__(camera.FileCamera)
    assert given.read() == "a picture"
    paper = SimpleNamespace(driver_file=tmp_path / "how")
    Devices.camera_driver(paper, agent_process.NO_MEMORY)
    with pytest.raises(MemoryError):
        given.read()
    Devices.camera_driver(paper, "")
    assert given.read() == "a picture"


def test_the_name_service_knows_one_name():
    def asked(name, kind=names.A):
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        return names.HEADER.pack(7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)

    told = names.answer(asked("region.test"), "region.test", "10.0.0.9")
    assert names.HEADER.unpack_from(told)[:4] == (7, 0x8580, 1, 1)
    assert told.endswith(socket.inet_aton("10.0.0.9"))
    assert names.HEADER.unpack_from(names.answer(asked("region.test", 28), "region.test", "10.0.0.9"))[3] == 0
    assert names.HEADER.unpack_from(names.answer(asked("other.test"), "region.test", "10.0.0.9"))[1] & 15 == 3


def test_a_certificate_has_as_much_left_as_was_asked(tmp_path):
    authority = Authority(tmp_path / "pki")
    ca, certificate, _key = hand_made(tmp_path / "pki", tmp_path, "unit-1", timedelta(days=5))
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    made.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.read_bytes()))
    assert made.not_valid_after_utc - made.not_valid_before_utc == LIFE
    left = made.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=4, hours=23) < left <= timedelta(days=5)
    assert authority.ca_file == tmp_path / "pki" / "ca.pem"


def test_a_healthy_run_tries_every_judgement_and_a_still_picture_is_an_alarm(monkeypatch):
    monkeypatch.setattr(healthy_room, "_noises", lambda: np.zeros((4, 720, 1280), np.float32))
    monkeypatch.setattr(healthy_room, "_film_sound", lambda: np.ones(48_000, np.int16))
    monkeypatch.setattr(healthy_room, "FLICKER", 0.0)
    wall = healthy_room.Place("wall", np.full((720, 1280), 120, np.uint8))
    monkeypatch.setattr(healthy, "places", lambda: (wall,))
    report = healthy.run_healthy(1, 5)
    assert {"camera", "microphone", "line", "clock", "temperature"} <= set(report["tried"])
    assert [alarm["instructions"][0] for alarm in report["alarms"]] == ["camera_frozen"]
    (run,) = report["each"]
    assert run["figures"].keys() == report["medians"].keys() == set(report["tried"])
