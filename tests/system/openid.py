"""A real OpenID provider for the tests: npm's `oidc-provider`, which the OpenID Foundation has certified.

It is installed once, by its lock file, beside the Python environment and not into the tree.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.system.stack import StackError

OWN = Path(__file__).parent / "openid_provider"
FILES = ("package.json", "package-lock.json", "provider.js")
INSTALL_WITHIN_S = 200
STOP_WITHIN_S = 30


def installed() -> Path:
    """The folder it is installed in; installs it where it is missing or another version."""
    folder = Path(sys.prefix) / "openid-provider"
    lock = folder / "installed.json"
    wanted = (OWN / "package-lock.json").read_bytes()
    if not lock.exists() or lock.read_bytes() != wanted:
        npm = shutil.which("npm")
        if npm is None:
            raise StackError(
                "The OpenID provider of the tests needs npm: apt-get install npm, or make packages-test."
            )
        folder.mkdir(exist_ok=True)
        for name in FILES[:2]:
            shutil.copy(OWN / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, timeout=INSTALL_WITHIN_S)
        lock.write_bytes(wanted)
    shutil.copy(OWN / "provider.js", folder)
    return folder


@dataclass
class OpenIdProvider:
    """The provider as a process of its own. `people` are claims and acr by subject."""

    port: int
    client: dict[str, Any]
    people: dict[str, dict[str, Any]]
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def issuer(self) -> str:
        """As it calls itself."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start it, with a new signing key, and wait until it listens."""
        config = json.dumps({"port": self.port, "client": self.client, "people": self.people})
        command = ["node", "provider.js", config]
        self.process = subprocess.Popen(command, cwd=installed(), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
        raise StackError("the OpenID provider did not start")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(STOP_WITHIN_S)
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
