"""Runs the region: `python -m provisioning.server --settings region.toml`.

One gunicorn worker process with threads, since the meetings that are open live in its memory; the worker
starts the region and stops it. If it dies, gunicorn starts another and the open pages join again.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from pathlib import Path
from threading import Thread
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from agent.journal import start_logging
from provisioning.alive import Alive
from provisioning.database import Database, WrongSchema
from provisioning.database_url import is_postgresql
from provisioning.ice import IceConfiguration
from provisioning.instance import LAST_OWNER_MAY_TAKE_S, Instance
from provisioning.oidc_client import oidc_client
from provisioning.settings import RegionSettings, SettingsError, load_settings
from provisioning.sqlite_lock import AnotherInstance, SqliteLock

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 3
REQUESTS_MAY_TAKE_S = 1
"""At a stop; feeds end at once, and nothing else takes longer."""


class RegionWorker(ThreadWorker):  # type: ignore[misc]
    """Ends the region's feeds as soon as it is told to stop, or they would hold its threads."""

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM."""
        self.cfg.set("graceful_timeout", REQUESTS_MAY_TAKE_S)
        Thread(target=self.app.stop_region, name="stop", daemon=True).start()
        super().handle_exit(sig, frame)


class RegionServer(BaseApplication):  # type: ignore[misc]
    """gunicorn, told by our settings."""

    def __init__(self, settings: RegionSettings) -> None:
        self._settings = settings
        self._instance: Instance | None = None
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn shall do."""
        web = self._settings.web
        options: dict[str, Any] = {
            "bind": f"[{web.host}]:{web.port}" if ":" in web.host else f"{web.host}:{web.port}",
            "workers": 1,
            "worker_class": RegionWorker,
            "threads": web.threads,
            "worker_connections": web.threads * 2,
            "timeout": 30,
            "graceful_timeout": STOP_TIMEOUT_S,
            "keepalive": 5,
            "loglevel": "warning",
            "proc_name": "halsorum-region",
            "worker_exit": _worker_exit,
            "post_worker_init": _ready,
            # Its socket would be one more door.
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401 - a WSGI application
        """Called in the worker process: start the instance, which leads or stands by, and give its pages."""
        self._instance = Instance(self._settings, on_lost=_begin_anew)
        self._instance.start()
        Alive(self._instance.parts, _notify).start()
        return self._instance

    def stop_region(self) -> None:
        """Stop what load() started."""
        if self._instance is not None:
            self._instance.stop()


def _begin_anew() -> None:
    """End this worker at once, without a word to anybody; gunicorn starts another, which stands by."""
    logging.shutdown()
    os._exit(1)


def _ready(_worker: object) -> None:
    log.info("region ready")
    _notify("READY=1")


def _worker_exit(_server: object, worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
    _notify("STOPPING=1")
    worker.app.stop_region()
    logging.shutdown()
    # Threads of requests that are still open would keep the process; everything is stopped by now.
    os._exit(0)


def _notify(state: str) -> None:
    if os.environ.get("NOTIFY_SOCKET"):
        import systemd.daemon

        systemd.daemon.notify(state)


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"The region's pages cannot be served on {host}:{port}: {error.strerror}."
            raise SettingsError(f"{reason} Stop what uses it, or set another web.port.") from None


def _refuse_other_database(url: str) -> None:
    """Here, where it can be said in a line; raises WrongSchema, AnotherInstance.

    A shared one is looked at by the instance that leads: it may be away now, or another release may work with it.
    """
    if is_postgresql(url):
        return
    lock = SqliteLock.take(url, LAST_OWNER_MAY_TAKE_S)
    database = Database(url)
    try:
        database.create(upgrade=True)
    finally:
        database.close()  # no connection goes over to the worker
        if lock is not None:
            lock.release()


def main(arguments: list[str] | None = None) -> None:
    """Read the settings and serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m provisioning.server", description=__doc__)
    parser.add_argument("--settings", type=Path, help="the region's TOML file")
    given = parser.parse_args(arguments)
    try:
        settings = load_settings(given.settings)
        IceConfiguration(settings.ice_servers, settings.turn)
        oidc_client(settings.oidc)
        _refuse_taken_port(settings.web.host, settings.web.port)
        _refuse_other_database(settings.database_url)
    except (SettingsError, WrongSchema, AnotherInstance) as error:
        sys.exit(str(error))
    start_logging(settings.log_level, "%(asctime)s %(levelname)s %(name)s: %(message)s")
    RegionServer(settings).run()


if __name__ == "__main__":
    main()
