"""Whether our own microphone is heard, and whose picture stands still, by the pages' own scripts."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

WEB = Path(__file__).parents[2] / "web"
OWN = WEB / "clinic" / "static" / "own_sound.js"
STALLED = WEB / "room" / "static" / "stalled.js"
ON = {"track": "one", "on": True, "talks": False}
OFF = {"track": "one", "on": False, "talks": False}
LOOK_MS = 250
RUN = """
const [file, body, asked] = JSON.parse(process.argv[1]);
const source = require("fs").readFileSync(file, "utf8");
import("data:text/javascript," + encodeURIComponent(source)).then((module) => {
  console.log(JSON.stringify(new Function("module", "asked", body)(module, asked)));
});
"""
JUDGE = """
const own = new module.OwnSound();
return asked.map(([at, how]) => own.judge(at, how));
"""
STILL = "return module.standingStill(new Map(asked[0]), new Map(asked[1]));"


def run(script: Path, body: str, asked: object) -> Any:
    """By the node that playwright brings."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "driver" / "node"
    told = json.dumps([str(script), body, asked])
    done = subprocess.run([node, "-e", RUN, told], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def said(*stretches: tuple[float, dict[str, Any], bool]) -> list[set[str]]:
    """What is said in each stretch: seconds, how it is, whether sound comes."""
    looks, ends, at, energy = [], [], 0, 1.0
    for seconds, how, sounds in stretches:
        for _ in range(int(seconds * 1000 / LOOK_MS)):
            at += LOOK_MS
            energy += 0.001 if sounds else 0.0
            looks.append((at, {**how, "energy": energy}))
        ends.append(len(looks))
    told = run(OWN, JUDGE, looks)
    return [set(told[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def test_a_microphone_that_falls_silent_is_told_within_five_seconds_and_taken_back() -> None:
    assert said((10, ON, True), (2.5, ON, False), (0.5, ON, False)) == [{""}, {""}, {"own_silent"}]
    assert said((5, ON, False), (1.5, ON, True), (3, ON, True))[1:] == [{"own_silent"}, {""}]


def test_one_that_spoke_again_is_not_told_for_two_minutes_and_then_waited_for_longer() -> None:
    told = said(
        (5, ON, False), (5, ON, True), (60, ON, False), (60, ON, True), (10, ON, False), (5, ON, False)
    )
    assert told[2:] == [{""}, {""}, {""}, {"own_silent"}]


def test_another_microphone_and_one_that_is_turned_off_are_judged_anew() -> None:
    assert said((5, ON, False), (2, ON | {"track": "two"}, False))[1] == {""}
    assert said((5, ON, False), (9, OFF, False)) == [{"", "own_silent"}, {""}]
    assert said((9, OFF | {"track": None}, False)) == [{""}]


def test_a_voice_at_a_closed_microphone_is_told() -> None:
    talks = OFF | {"talks": True}
    assert said((9, OFF, False), (4, talks, False), (5, ON, True)) == [{""}, {"", "own_muted"}, {""}]


def test_a_browser_that_does_not_say_is_believed() -> None:
    assert set(run(OWN, JUDGE, [(at, ON | {"energy": None}) for at in range(0, 20_000, 250)])) == {""}


def test_a_picture_stands_still_when_it_has_moved_and_does_not() -> None:
    before, now = [["a", 30], ["b", 30], ["c", 0]], [["a", 30], ["b", 55], ["c", 0], ["d", 4]]
    assert run(STALLED, STILL, [before, now]) == ["a"]
