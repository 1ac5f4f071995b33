"""The page's reader agrees with the unit's, pixel for pixel, where node is there to run it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.media.clock_pattern import draw_clock, read_clock
from agent.media.pixels import blank, planes

READER = Path(__file__).parent / "clock_pattern.js"
SCRIPT = """
const {width, height, strips} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(strips.map(line => {
  const rows = Math.ceil(height / 18), data = new Uint8ClampedArray(width * rows * 4);
  for (let i = 0; i < width * rows; i += 1) data.fill((line[i % width] - 16) * 255 / 219, i * 4, i * 4 + 3);
  return readClock({width, height: rows, data}, height);
}).concat([clockAge(16777206, 5), clockAge(5, 16777211)])));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_reads_what_the_unit_drew() -> None:
    values = [0, 1, 0xFFFFFF, 0xABCDEF, 1_763_776_543_210]
    strips, expected = [], []
    for value in values:
        frame = blank(640, 360)
        draw_clock(*planes(frame), unix_ms=value)
        strips.append(planes(frame)[0][3].tolist())
        expected.append(read_clock(planes(frame)[0]))
    strips.append([128] * 640)
    given = json.dumps({"width": 640, "height": 360, "strips": strips})
    script = READER.read_text("utf-8") + SCRIPT
    done = subprocess.run(["node", "-e", script], input=given, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [*expected, None, 15, -10]
