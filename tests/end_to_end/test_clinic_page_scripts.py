"""The meeting page's pure parts, run by the browser they are written for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web" / "clinic")]

from clinic_fakes import FakeRegion
from meeting_pages import served

from tests.system.chromium import CHROMIUM, QUIET

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with served(FakeRegion()) as url, sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET]).new_page()
        made.goto(f"{url}/visit")
        yield made


def _run(page: Page, module: str, code: str, argument: Any = None) -> Any:
    script = f"async (given) => {{ const m = await import('/static/{module}.js'); {code} }}"
    return page.evaluate(script, argument)


def test_a_zoom_stays_on_the_sensor_and_keeps_its_shape(page: Page) -> None:
    corner = {"x": 0.9, "y": 0.95, "width": 0.3, "height": 0.1}
    assert _run(page, "zoom", "return m.tidy(given)", corner) == {
        "x": 0.7,
        "y": 0.7,
        "width": 0.3,
        "height": 0.3,
    }
    assert _run(page, "zoom", "return m.step(m.step(null, 1), -1)") is None
    deepest = _run(page, "zoom", "let z = null; for (let i = 0; i < 20; i += 1) z = m.step(z, 1); return z")
    assert deepest["width"] == 0.1
    left = _run(page, "zoom", "return m.pan({ x: 0.1, y: 0.5, width: 0.4, height: 0.4 }, -1, 0)")
    assert left == {"x": 0, "y": 0.5, "width": 0.4, "height": 0.4}


def test_silence_is_told_after_ten_seconds_unless_muted_or_once_heard(page: Page) -> None:
    code = "const w = new m.SilenceWatch(); return given.map((one) => w.judge(...one))"
    assert _run(page, "watch", code, [[0, 0, True], [9000, 0, True], [10_500, 0, True]]) == [
        False,
        False,
        True,
    ]
    assert _run(page, "watch", code, [[0, 0, True], [9000, 0, False], [12_000, 0, True]]) == [False] * 3
    assert _run(page, "watch", code, [[0, 0.1, True], [20_000, 0.1, True]]) == [False, False]


def test_only_who_may_may_show_and_steer(page: Page) -> None:
    code = """
      const people = new m.People(false);
      const parties = given.map(([peer, role]) => ({ peer, role, here: true, sees: true }));
      const told = (you, on) => {
        people.update({ you, chair: "anna", parties, lobby: [], sharing: { on, organisations: [] }, held: false });
        return [people.iLead, people.iMayShow, people.iMayLook];
      };
      return [told("anna", false), told("tolk", false), told("tolk", true), told("erik", false)];
    """
    parties = [["anna", "clinician"], ["tolk", "interpreter"], ["erik", "specialist"]]
    assert _run(page, "people", code, parties) == [
        [True, True, True],
        [False, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_what_others_say_of_themselves_is_cut_and_tidied(page: Page) -> None:
    people = [{"id": "1", "name": "x" * 200, "role": 7}, {"name": "without id"}, None, "text"]
    told = _run(page, "people", "return m.tidyBeside(given)", people)
    assert told == [{"id": "1", "role": "", "name": "x" * 80, "organisation": ""}]
    assert _run(page, "people", "return m.tidyBeside(given)", "no list") == []


@pytest.mark.parametrize(
    "head",
    [
        {"mime": "text/html", "bytes": 3, "sha256": "0" * 64},
        {"mime": "image/jpeg", "bytes": 10**9, "sha256": "0" * 64},
        {"mime": "image/jpeg", "bytes": 3, "sha256": "short"},
    ],
)
def test_a_still_with_a_head_that_cannot_be_is_not_received(page: Page, head: dict[str, Any]) -> None:
    assert _run(page, "still_receiver", "return new m.StillReceiver().begin(given)", head) is False


def test_a_still_of_another_size_than_was_said_is_refused(page: Page) -> None:
    code = """
      const receiver = new m.StillReceiver();
      receiver.begin({ id: "1", mime: "image/jpeg", width: 1, height: 1, bytes: 3, sha256: "0".repeat(64) });
      const first = await receiver.add(new Uint8Array(2).buffer);
      const second = await receiver.add(new Uint8Array(2).buffer).catch((error) => error.message);
      return [first, second, receiver.waiting];
    """
    assert _run(page, "still_receiver", code) == [None, "a still of another size than was said", False]
