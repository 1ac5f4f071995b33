"""Alembic's entrance: the connection is given by provisioning.migrations, in a transaction of its own."""

from __future__ import annotations

from alembic import context

# Not in batch mode by default: SQLite would then copy tables that only get a column.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
