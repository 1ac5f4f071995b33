"""The table of all keys says what the model says: no key more or less, and the same defaults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel

from firmware.board import BOARDS_FOLDER, Board
from firmware.board_problems import _models_in

README = (BOARDS_FOLDER / "README.md").read_text("utf-8")
ROWS = {
    key: default.strip()
    for key, default in re.findall(r"^\| `([a-z_.*]+)` \|[^|]*\|([^|]*)\|", README, re.MULTILINE)
}


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        inner = _models_in(field.annotation)
        if name == "hand_camera":
            yield "hand_camera.*", "null"
        elif inner:
            yield from fields(inner[0], f"{prefix}{name}.")
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            yield f"{prefix}{name}", "required" if field.is_required() else json.dumps(default)


def test_every_key_is_in_the_table_and_no_other() -> None:
    assert set(ROWS) == {name for name, _ in fields(Board)}


def test_defaults_are_the_model_s_and_what_is_required_says_so() -> None:
    for name, default in fields(Board):
        told = ROWS[name].strip("`")
        if name == "name":
            continue  # load_board gives it the file's name
        if default == "null":
            assert told == "" or " " in told or told.startswith("PipeWire"), (
                f"{name}: what there is without it"
            )
        else:
            assert told == default.strip('"'), name
