"""What was tried and what came of it: rows, their table, their JSON. Pure but for printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

MAX_SEEN = 400


@dataclass(frozen=True)
class Row:
    """One trial."""

    scene: str
    did: str
    expected: str
    seen: str
    seconds: float
    ok: bool


def why(error: BaseException) -> str:
    """An exception as a sentence that fits a table's cell; the whole of it is kept beside."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_SEEN else f"{text[:MAX_SEEN]} …"


def as_json(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """All of it for a file; `ok` when every trial went as expected and there was one."""
    return {"ok": is_ok(rows), **about, "rows": [asdict(row) for row in rows]}


def is_ok(rows: Sequence[Row]) -> bool:
    """Whether every trial went as expected; no trial at all is none that did."""
    return bool(rows) and all(row.ok for row in rows)


def print_table(rows: Sequence[Row], console: Console) -> None:
    """For the person at the terminal."""
    table = Table(title="The laboratory", show_lines=True)
    for name, more in (
        ("scene", {}),
        ("what was done", {}),
        ("expected", {}),
        ("seen", {"overflow": "fold"}),
        ("s", {"justify": "right"}),
        ("", {}),
    ):
        table.add_column(name, **more)  # type: ignore[arg-type]
    for row in rows:
        verdict = "ok" if row.ok else "FAILED"
        table.add_row(row.scene, row.did, row.expected, row.seen, f"{row.seconds:.0f}", verdict)
    console.print(table, markup=False)
