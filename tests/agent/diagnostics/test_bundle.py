"""A bundle holds what could be collected, masked; one that cannot be made clean is refused."""

import asyncio
import io
import json
import tarfile
import threading
from datetime import UTC, datetime

import pytest

from agent.diagnostics import bundle
from agent.diagnostics.bundle import NotClean, pack
from agent.diagnostics.parts import PART_BYTES_MAX, Part, collect
from agent.diagnostics.personal import Scanner

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def opened(made):
    with tarfile.open(fileobj=io.BytesIO(made.data), mode="r:gz") as tar:
        return {member.name.split("/")[1]: tar.extractfile(member).read().decode() for member in tar}


def test_parts_that_fail_hang_or_overflow_are_noted_and_the_others_are_there():
    release = threading.Event()

    def fails():
        raise KeyError("Kanarie")

    collectors = {
        "a.json": lambda: {"name": "å"},
        "fails.txt": fails,
        "hangs.txt": lambda: release.wait(30),
        "long.txt": lambda: "x" * PART_BYTES_MAX + "the end",
    }
    parts = {part.name: part for part in asyncio.run(collect(collectors, timeout_s=0.2))}
    release.set()
    assert parts["a.json"] == Part("a.json", '{\n "name": "å"\n}')
    assert parts["fails.txt"].fault.startswith("KeyError at ")
    assert "Kanarie" not in str(parts)
    assert "longer than" in parts["hangs.txt"].fault
    assert parts["long.txt"].text.endswith("the end")
    assert len(parts["long.txt"].text) < PART_BYTES_MAX


def test_what_is_packed_is_masked_and_counted():
    made = pack([Part("a.txt", "for Åsa, 811218-9876"), Part("b.txt", "", "no")], Scanner(["Åsa"]), AT)
    files = opened(made)
    assert files["a.txt"] == "for [person], [personnummer]"
    about = json.loads(files["about.json"])
    assert about["masked"] == {"person": 1, "personnummer": 1}
    assert about["faults"] == {"b.txt": "no"}
    assert made.faults == ("b.txt",)


def test_a_bundle_that_cannot_be_made_clean_is_refused():
    class Blind(Scanner):
        def mask(self, text):
            return text, super().mask(text)[1]

    with pytest.raises(NotClean, match=r"a\.txt"):
        pack([Part("a.txt", "811218-9876")], Blind(), AT)


def test_a_bundle_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(bundle, "BUNDLE_BYTES_MAX", 10)
    with pytest.raises(ValueError, match="larger"):
        pack([Part("a.txt", "x")], Scanner(), AT)
