"""What the database says about who may come in, carried to the broker: its access rules, and SIGHUP."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.broker_files import Access, bootstrap_rules, main_rules, replace
from provisioning.database import Database
from provisioning.fleet_models import Bootstrap, Revocation
from provisioning.settings import BrokerSettings

log = logging.getLogger(__name__)

RELOAD_WITHIN_S = 10
LOOK_EVERY_S = 1.0
MOSQUITTO = "mosquitto"
DENIED = ("used", "blocked")
"""States of a bootstrap that may say and hear nothing."""


def wanted(db: Session) -> Access:
    """Whom the broker is to give nothing."""
    return Access(
        revoked=frozenset(db.scalars(select(Revocation.unit_id))),
        bootstraps=frozenset(db.scalars(select(Bootstrap.serial).where(Bootstrap.state.in_(DENIED)))),
    )


class BrokerAccess:
    """Used by the region's worker thread only.

    Each instance of the region compares with what it itself has made the broker read: a signal too many does no
    harm, and one that a killed instance never sent is sent by the next.
    """

    def __init__(self, database: Database, settings: BrokerSettings) -> None:
        self._database = database
        self._settings = settings
        self._applied: tuple[str, str] | None = None
        self._looked_at_s = 0.0

    def tick(self) -> None:
        """Look once a second: the instance that works off a decision need not be the one beside the broker."""
        now_s = time.monotonic()
        if now_s - self._looked_at_s >= LOOK_EVERY_S:
            self._looked_at_s = now_s
            self.apply()

    def apply(self) -> None:
        """Write the rules and let the broker read them, if they are others than it was told.

        A failure is logged and tried again at the next call.
        """
        settings = self._settings
        if settings.acl_file is None:
            return
        with self._database.read() as db:
            access = wanted(db)
        rules = main_rules(settings.regions or (settings.name,), access.revoked)
        both = rules, bootstrap_rules(access.bootstraps)
        if both == self._applied:
            return
        try:
            replace(settings.acl_file, both[0])
            if settings.bootstrap_acl_file is not None:
                replace(settings.bootstrap_acl_file, both[1])
            self._reload()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            log.error("the broker's access rules are not in force: %s", _what(error))  # noqa: TRY400
            return
        self._applied = both
        log.info(
            "the broker's access rules: %d units and %d bootstraps denied",
            len(access.revoked),
            len(access.bootstraps),
        )

    def _reload(self) -> None:
        if self._settings.reload_command:
            subprocess.run(
                self._settings.reload_command, check=True, timeout=RELOAD_WITHIN_S, capture_output=True
            )
        elif self._settings.pid_file is not None:
            _hang_up(self._settings.pid_file)


def _hang_up(pid_file: Path) -> None:
    pid = int(pid_file.read_text())
    # A file that a killed broker left may name whoever has that number now, and SIGHUP ends most programs.
    if Path(f"/proc/{pid}/comm").read_text().strip() != MOSQUITTO:
        raise ProcessLookupError(errno.ESRCH, "is not the broker's", str(pid_file))
    os.kill(pid, signal.SIGHUP)


def _what(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
    return type(error).__name__
