"""A PostgreSQL of our own, in a folder and on a port of its own; gone afterwards. Debian's package: postgresql."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.system.stack import free_port

START_WITHIN_S = 30.0
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 60
"""


def programs() -> Path | None:
    """Where initdb and postgres are; None where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@dataclass
class PostgreSql:
    """One server. `url` is of a database that every test empties for itself."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """An empty one; its URL."""
        with self.connect() as db:
            db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type]
            db.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
        return self.url(name)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Outside of any transaction."""
        return psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/{database}", autocommit=True)

    def start(self) -> None:
        """Start, and return when it answers."""
        where = programs()
        assert where is not None
        command = [str(where / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "postgresql.log").open("ab") as log:
            self.process = subprocess.Popen([*_as_owner(), *command], stdout=log, stderr=log)
        until = time.monotonic() + START_WITHIN_S
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "postgresql.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)

    def stop(self) -> None:
        """At once; open sessions are broken off."""
        pid_file = self.folder / "data" / "postmaster.pid"
        if self.process is not None and pid_file.exists():
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        if self.process is not None:
            self.process.wait(START_WITHIN_S)
            self.process = None


@contextmanager
def postgresql(port: int | None = None) -> Iterator[PostgreSql]:
    """Made, started, stopped and removed."""
    where = programs()
    assert where is not None, "PostgreSQL is not installed. On Debian: apt-get install postgresql."
    folder = Path(tempfile.mkdtemp(prefix="halsorum-postgresql-"))
    if os.geteuid() == 0:  # its server refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = PostgreSql(folder, port or free_port())
    try:
        made = [str(where / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*_as_owner(), *made, "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _as_owner() -> list[str]:
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
