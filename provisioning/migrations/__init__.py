"""From an earlier release's database to this one's, by Alembic: `Database.create(upgrade=True)` runs it.

Alembic's revisions are the schema versions themselves ("2", "3", "4"). A new database is made from the models and
marked as the newest; a test compares what the migrations make with the models.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

# Alembic is loaded where it is needed: the command line, which needs it once in a life, is to start at once.
if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "alembic_version"
OLDEST = "2"
"""Of release 0.3.0; what was made before it is not brought up."""


def upgrade(connection: Connection, version: str) -> None:
    """Bring a database of this version up to the newest, in the connection's transaction."""
    from alembic import command

    config = _config(connection)
    command.stamp(config, version, purge=True)
    command.upgrade(config, "head")


def mark_newest(connection: Connection) -> None:
    """A database just made from the models has nothing to catch up on."""
    from alembic import command

    command.stamp(_config(connection), "head", purge=True)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
