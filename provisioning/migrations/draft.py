"""Writes tables of the models down as they are now, for a migration, which must not change when the models do.

`python -m provisioning.migrations.draft SQLITE_FILE > provisioning/migrations/v4_tables.py`: those that the file,
a database of the release before, does not have.
"""

from __future__ import annotations

import sys

from sqlalchemy import Column, Index, String, Table, UniqueConstraint, create_engine, inspect

from provisioning import database
from provisioning.models import Base, Instant

HEAD = '''"""The tables that schema {version} brings, as they were then. By provisioning.migrations.draft."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from provisioning.models import NAMES

TABLES = MetaData(naming_convention=NAMES)
'''


def draft(tables: list[Table], others: list[Table]) -> str:
    """Python for these tables; of others, to which they refer, only the key."""
    lines = [HEAD.format(version=database.SCHEMA_VERSION)]
    for table in others:
        (key,) = table.primary_key.columns
        lines.append(f"Table({table.name!r}, TABLES, {_column(key)})")
    for table in tables:
        parts = [_column(column) for column in table.columns]
        parts += [_constraint(each) for each in table.constraints if isinstance(each, UniqueConstraint)]
        lines.append(f"Table({table.name!r}, TABLES, {', '.join(parts)})")
        lines += [_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    new = ", ".join(repr(table.name) for table in tables)
    lines.append(f"NEW = tuple(TABLES.tables[name] for name in ({new},))")
    return "\n".join(lines) + "\n"


def _column(column: Column[object]) -> str:
    kind = column.type
    if isinstance(kind, Instant):
        named = "DateTime(timezone=True)"
    elif isinstance(kind, String):
        named = f"String({kind.length or ''})"
    else:
        named = f"{type(kind).__name__}()"
    parts = [
        repr(column.name),
        named,
        *(f"ForeignKey({key.target_fullname!r})" for key in column.foreign_keys),
    ]
    if column.primary_key:
        parts.append("primary_key=True")
        if column.autoincrement is False:
            parts.append("autoincrement=False")
    else:
        parts.append(f"nullable={column.nullable}")
    return f"Column({', '.join(parts)})"


def _constraint(constraint: UniqueConstraint) -> str:
    return f"UniqueConstraint({', '.join(repr(column.name) for column in constraint.columns)})"


def _index(index: Index) -> str:
    assert index.table is not None
    columns = ", ".join(f"TABLES.tables[{index.table.name!r}].c[{column.name!r}]" for column in index.columns)
    unique = ", unique=True" if index.unique else ""
    for dialect in ("sqlite", "postgresql"):
        where = index.dialect_options[dialect]["where"]
        unique += f", {dialect}_where=text({str(where)!r})" if where is not None else ""
    return f"Index({index.name!r}, {columns}{unique})"


def main() -> None:
    """Print it; ruff format lays it out."""
    engine = create_engine(f"sqlite:///{sys.argv[1]}")
    known = set(inspect(engine).get_table_names())
    tables = [table for table in Base.metadata.sorted_tables if table.name not in known]
    named = {key.column.table.name for table in tables for key in table.foreign_keys}
    others = [Base.metadata.tables[name] for name in sorted(named & known)]
    sys.stdout.write(draft(tables, others))


if __name__ == "__main__":
    main()
