"""A call that opens while the microphone gives nothing: picture at once, told, and sound when it is there.

The unit is the real one with a broker and a region that are played here; PipeWire's program is a stand-in.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.media import capture, microphone
from tests.end_to_end.test_meeting_media import Visit, needs_chromium, play, until

pytestmark = pytest.mark.end_to_end

RECORDER = """#!{python}
import math, pathlib, struct, sys, time
while not pathlib.Path({there!r}).exists():
    time.sleep(0.05)
tone = struct.pack('<960h', *(int(9000 * math.sin(2 * math.pi * 440 * n / 48000)) for n in range(960)))
due = time.monotonic()
while True:
    sys.stdout.buffer.write(tone); sys.stdout.buffer.flush()
    due += 0.02
    time.sleep(max(0.0, due - time.monotonic()))
"""
SOUND = "stats().then(all => all['inbound-rtp audio'] || {})"
SPOKEN_ENERGY = 0.001


@needs_chromium
def test_a_microphone_that_gives_nothing_at_the_open_costs_no_picture_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, recorder = tmp_path / "there", tmp_path / "pw-record"
    recorder.write_text(RECORDER.format(python=sys.executable, there=str(there)))
    recorder.chmod(0o755)
    monkeypatch.setattr(microphone, "FIRST_SOUND_S", 1.0)
    monkeypatch.setattr(
        capture, "make_microphone", lambda *_: microphone.PipeWireMicrophone(None, str(recorder))
    )

    async def check(visit: Visit, doctor: Any) -> None:
        unit, calls = visit.house.unit, visit.running.calls

        async def noted(devices: set[str]) -> None:
            while set(unit.notes) != devices:
                calls.tick()
                await asyncio.sleep(0.05)

        await noted({"microphone"})
        since = visit.house.kinds().index("checked_in")
        assert visit.house.kinds()[since:].count("session_degraded") == 1
        assert not calls.failed
        await doctor.evaluate("v.muted = false")  # what nobody plays is not measured
        before = await doctor.evaluate(SOUND)
        await until(doctor, f"{SOUND}.then(now => now.packetsReceived > {before['packetsReceived'] + 50})")
        silent = await doctor.evaluate(SOUND)
        there.touch()
        await noted(set())
        await until(doctor, f"{SOUND}.then(now => now.totalAudioEnergy > {SPOKEN_ENERGY})")
        after = await doctor.evaluate(SOUND)
        print(json.dumps({"silent": silent["totalAudioEnergy"], "sound": after["totalAudioEnergy"]}))
        assert silent["totalAudioEnergy"] < SPOKEN_ENERGY / 10
        assert after["ssrc"] == before["ssrc"]  # the same stream, and no new connection

    play(tmp_path, check)
