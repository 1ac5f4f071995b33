"""The unit's screen from inside of the machine: its document, and touches, as the kiosk's browser does them.

The agent listens on the machine's own loopback alone, so what asks it runs there: a few lines of Python that let
themselves in with the kiosk's secret of this boot, and that wait inside, so that waiting costs one process.
"""

from __future__ import annotations

import json
from typing import Any

from tests.vm.guest_agent import GuestError
from tests.vm.machine import Machine

SCRIPT = r"""
import http.cookiejar, json, pathlib, sys, time, urllib.request
asked = json.load(sys.stdin)
folders = ("/run/halsorum/screen", "/run/halsorum", "/var/lib/halsorum/run")
places = [folder + "/browser-secret" for folder in folders]
jar = http.cookiejar.CookieJar()
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
base = "http://localhost:8400"
def enter():
    secret = next(pathlib.Path(p).read_text() for p in places if pathlib.Path(p).exists()).split(" ")[1]
    opener.open(f"{base}/enter?key={secret}", timeout=20).close()
def screen():
    if not len(jar):
        enter()
    with opener.open(f"{base}/api/screen", timeout=20) as answer:
        return json.loads(answer.read())
def touch(kind, fields):
    if not len(jar):
        enter()
    headers = {"Content-Type": "application/json", "Origin": base}
    body = json.dumps({"kind": kind, **fields}).encode()
    with opener.open(urllib.request.Request(f"{base}/api/touch", body, headers), timeout=30) as answer:
        return json.loads(answer.read())
until, last = time.monotonic() + asked["within_s"], None
while True:
    try:
        if "touch" in asked:
            print(json.dumps(touch(asked["touch"], asked["fields"])))
            break
        last = screen()
        if eval(asked["holds"], {"d": last}):
            print(json.dumps(last))
            break
        last = {name: last[name] for name in ("page", "ready", "faults", "region_up")}
    except OSError as error:
        last = repr(error)
        jar.clear()
    except StopIteration:
        last = "no secret yet"
    if time.monotonic() > until:
        sys.exit(f"the screen stays as it is: {last}")
    time.sleep(0.5)
"""


class Touchscreen:
    """One machine's."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def until(self, holds: str, within_s: float = 60.0) -> dict[str, Any]:
        """The first document `d` for which a Python expression holds; an agent that is away is waited for."""
        return self._ask({"holds": holds, "within_s": within_s}, within_s)

    def screen(self) -> dict[str, Any]:
        """The document now."""
        return self.until("True", 20.0)

    def touch(self, kind: str, **fields: object) -> dict[str, Any]:
        """One touch and what came of it."""
        return self._ask({"touch": kind, "fields": fields, "within_s": 20.0}, 20.0)

    def _ask(self, asked: dict[str, Any], within_s: float) -> dict[str, Any]:
        given = json.dumps(asked).encode()
        done = self._machine.run(f"python3 -c '{SCRIPT}'", timeout_s=within_s + 40, stdin=given)
        if done.status != 0:
            raise GuestError(f"{asked}: {done.err.strip().splitlines()[-1:]}")
        answer: dict[str, Any] = json.loads(done.out)
        return answer
