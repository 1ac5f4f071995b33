"""A real TURN server (coturn) in a namespace, with the region's secret and a certificate of its authority."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.media.facts import IceServer
from provisioning.ice import IceConfiguration
from provisioning.pki import Authority
from provisioning.settings import TurnSettings

SECRET = "a secret of region and server"
PROGRAM = "turnserver"
START_WITHIN_S = 20.0
LIFETIME_S = 3600
CONFIGURATION = """
listening-ip={address}
relay-ip={address}
listening-port=3478
tls-listening-port=5349
min-port=49152
max-port=49251
use-auth-secret
static-auth-secret={secret}
realm=region.example
cert={certificate}
pkey={key}
no-cli
no-multicast-peers
fingerprint
log-file=stdout
pidfile={folder}/turnserver.pid
userdb={folder}/turnserver.db
"""


def is_installed() -> bool:
    """Whether Debian's coturn is here."""
    return shutil.which(PROGRAM) is not None


class Coturn:
    """Use as a context manager."""

    def __init__(self, folder: Path, address: str, namespace: str) -> None:
        self.address = address
        self._folder = folder / address
        self._folder.mkdir()
        self._namespace = namespace
        credentials = Authority(folder / "pki").server([address])
        self.ca_file = credentials.ca_file
        self._log = self._folder / "turnserver.log"
        (self._folder / "turnserver.conf").write_text(
            CONFIGURATION.format(
                address=address,
                secret=SECRET,
                certificate=credentials.certificate_file,
                key=credentials.key_file,
                folder=self._folder,
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def udp(self) -> str:
        return f"turn:{self.address}:3478"

    @property
    def tcp(self) -> str:
        return f"turn:{self.address}:3478?transport=tcp"

    @property
    def tls(self) -> str:
        return f"turns:{self.address}:5349"

    def __enter__(self) -> Coturn:
        command = [
            "ip",
            "netns",
            "exec",
            self._namespace,
            PROGRAM,
            "-c",
            str(self._folder / "turnserver.conf"),
        ]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        until = time.monotonic() + START_WITHIN_S
        while b"turn server id=0 created" not in self._log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"coturn did not start:\n{self.log()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process is not None
        self.wake()
        self._process.terminate()
        self._process.wait(10)

    def hold_still(self) -> None:
        """It is there and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def ice_server(*urls: str, expires_in_s: int = 3600) -> IceServer:
    """The servers with credentials that the region has made."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(SECRET)
        file.flush()
        settings = TurnSettings(urls=urls, secret_file=Path(file.name), lifetime_s=LIFETIME_S)
        region = IceConfiguration([], settings)
    [made] = region.servers(datetime.now(UTC) + timedelta(seconds=expires_in_s - LIFETIME_S))
    return IceServer(made.urls, made.username, made.credential)
