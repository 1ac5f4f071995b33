"""Mosquitto (2.0.11 or later) as a child of this process: started, told to read its rules again, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

from provisioning.broker_files import BrokerFiles
from provisioning.pki import Credentials

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
POLL_S = 0.05


class BrokerError(RuntimeError):
    """The broker does not run; the text says why and what to do."""


class Broker:
    """A running Mosquitto, the child of this process."""

    def __init__(
        self, paths: BrokerFiles, server: Credentials, *, port: int, host: str = "127.0.0.1"
    ) -> None:
        self._paths = paths
        self._server = server
        self._address = (host, port)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Start and wait until it speaks TLS; raises BrokerError."""
        host, port = self._address
        _refuse_taken_port(host, port)
        with self._paths.log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_mosquitto(), "-c", str(self._paths.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._speaks_tls():
            if self._process.poll() is not None:
                raise BrokerError(f"Mosquitto stopped at start: {self._last_line()} See {self._paths.log}.")
            if time.monotonic() > deadline:
                self.stop()
                raise BrokerError(f"Mosquitto did not answer on {host}:{port}. See {self._paths.log}.")
            time.sleep(POLL_S)

    def reload(self) -> None:
        """Read the access rules again (SIGHUP)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Stop in order, so that the store is written; by force if it takes too long."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """Stop as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _speaks_tls(self) -> bool:
        # Mosquitto refuses us for want of a client's certificate, but only after it has shown its own.
        context = ssl.create_default_context(cafile=str(self._server.ca_file))
        try:
            with (
                socket.create_connection(self._address, timeout=1) as plain,
                context.wrap_socket(plain, server_hostname="localhost"),
            ):
                return True
        except OSError:
            return False

    def _last_line(self) -> str:
        lines = self._paths.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing."


def find_mosquitto() -> str:
    """Where Mosquitto is; raises BrokerError if it is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerError("Mosquitto is not installed. On Debian: apt-get install mosquitto.")
    return found


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            reason = f"Port {port} on {host} is taken, so that the broker cannot start."
            raise BrokerError(f"{reason} Stop what uses it, or choose another port.") from None
