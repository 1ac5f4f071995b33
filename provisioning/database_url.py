"""How the region connects to its database, by URL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, make_url

BUSY_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 3
UNSENT_AT_MOST_S = 5
"""A PostgreSQL that has vanished is given up after this (TCP_USER_TIMEOUT, RFC 5482)."""
IDLE_IN_TRANSACTION_S = 5
"""PostgreSQL ends the session of an instance that was stopped in the middle of a transaction."""


def driver_url(url: str) -> URL:
    """The URL with our driver: `postgresql://` and `postgres://` mean psycopg 3."""
    made = make_url(url.replace("postgres://", "postgresql://", 1))
    return made.set(drivername="postgresql+psycopg") if made.drivername == "postgresql" else made


def is_postgresql(url: str) -> bool:
    """Whether two instances of the region can share it."""
    return driver_url(url).get_backend_name() == "postgresql"


def connect_options(url: str, *, statement_timeout_s: float = 30.0) -> dict[str, Any]:
    """What the driver is told."""
    if not is_postgresql(url):
        return {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    told = {
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_S,
        "statement_timeout": statement_timeout_s,
    }
    options = " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in told.items())
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": UNSENT_AT_MOST_S * 1000,
        "options": f"{options} -c timezone=UTC",
        "application_name": "halsorum-region",
    }
