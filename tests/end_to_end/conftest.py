"""A whole system and its people, shared by the tests of one file: each test books a session of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.people import Browsers, Office, Screen
from tests.system.stack import Stack
from tests.system.visit import all_kinds, pulsed_tone, wait_until_ready

ROOM_TONE_HZ = 1000
OFFICE_TONE_HZ = 700


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, region and unit, as `make run` starts them."""
    made = Stack(tmp_path_factory.mktemp("system"), ["--tone-hz", str(ROOM_TONE_HZ)])
    try:
        with made:
            yield made
    finally:
        for part in ("region", "unit"):
            print(f"--- {part}\n{made.log(part)[-8000:]}")
        if made.process is not None:
            print([line for line in all_kinds(made) if line[0] in {"selftest", "session_degraded"}])


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A system for one test alone, which searches it afterwards or fills it with people."""
    with Stack(tmp_path / "state") as running:
        yield running


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    """The room's browser and the office's, whose microphone hears a known tone."""
    folder = tmp_path_factory.mktemp("browsers")
    sound = pulsed_tone(folder / "office.wav", OFFICE_TONE_HZ)
    with Browsers(folder / "profile", sound=sound) as made:
        yield made


@pytest.fixture(scope="module")
def screen(browsers: Browsers, stack: Stack) -> Screen:
    """The touchscreen, once the room has shown itself well: one that its first self-test found wrong, as on a
    machine that has much else to do, lets nobody in until the next."""
    wait_until_ready(stack)
    return Screen.open(browsers, stack)


@pytest.fixture(scope="module")
def clinician(browsers: Browsers, stack: Stack) -> Office:
    """The clinician, signed in."""
    return Office.open(browsers, stack)
