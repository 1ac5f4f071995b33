"""In place of the kiosk, where its browser would fill an emulated processor: tells the agent what a page tells it.

With it, `screen alive` says that the agent serves pages and hears them, and nothing of compositor or browser.
"""

from __future__ import annotations

import shlex

from tests.vm.machine import Machine

UNIT = "lab-screen"
SCRIPT = r"""
import http.cookiejar, pathlib, time, urllib.request
base, secret = "http://localhost:8400", pathlib.Path("/run/halsorum/screen/browser-secret")
jar = http.cookiejar.CookieJar()
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
while True:
    try:
        if not len(jar):
            opener.open(f"{base}/enter?key={secret.read_text().split()[1]}", timeout=20).close()
        asked = urllib.request.Request(f"{base}/api/painted", b"", {"Origin": base})
        opener.open(asked, timeout=20).close()
    except (OSError, IndexError):
        jar.clear()
    time.sleep(2)
"""


def stand_in(machine: Machine) -> None:
    """Until the machine's next boot; a second one beside it is not started."""
    machine.run(f"systemd-run --quiet --unit={UNIT} /usr/bin/python3 -c {shlex.quote(SCRIPT)}")
