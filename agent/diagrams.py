"""The README's state diagrams, drawn from the machines' tables.

`python -m agent.diagrams README.md` draws them anew, and with `--check` says whether they are stale. Each
stands between two marks, `<!-- session diagram -->` or `<!-- room diagram -->`, and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from agent import room, session


class _Rule(Protocol):
    @property
    def source(self) -> Iterable[str]: ...
    @property
    def event(self) -> type: ...
    @property
    def target(self) -> str | None: ...
    @property
    def when(self) -> str: ...


def mermaid(rules: Iterable[_Rule], first: str, last: Iterable[str] = ()) -> str:
    """A Mermaid state diagram of the rules that lead from one state to another."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        if rule.target is None:
            continue
        for source in sorted(rule.source):
            labels = arrows.setdefault((str(source), str(rule.target)), [])
            label = _label(rule)
            if source != rule.target and label not in labels:
                labels.append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for (source, target), labels in arrows.items():
        if labels:
            lines.append(f"    {source} --> {target}: {', '.join(labels)}")
    lines += [f"    {state} --> [*]" for state in last]
    return "\n".join(lines)


def draw(text: str) -> str:
    """The text with each diagram between its marks made anew. Raises ValueError when a mark is missing."""
    diagrams = {
        "session": mermaid(session.RULES, session.State.BOOKED, [session.State.WIPED]),
        "room": mermaid(room.RULES, room.State.IDLE),
    }
    for name, diagram in diagrams.items():
        block = re.compile(rf"(<!-- {name} diagram -->\n).*?(<!-- end -->)", re.DOTALL)
        if not block.search(text):
            raise ValueError(f"the marks <!-- {name} diagram --> and <!-- end --> are missing; put them in")
        text = block.sub(partial(_between, diagram), text, count=1)
    return text


def _between(diagram: str, found: re.Match[str]) -> str:
    return f"{found[1]}```mermaid\n{diagram}\n```\n{found[2]}"


def _label(rule: _Rule) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", rule.event.__name__).lower()
    return f"{words} ({rule.when})" if rule.when else words


def main() -> int:
    """Rewrite a file's diagrams, or with --check only say whether they are as the tables are."""
    parser = argparse.ArgumentParser(prog="python -m agent.diagrams")
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the file is stale")
    arguments = parser.parse_args()
    before = arguments.file.read_text("utf-8")
    try:
        after = draw(before)
    except ValueError as error:
        sys.stderr.write(f"{arguments.file}: {error}.\n")
        return 2
    if arguments.check and after != before:
        sys.stderr.write(f"{arguments.file} is stale: run python -m agent.diagrams {arguments.file}\n")
        return 1
    if after != before:
        arguments.file.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
