"""The kiosk's browser dies, hangs or loses its agent, and is back on the room's page. How soon is printed."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.browser_secret import browser_secret
from agent.screen_alive import ScreenAlive
from tests.system.kiosk import CAN_RUN, POLICIES, ROOT, USER, Kiosk, kind_of, until
from tests.system.stack import free_port
from web.room import RoomWebSettings, Server, create_app, serve

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(not CAN_RUN, reason="needs root, cage and chromium")]

OWN_CARE = ("gpu-process", signal.SIGKILL)
FAKES = Path(__file__).parents[1] / "web/room/fakes.py"
spec = importlib.util.spec_from_file_location("room_fakes", FAKES)
assert spec is not None and spec.loader is not None
fakes = importlib.util.module_from_spec(spec)
sys.modules["room_fakes"] = fakes
spec.loader.exec_module(fakes)


class Beats(ScreenAlive):
    """Also remembers when each word came."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.count = 0

    def painted(self, browser: str = "") -> None:
        super().painted(browser)
        self.count += 1


@dataclass
class Room:
    """The agent's pages around a room in memory, and the kiosk that shows them."""

    folder: Path
    port: int
    alive: Beats
    kiosk: Kiosk | None = None
    server: Server | None = None

    def serve(self) -> None:
        settings = RoomWebSettings(self.port, browser_secret(self.folder))
        app = create_app(fakes.FakeController(), settings, fakes.FakeVoice(), self.alive.painted)
        self.server = serve(app, "127.0.0.1", self.port, threads=8)

    def stop(self) -> None:
        assert self.server is not None
        self.server.stop()

    def speaks(self, times: int = 1) -> float:
        """Wait for the page's next words; how long that took, s."""
        before = self.alive.count
        return until(lambda: self.alive.count >= before + times, "the page does not speak")


def visits_elsewhere(kiosk: Kiosk) -> list[str]:
    """Have the starting page, which may go anywhere that the policies let it, go to another program's port."""
    visits: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    go = kiosk.folder / "start" / "go.js"
    go.write_text(f'location.replace("http://localhost:{server.server_port}/");\n')
    go.chmod(0o644)
    time.sleep(3)  # it looks four times a second
    server.shutdown()
    return visits


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with tempfile.TemporaryDirectory(prefix="kiosk") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "agent"
        folder.mkdir()
        os.chown(folder, 0, USER)
        folder.chmod(0o2750)
        port = free_port()
        with Kiosk(Path(name) / "kiosk", folder, port) as kiosk:
            room = Room(folder, port, Beats(folder), kiosk)
            until(
                lambda: any("--type=renderer" in command for _pid, command in kiosk.processes()), "no browser"
            )
            forbidden = visits_elsewhere(kiosk)
            kiosk.signal("browser", signal.SIGKILL)
            until(lambda: not (kiosk.folder / "start" / "go.js").exists(), "no new browser")
            room.serve()
            print(f"\nkiosk: {'the agent comes: on its page after':60} {room.speaks():5.1f} s")
            assert forbidden == [], "the browser went where it may not"
            room.speaks(3)
            yield room
            room.stop()


def test_chromium_keeps_its_sandbox_and_the_secret_is_in_no_command(room: Room) -> None:
    assert room.kiosk is not None
    secret = browser_secret(room.folder)
    commands = [command for _pid, command in room.kiosk.processes()]
    assert not [command for command in commands if "no-sandbox " in command or secret in command]
    status = Path(f"/proc/{room.kiosk.pids('renderer')[0]}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert (fields["Seccomp"], fields["NoNewPrivs"]) == ("2", "1")
    assert len(fields["NSpid"].split()) > 1
    assert not (room.kiosk.folder / "start" / "go.js").exists()


def test_every_policy_is_one_that_this_chromium_knows() -> None:
    import json
    import mmap

    with Path("/usr/lib/chromium/chromium").open("rb") as program:
        text = mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ)
        unknown = [
            name for name in json.loads((ROOT / POLICIES).read_text()) if text.find(name.encode() + b"\0") < 0
        ]
    assert unknown == []


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("browser", signal.SIGKILL),
        pytest.param("renderer", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("gpu-process", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("cage", signal.SIGKILL, marks=pytest.mark.long),
        pytest.param("browser", signal.SIGSTOP, marks=pytest.mark.long),
        ("renderer", signal.SIGSTOP),
        pytest.param("gpu-process", signal.SIGSTOP, marks=pytest.mark.long),
        pytest.param("cage", signal.SIGSTOP, marks=pytest.mark.long),
    ],
)
def test_what_dies_or_hangs_is_back(room: Room, kind: str, number: signal.Signals) -> None:
    assert room.kiosk is not None
    room.speaks(2)
    before = room.kiosk.pids("browser")
    room.kiosk.signal(kind, number)
    began_s = time.monotonic()
    # Chromium replaces its own drawing process without a new start, if that has died.
    is_noticed = (lambda: room.kiosk.others(before)) if (kind, number) != OWN_CARE else (lambda: True)
    until(is_noticed, "nobody noticed")
    noticed_s = time.monotonic() - began_s
    room.speaks()
    what = f"{number.name} of {kind}: noticed after {noticed_s:.1f} s, back after"
    print(f"\nkiosk: {what:60} {time.monotonic() - began_s:5.1f} s")
    room.speaks(2)


def test_a_page_outlives_its_agents_restart_in_the_same_browser(room: Room) -> None:
    assert room.kiosk is not None
    browser = room.kiosk.pids("browser")
    room.stop()
    time.sleep(4)
    room.serve()
    print(f"\nkiosk: {'agent away for 4 s: page speaks after':60} {room.speaks():5.1f} s")
    room.speaks(3)
    assert room.kiosk.pids("browser") == browser


def test_a_page_that_is_lost_while_the_agent_is_away_gives_way_to_the_starting_page(room: Room) -> None:
    """Chromium's own page in the place of ours: nobody waits for the agent to have it away."""
    kiosk = room.kiosk
    assert kiosk is not None
    before = kiosk.pids("browser")
    room.stop()
    time.sleep(2.5)
    kiosk.signal("renderer", signal.SIGKILL)
    began_s = time.monotonic()
    until(lambda: kiosk.others(before), "it stays on Chromium's page")
    until(lambda: any(kind_of(command) == "renderer" for _pid, command in kiosk.processes()), "no page")
    what = "page lost while the agent is away: starting page after"
    print(f"\nkiosk: {what:60} {time.monotonic() - began_s:5.1f} s")
    assert not (kiosk.folder / "start" / "go.js").exists()
    waiting = kiosk.pids("browser")
    time.sleep(4)
    assert kiosk.pids("browser") == waiting, (
        "the starting page is left alone for as long as the agent is away"
    )
    room.serve()
    print(f"\nkiosk: {'and the agent back: on its page after':60} {room.speaks():5.1f} s")
    assert kiosk.pids("browser") == waiting
    room.speaks(2)
