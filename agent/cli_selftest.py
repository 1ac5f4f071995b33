"""`halsorum selftest`: what is wrong with this room, and the one thing to do about it.

While the agent runs it has camera and microphone, so its own last self-test is shown, and how to have another.
Where no agent runs the devices are tried on the spot; what needs the region is named as not tried.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.alive_screen import answers
from agent.config import SettingsError, load_settings
from agent.contract.instructions import FIRST_LANGUAGE, TEXTS, instruction, text, worst_first
from agent.selftest import SelfTest
from agent.selftest_kept import as_json as verdicts_json
from agent.selftest_kept import kept
from agent.verdict import Verdict
from firmware.board import DEFAULT_BOARD, BoardError, load_board

SETTINGS_FILE = Path("/etc/halsorum/unit.toml")
AGENT_WITHIN_S = 2.0
NOT_TRIED_ALONE = {
    "region, names, turn, line": "they need the agent's own connection to the region",
    "clock": "the region has told nobody the time",
    "screen": "the agent serves its pages",
    "usual view": "whether the camera was turned is told by what the agent has learnt",
}
NEXT_BY = (
    "Another one: the button on the touchscreen's staff page, or at the region "
    "`halsorum command send <unit> selftest --wait`."
)


def main(arguments: list[str]) -> int:
    """0 if nothing keeps visits out, 1 if something does, 2 if nothing could be said."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(options.config) if options.config.exists() else None
        board = load_board(settings.board if settings is not None else DEFAULT_BOARD)
    except (BoardError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if settings is not None and answers(settings.web_port, AGENT_WITHIN_S):
        last = kept(settings.run_folder)
        if last is None:
            sys.stderr.write(
                f"The agent runs and has made no self-test yet; look again in a minute. {NEXT_BY}\n"
            )
            return 2
        age_s = max(0.0, time.time() - last.at.timestamp())
        said = f"The agent's own self-test ({last.occasion}), {_age(age_s)} ago. {NEXT_BY}"
        return _show(
            _Answer(board.name, SelfTest(last.verdicts), said, last.at),
            options.language,
            as_json=options.json,
        )
    from agent.selftest_alone import selftest_alone  # late: the media modules take a second

    logging.disable()  # what fails is in the answer
    verdicts = asyncio.run(selftest_alone(board, settings))
    said = (
        "No agent runs here, or none that reads this settings file: the devices were tried by this command."
    )
    answer = _Answer(board.name, SelfTest(verdicts), said, datetime.now(UTC), NOT_TRIED_ALONE)
    return _show(answer, options.language, as_json=options.json)


@dataclass(frozen=True, slots=True)
class _Answer:
    """said: whose self-test this is, in a sentence."""

    board: str
    result: SelfTest
    said: str
    at: datetime
    not_tried: dict[str, str] = field(default_factory=dict)


def _show(answer: _Answer, language: str, *, as_json: bool) -> int:
    result, not_tried = answer.result, answer.not_tried
    first = next(iter((*result.faults, *result.warnings)), None)
    if as_json:
        one = None if first is None else {"key": first, **asdict(text(language, first))}
        print(
            json.dumps(
                {
                    "board": answer.board,
                    "at": answer.at.isoformat(),
                    "ok": not result.faults,
                    "instruction": one,
                    "faults": result.faults,
                    "warnings": result.warnings,
                    "verdicts": verdicts_json(result.verdicts),
                    "not_tried": not_tried,
                },
                ensure_ascii=False,
            )
        )
    else:
        _print(result.verdicts, answer.said, not_tried, language)
    return 1 if result.faults else 0


def _print(verdicts: Sequence[Verdict], said: str, not_tried: dict[str, str], language: str) -> None:
    console = Console(highlight=False)
    console.print(said, markup=False)
    table = Table("probe", "", "figure", "what is wrong, for IT")
    for verdict in verdicts:
        figure = f"{verdict.figure:.6g} {verdict.unit}" if verdict.unit else ""
        table.add_row(*(Text(cell) for cell in (verdict.probe, verdict.level, figure, verdict.reason)))
    console.print(table)
    for key in worst_first(verdict.instruction for verdict in verdicts if verdict.instruction):
        entry, words = instruction(key), text(language, key)
        console.print(f"{entry.level} ({entry.concerns}) {words.fault}. {words.do}", markup=False)
    for probe, why in not_tried.items():
        console.print(f"Not tried: {probe}: {why}.", markup=False)


def _age(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="halsorum", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("selftest",))
    parser.add_argument("--config", type=Path, default=SETTINGS_FILE, help="the unit's settings file")
    languages = sorted(file.stem for file in TEXTS.glob("*.json"))
    parser.add_argument("--language", choices=languages, default=FIRST_LANGUAGE, help="of the instructions")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser
