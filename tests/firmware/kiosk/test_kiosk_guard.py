"""The guard with programs in place of cage and Chromium that do nothing but run."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.kiosk import guard as guards
from firmware.kiosk import processes
from firmware.kiosk.guard import Guard, agent_answers
from firmware.kiosk.settings import BOOT_ID, KioskError, KioskSettings
from firmware.kiosk.watch import Limits, Watch

COMPOSITOR = """
import socket
listening = socket.socket(socket.AF_UNIX)
listening.bind("wayland-0")
listening.listen()
while True:
    client, _ = listening.accept()
    client.recv(12)
    client.sendall(bytes(12))
    client.close()
"""


class Kiosk:
    """A guard, and what it may find."""

    def __init__(self, folder: Path) -> None:
        self.settings = KioskSettings(8400, folder / "agent", folder / "run")
        for each in (self.settings.agent_folder, self.settings.folder):
            each.mkdir()
        self.agent_up = False
        self.guard = Guard(
            self.settings, gpu=False, watch=Watch(Limits(silent_s=0.2, doubt_s=0.1, start_s=5))
        )

    def step_until(self, holds: Callable[[], object]) -> None:
        until_s = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < until_s
            self.guard.step()
            time.sleep(0.01)

    def speak(self) -> None:
        self.settings.mark.touch()
        os.utime(self.settings.mark, ns=(0, time.time_ns()))

    @property
    def go(self) -> Path:
        return self.settings.start_folder / "go.js"


@pytest.fixture
def kiosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path)
    monkeypatch.chdir(made.settings.folder)
    monkeypatch.setattr(guards, "compositor_command", lambda: [sys.executable, "-S", "-c", COMPOSITOR])
    monkeypatch.setattr(guards, "browser_command", lambda *_, **__: ["sleep", "60"])
    monkeypatch.setattr(guards, "agent_answers", lambda _port: made.agent_up)
    monkeypatch.setattr(guards, "ASK_EVERY_S", 0.0)
    yield made
    processes.end_all()


def test_the_way_on_is_given_when_the_agent_is_there_and_taken_back_when_its_page_speaks(
    kiosk: Kiosk,
) -> None:
    kiosk.step_until(lambda: "browser" in kiosk.guard.pids)
    kiosk.settings.agent_folder.joinpath("browser-secret").write_text(f"{BOOT_ID.read_text().strip()} s3cret")
    kiosk.guard.step()
    assert not kiosk.go.exists()
    kiosk.agent_up = True
    kiosk.step_until(kiosk.go.exists)
    assert "http://localhost:8400/enter?key=s3cret" in kiosk.go.read_text()
    kiosk.speak()
    kiosk.step_until(lambda: not kiosk.go.exists())


def test_a_browser_that_ends_or_falls_silent_is_another_one_and_its_profile_too(kiosk: Kiosk) -> None:
    kiosk.step_until(lambda: "browser" in kiosk.guard.pids)
    kiosk.agent_up = True
    for ending in ("ends", "falls silent"):
        (kiosk.settings.profile / "kept").touch()
        kiosk.speak()
        kiosk.guard.step()
        before = kiosk.guard.pids
        if ending == "ends":
            os.kill(before["browser"], signal.SIGKILL)
        kiosk.step_until(lambda old=before: kiosk.guard.pids.get("browser") not in (None, old["browser"]))
        assert kiosk.guard.pids["cage"] == before["cage"]
        assert list(kiosk.settings.profile.iterdir()) == []
        assert not Path(f"/proc/{before['browser']}").exists()


def test_without_its_compositor_everything_begins_anew(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    kiosk.step_until(lambda: "browser" in kiosk.guard.pids)
    before = kiosk.guard.pids
    os.kill(before["cage"], signal.SIGKILL)
    kiosk.step_until(
        lambda: set(kiosk.guard.pids) == {"cage", "browser"} and kiosk.guard.pids["cage"] != before["cage"]
    )
    assert kiosk.guard.pids["browser"] != before["browser"]
    assert "status -9" in caplog.text


def test_a_compositor_that_shows_nothing_is_told_with_its_last_words(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "compositor_command", lambda: ["sh", "-c", "echo no screen here >&2; exit 3"])
    with pytest.raises(KioskError, match="no screen here"):
        kiosk.guard.step()


def test_where_there_is_no_input_it_is_tried_once(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = kiosk.settings.folder / "tries"
    words = ["sh", "-c", f"echo $WLR_LIBINPUT_NO_DEVICES >> {tries}; exit 3"]
    monkeypatch.setattr(guards, "has_input", lambda: False)
    monkeypatch.setattr(guards, "compositor_command", lambda: words)
    with pytest.raises(KioskError):
        kiosk.guard.step()
    assert tries.read_text() == "1\n"
    assert "without input" not in caplog.text


def test_a_compositor_that_wants_a_glass_is_started_without_one(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wants = 'test -n "$WLR_LIBINPUT_NO_DEVICES" || { echo no input devices >&2; exit 1; }; exec "$@"'
    words = ["sh", "-c", wants, "sh", sys.executable, "-S", "-c", COMPOSITOR]
    monkeypatch.setattr(guards, "has_input", lambda: True)
    monkeypatch.setattr(guards, "compositor_command", lambda: words)
    kiosk.step_until(lambda: "browser" in kiosk.guard.pids)
    assert "is tried without input: no input devices" in caplog.text


def test_nobody_at_the_port_is_no_agent() -> None:
    assert not agent_answers(1, within_s=0.2)
