"""Programs started in order, started again when they die, and stopped in reverse."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning import local_parts
from provisioning.local_parts import CannotStart, Part, Parts, http_answers, port_is_free, tls_answers
from provisioning.pki import Authority

# `exec`: the shell becomes what it starts, so that a signal meets the right process. Python would start slower.
STAYS = ["sh", "-c", "echo hello; exec sleep 60"]
DIES = ["sh", "-c", "echo no such file; exit 3"]


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_parts, "RESTART_AFTER_S", 0.0)
    monkeypatch.setattr(local_parts, "POLL_S", 0.001)


@pytest.fixture
def parts() -> Iterator[Parts]:
    made = Parts()
    yield made
    made.stop()


def part(folder: Path, name: str, command: list[str], *, answers: bool = True) -> Part:
    log = folder / "logs" / f"{name}.log"
    return Part(name, command, log, lambda: answers and log.exists() and log.stat().st_size > 0)


def test_parts_run_with_a_log_each_and_stop_in_reverse(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = part(tmp_path, "broker", STAYS), part(tmp_path, "region", STAYS)
    parts.start(first)
    parts.start(second)
    assert set(parts.pids()) == {"broker", "region"}
    assert first.log.read_text() == "hello\n"
    parts.stop()
    assert first.process is not None
    assert first.process.returncode == -signal.SIGTERM
    said = capsys.readouterr().out
    assert said.index("region: stopped") < said.index("broker: stopped")
    assert parts.pids() == {}


def test_a_part_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"stopped at once(.|\n)*no such file"):
        part(tmp_path, "broker", DIES, answers=False).start()


def test_a_part_that_never_answers_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_parts, "START_WITHIN_S", 0.0)
    silent = part(tmp_path, "region", STAYS, answers=False)
    with pytest.raises(CannotStart, match="does not answer"):
        silent.start()
    silent.stop()


def test_what_died_is_started_again_until_it_keeps_dying(parts: Parts, tmp_path: Path) -> None:
    dying = part(tmp_path, "unit", DIES)
    parts._parts.append(dying)
    dying._launch()
    for _ in range(local_parts.RESTARTS_IN_A_ROW):
        assert dying.process is not None
        dying.process.wait()
        parts.watch()
    dying.process.wait()
    with pytest.raises(CannotStart, match=r"The unit keeps stopping(.|\n)*no such file"):
        parts.watch()


def test_restarts_are_counted_anew_after_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_parts, "QUIET_S", 0.0)
    well = part(tmp_path, "unit", STAYS)
    well.start()
    well._restarts = local_parts.RESTARTS_IN_A_ROW
    assert well.revive()
    assert well._restarts == 0
    well.stop()


def test_a_part_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_parts, "STOP_WITHIN_S", 0.05)
    deaf = part(tmp_path, "unit", ["sh", "-c", "trap '' TERM; echo hello; while :; do sleep 0.01; done"])
    deaf.start()
    deaf.stop()
    assert deaf.process is not None
    assert deaf.process.returncode == -signal.SIGKILL


def test_a_taken_port_is_not_free_and_no_server_of_ours_answers_there(authority: Authority) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        assert not http_answers(f"http://127.0.0.1:{port}/healthz")()
        assert not tls_answers(port, authority.ca_file)()
    assert port_is_free(port)


def test_what_a_stopped_part_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    """As a master that is ended leaves a worker which somebody has halted."""
    leaves = ["sh", "-c", "sleep 60 & echo $!; exec sleep 60"]
    made = part(tmp_path, "region", leaves)
    made.start()
    child = int(made.log.read_text())
    os.kill(child, signal.SIGSTOP)
    made.stop()
    stat = Path(f"/proc/{child}/stat")
    deadline = time.monotonic() + 5  # the kernel ends it in its own time
    while stat.exists() and stat.read_text().split()[2] not in {"Z", "X"}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
