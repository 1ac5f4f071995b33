"""What `make run` starts, Ctrl-C stops; a second start finds everything; a taken port is said."""

from __future__ import annotations

import re
import socket
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.system.stack import Stack, StackError, free_port
from tests.system.visit import PATIENCE_S, book, command

pytestmark = pytest.mark.end_to_end


def family(stack: Stack) -> list[psutil.Process]:
    """The starter and all that it has started."""
    assert stack.process is not None
    starter = psutil.Process(stack.process.pid)
    return [starter, *starter.children(recursive=True)]


def gone(processes: list[psutil.Process]) -> None:
    """They end; the kernel takes its moment with one that was killed."""
    _, left = psutil.wait_procs(processes, timeout=PATIENCE_S)
    assert left == []


def test_run_stop_and_run_again(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "state")
    stack.start()
    access = stack.access
    booked = book(stack)
    running = family(stack)
    assert len(running) >= 4
    for name in ("region", "screen"):
        with urllib.request.urlopen(f"http://localhost:{stack.ports[name]}/healthz", timeout=5) as answer:
            assert answer.status == 200

    assert stack.stop() == 0

    said = (stack.state / "starter.log").read_text()
    assert re.findall(r"(\w+): stopped", said) == ["unit", "region", "broker"]
    assert "Traceback" not in said + stack.log("unit") + stack.log("region")
    gone(running)
    for port in stack.ports.values():
        with closing(socket.socket()) as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0

    with stack:
        assert stack.access == access
        assert [row["sid"] for row in command(stack, "sessions")] == [booked.sid]
    gone(running)


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"broker": free_port(), "region": port, "screen": free_port()}
        stack = Stack(tmp_path / "state", ports=ports)
        with pytest.raises(StackError) as error:
            stack.start()
    assert str(port) in str(error.value)
    assert "make run OPTIONS=" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert stack.process is not None
    assert stack.process.returncode == 1
    assert not (stack.state / "broker").exists()
