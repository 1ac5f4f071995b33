"""The guest agent's protocol against a played one, which answers as QEMU's does."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vm.guest_agent import Done, GuestAgent, GuestError, chunks, done, is_answer_to


class PlayedAgent:
    """One connection at a time; what it is asked, it answers from a table, and files it keeps in memory."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.stale = b""
        self.commands: list[str] = []
        self.files: dict[str, bytes] = {}
        self.polls = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                connection.sendall(self.stale)
                for line in lines:
                    asked = json.loads(line.lstrip(b"\xff"))
                    delimiter = b"\xff" if line.startswith(b"\xff") else b""
                    answer = self.answer(asked["execute"], asked.get("arguments", {}))
                    connection.sendall(delimiter + json.dumps(answer).encode() + b"\n")

    def answer(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        match command:
            case "guest-sync-delimited":
                return {"return": given["id"]}
            case "guest-exec":
                self.commands.append(given["arg"][1])
                return {"return": {"pid": 7}}
            case "guest-exec-status":
                self.polls += 1
                if self.polls % 2:
                    return {"return": {"exited": False}}
                out = base64.b64encode(b"two lines\n").decode()
                return {"return": {"exited": True, "exitcode": 3, "out-data": out}}
            case "guest-file-open" if given["mode"] == "r" and given["path"] not in self.files:
                return {"error": {"class": "GenericError", "desc": "no such file"}}
            case "guest-file-open":
                self.open, self.at = given["path"], 0
                if given["mode"] == "w":
                    self.files[self.open] = b""
                return {"return": 1}
            case "guest-file-write":
                self.files[self.open] += base64.b64decode(given["buf-b64"])
                return {"return": {"count": 1}}
            case "guest-file-read":
                part = self.files[self.open][self.at : self.at + 5]
                self.at += 5
                eof = self.at >= len(self.files[self.open])
                return {"return": {"buf-b64": base64.b64encode(part).decode(), "eof": eof}}
            case _:
                return {"return": {}}


@pytest.fixture
def played(tmp_path: Path) -> Iterator[PlayedAgent]:
    agent = PlayedAgent(tmp_path / "qga")
    yield agent
    agent.listener.close()


def test_a_command_is_run_and_waited_for(played: PlayedAgent, tmp_path: Path) -> None:
    assert GuestAgent(tmp_path / "qga").run("false") == Done(3, "two lines\n", "")
    assert played.commands == ["false"]


def test_files_go_both_ways(played: PlayedAgent, tmp_path: Path) -> None:
    agent = GuestAgent(tmp_path / "qga")
    agent.put("/run/it's/file", b"longer than five bytes", 0o600)
    assert agent.get("/run/it's/file") == b"longer than five bytes"
    assert played.commands == ["mkdir -p '/run/it'\"'\"'s'", "chmod 600 '/run/it'\"'\"'s/file'"]


def test_half_an_answer_from_before_a_reset_is_passed_over(played: PlayedAgent, tmp_path: Path) -> None:
    played.stale = b'{"return": {}}\n{"return": {"exited": tr'
    assert GuestAgent(tmp_path / "qga").run("true").status == 3


def test_what_the_agent_refuses_is_told(played: PlayedAgent, tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="guest-file-open: no such file"):
        GuestAgent(tmp_path / "qga").get("/nowhere")


def test_a_machine_that_is_not_up_answers_not(tmp_path: Path) -> None:
    assert not GuestAgent(tmp_path / "qga").answers(0.1)


def test_an_answer_to_another_question_is_none() -> None:
    assert is_answer_to(b'\xff{"return": 5}', 5)
    assert is_answer_to(b'{"retu\xff{"return": 5}', 5)
    for other in (b'{"return": 6}', b"", b"null", b'{"return": {}}'):
        assert not is_answer_to(other, 5)


def test_what_a_signal_ended_has_its_negative_number() -> None:
    assert done({"exited": True, "signal": 9}) == Done(-9, "", "")


def test_content_is_cut_in_pieces() -> None:
    assert list(chunks(b"abcde", 2)) == [b"ab", b"cd", b"e"]
    assert list(chunks(b"")) == []
