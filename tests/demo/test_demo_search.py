"""The search finds a canary however it is written, and nothing where it has its place or stands by chance."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.demo.canaries import CLINICIAN, PATIENT, Finding, canaries, search

NAME = PATIENT["patient's name"]
VISIT = canaries("a" * 16, "A17", "123456")


def found_in(folder: Path, content: bytes, name: str = "unit/state/unit.db") -> list[Finding]:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return search({"": folder}, VISIT)


@pytest.mark.parametrize(
    "written",
    [
        NAME.encode(),
        NAME.encode("utf-16-le"),
        NAME.encode("utf-16-be"),
        json.dumps(NAME).encode(),
        f"/?q={quote(NAME)}".encode(),
    ],
)
def test_a_name_is_found_in_every_form(tmp_path: Path, written: bytes) -> None:
    assert found_in(tmp_path, b"\x00\xff" + written) == [Finding("patient's name", "unit/state/unit.db")]


def test_a_code_counts_alone_and_a_ref_as_a_word(tmp_path: Path) -> None:
    assert [found.canary for found in found_in(tmp_path, b'"code":"123456"')] == ["one-time code"]
    assert [found.canary for found in found_in(tmp_path, b'{"ref":"A17"}')] == ["ref"]
    assert not found_in(tmp_path, b"0.123456 1123456 1234567 xA17y")


def test_the_region_may_know_the_session_and_its_staff_but_no_patient(tmp_path: Path) -> None:
    assert not found_in(tmp_path, f"{CLINICIAN} {'a' * 16}".encode(), "region/region.db")
    assert found_in(tmp_path, NAME.encode(), "region/region.db")
