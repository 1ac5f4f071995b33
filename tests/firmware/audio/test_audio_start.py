"""How the sound is started: programs of the test's in the place of PipeWire's, which live and die as it needs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

START = Path(__file__).parents[3] / "firmware/audio/start.sh"
LIVES = "exec sleep 60"
PROGRAMS = {
    "pipewire": LIVES,
    "wireplumber": LIVES,
    "pipewire-pulse": (
        "exec python3 -c 'import os, socket, time; s = socket.socket(socket.AF_UNIX); "
        's.bind(os.environ["XDG_RUNTIME_DIR"] + "/pulse/native"); time.sleep(60)\''
    ),
    "pw-cli": "true",
    "pw-link": "true",
    "systemd-notify": 'echo "$@" >> "$XDG_RUNTIME_DIR/notified"',
}


def started(folder: Path, **instead: str) -> tuple[int, str, list[str]]:
    """Run it to its end: exit status, what it said, what systemd was told."""
    programs, run = folder / "bin", folder / "run"
    programs.mkdir()
    run.mkdir()
    for name, line in {**PROGRAMS, **instead}.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(run),
        "XDG_STATE_HOME": str(folder),
        "NOTIFY_SOCKET": "/nowhere",
    }
    done = subprocess.run([START], env=environment, capture_output=True, text=True, timeout=30, check=False)
    notified = run / "notified"
    return done.returncode, done.stderr, notified.read_text().splitlines() if notified.exists() else []


WHEN_READY = 'while ! grep -q ready "$XDG_RUNTIME_DIR/notified"; do sleep 0.02; done; '


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("kill -XCPU $$", "pipewire ended by SIGXCPU: it has used the processor"),
        ("kill -SEGV $$", "pipewire ended by SIGSEGV"),
        ("exit 7", "pipewire ended with status 7"),
    ],
)
def test_what_ends_in_use_takes_all_along_and_is_named_with_its_reason(
    tmp_path: Path, end: str, said: str
) -> None:
    status, words, notified = started(tmp_path, pipewire=WHEN_READY + end)
    assert status == 1
    assert said in words
    assert notified[-1] == "--ready --status=Sound ready, echo canceller on"


def test_what_ends_before_it_can_be_used_is_not_waited_for(tmp_path: Path) -> None:
    status, words, notified = started(tmp_path, wireplumber="exit 3", **{"pw-link": "false"})
    assert status == 1
    assert "wireplumber ended with status 3" in words
    assert notified[-1] == "--status=Waiting for: pw-link --input echo-cancel-sink"
