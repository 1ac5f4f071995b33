"""Commands inside of the machine, through qemu-guest-agent's port: no network, no password, no console.

The protocol is JSON lines (QEMU's qga/qapi-schema.json). A machine that was reset may have left half an answer,
so each conversation begins with guest-sync-delimited, whose answer nothing older can be mistaken for.
"""

from __future__ import annotations

import base64
import json
import secrets
import shlex
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ANSWER_WITHIN_S = 20.0
POLL_FIRST_S, POLL_LAST_S = 0.05, 0.5
CHUNK_BYTES = 1 << 20
DELIMITER = b"\xff"


class GuestError(RuntimeError):
    """The machine did not answer, or would not; the message says to what."""


class Done(NamedTuple):
    """What a command has come to. A command that a signal ended has that signal's negative number as status."""

    status: int
    out: str
    err: str


class GuestAgent:
    """One machine's agent; connects anew by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._rest = b""

    def close(self) -> None:
        """Hang up; the next call connects again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def answers(self, within_s: float = 2.0) -> bool:
        """Whether the machine is up so far that it takes commands."""
        try:
            self._sync(within_s)
        except GuestError:
            return False
        return True

    def run(self, command: str, *, timeout_s: float = 60.0, stdin: bytes | None = None) -> Done:
        """A line of sh, as root; returns (status, out, err). Raises GuestError when it takes too long."""
        given: dict[str, Any] = {"path": "/bin/sh", "arg": ["-c", command], "capture-output": True}
        if stdin is not None:
            given["input-data"] = base64.b64encode(stdin).decode()
        pid = self._ask("guest-exec", **given)["pid"]
        deadline, pause = time.monotonic() + timeout_s, POLL_FIRST_S
        while not (answer := self._ask("guest-exec-status", pid=pid))["exited"]:
            if time.monotonic() > deadline:
                raise GuestError(f"not done in {timeout_s:g} s: {command}")
            time.sleep(pause)
            pause = min(POLL_LAST_S, pause * 1.5)
        return done(answer)

    def put(self, file: str, content: bytes, mode: int = 0o644) -> None:
        """A file in the machine; its folder is made."""
        self.run(f"mkdir -p {shlex.quote(str(Path(file).parent))}")
        handle = self._ask("guest-file-open", path=file, mode="w")
        try:
            for chunk in chunks(content):
                self._ask("guest-file-write", handle=handle, **{"buf-b64": base64.b64encode(chunk).decode()})
        finally:
            self._ask("guest-file-close", handle=handle)
        self.run(f"chmod {mode:o} {shlex.quote(file)}")

    def get(self, file: str) -> bytes:
        """What a file in the machine holds; raises GuestError where there is none."""
        handle = self._ask("guest-file-open", path=file, mode="r")
        content = b""
        try:
            while True:
                answer = self._ask("guest-file-read", handle=handle, count=CHUNK_BYTES)
                content += base64.b64decode(answer["buf-b64"])
                if answer["eof"]:
                    return content
        finally:
            self._ask("guest-file-close", handle=handle)

    def _ask(self, command: str, within_s: float = ANSWER_WITHIN_S, **arguments: object) -> Any:
        if self._socket is None:
            self._sync(within_s)
        try:
            self._send(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n", within_s)
            answer = json.loads(self._line())
        except (OSError, ValueError) as error:
            self.close()
            raise GuestError(f"{command}: no answer from the machine ({error})") from error
        if "error" in answer:
            raise GuestError(f"{command}: {answer['error'].get('desc', answer['error'])}")
        return answer["return"]

    def _sync(self, within_s: float) -> None:
        self.close()
        number = secrets.randbelow(1 << 31)
        question = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
        try:
            self._socket, self._rest = socket.socket(socket.AF_UNIX), b""
            self._socket.settimeout(within_s)
            self._socket.connect(str(self._path))
            self._send(DELIMITER + json.dumps(question).encode() + b"\n", within_s)
            deadline = time.monotonic() + within_s
            while not is_answer_to(self._line(), number):
                if time.monotonic() > deadline:
                    raise TimeoutError("another's answers")
        except OSError as error:
            self.close()
            raise GuestError(f"the machine's agent does not answer ({error})") from error

    def _send(self, data: bytes, within_s: float) -> None:
        assert self._socket is not None
        self._socket.settimeout(within_s)
        self._socket.sendall(data)

    def _line(self) -> bytes:
        assert self._socket is not None
        while b"\n" not in self._rest:
            if not (data := self._socket.recv(1 << 16)):
                raise ConnectionResetError("hung up")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line


def is_answer_to(line: bytes, number: int) -> bool:
    """Whether a line ends the sync that was asked under this number; what came before the delimiter is old."""
    try:
        return bool(json.loads(line.rpartition(DELIMITER)[2])["return"] == number)
    except (ValueError, KeyError, TypeError):
        return False


def chunks(content: bytes, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """In pieces that the agent takes."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def done(answer: dict[str, Any]) -> Done:
    """guest-exec-status's answer of a command that has ended."""
    out, err = (
        base64.b64decode(answer.get(name, "")).decode(errors="replace") for name in ("out-data", "err-data")
    )
    status = answer["exitcode"] if "exitcode" in answer else -answer.get("signal", 0)
    return Done(status, out, err)
