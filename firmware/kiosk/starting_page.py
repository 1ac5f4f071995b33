"""The page that is shown until the agent serves its own: a file of ours, which the browser opens by itself.

It asks for `go.js` four times a second. The guard writes that file once the agent answers; it holds the address
with this boot's secret, for the kiosk's user alone, and is gone as soon as the agent's page lives.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

SOURCE = Path(__file__).parent / "start"
GO = "go.js"


def lay_out(folder: Path) -> None:
    """The page anew, without a way on."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE, folder)
    folder.chmod(0o700)


def lead_on(folder: Path, origin: str, secret: str) -> None:
    """Have the page go to the agent's."""
    address = f"{origin}/enter?key={secret}"
    new = folder / f"{GO}.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"location.replace({json.dumps(address)});\n")
    new.replace(folder / GO)


def forget_way(folder: Path) -> None:
    """The page has gone on: the secret need not lie about."""
    (folder / GO).unlink(missing_ok=True)
