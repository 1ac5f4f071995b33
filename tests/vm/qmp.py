"""QEMU's own line (QMP): link up and down, pictures of the screen, touches, what became of the watchdog."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

ANSWER_WITHIN_S = 30.0


class QmpError(RuntimeError):
    """QEMU would not; the message is its own."""


class Qmp:
    """A connection to a running QEMU's socket (QEMU's docs/interop/qmp-spec)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_WITHIN_S)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r")
        self.events: list[dict[str, Any]] = []
        """What QEMU has told unasked (RESET, WATCHDOG, SHUTDOWN), oldest first, as far as it has been read."""
        self._read(lambda line: "QMP" in line)
        self.execute("qmp_capabilities")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def execute(self, command: str, **arguments: object) -> Any:
        """Do it, and give QEMU's answer; raises QmpError when it refuses."""
        said = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._socket.sendall(json.dumps(said).encode() + b"\n")
        answer = self._read(lambda line: "return" in line or "error" in line)
        if "error" in answer:
            raise QmpError(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    def _read(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while text := self._lines.readline():
            line: dict[str, Any] = json.loads(text)
            if is_it(line):
                return line
            self.events.append(line)
        raise QmpError("QEMU has hung up")
