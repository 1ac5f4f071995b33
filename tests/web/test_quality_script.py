"""From a browser's counters (W3C webrtc-stats) to figures that the contract takes, by the pages' own script."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

from agent.contract.quality import Received, Sent

SCRIPT = Path(__file__).parents[2] / "web" / "shared" / "quality.js"
RUN = """
const [file, reports] = JSON.parse(process.argv[1]);
const source = require("fs").readFileSync(file, "utf8");
import("data:text/javascript," + encodeURIComponent(source)).then(({ QualityWatch }) => {
  const watch = new QualityWatch();
  const told = reports.map(([at, stats]) => watch.reading(new Map(stats.map((one) => [one.id, one])), at));
  console.log(JSON.stringify(told));
});
"""


def readings(*reports: tuple[float, list[dict[str, Any]]]) -> list[dict[str, Any] | None]:
    """What QualityWatch makes of reports at these milliseconds; run by the node that playwright brings."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "driver" / "node"
    asked = json.dumps([str(SCRIPT), reports])
    done = subprocess.run([node, "-e", RUN, asked], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def stats(times: int, **video: Any) -> list[dict[str, Any]]:
    """The counters of a call after so many intervals of five seconds."""
    counted = {
        "iv": {
            "bytesReceived": 400_000,
            "packetsReceived": 400,
            "packetsLost": 3,
            "framesDecoded": 125,
            "freezeCount": 1,
            "totalFreezesDuration": 0.5,
            "jitterBufferDelay": 6.0,
            "jitterBufferEmittedCount": 125,
            "nackCount": 4,
        },
        "ia": {
            "bytesReceived": 25_000,
            "packetsReceived": 250,
            "concealedSamples": 480,
            "totalSamplesReceived": 240_000,
        },
        "ov": {"bytesSent": 625_000, "framesEncoded": 150, "totalEncodeTime": 0.9},
        "oa": {"bytesSent": 20_000},
    }
    grown = {
        name: {key: value * times for key, value in counters.items()} for name, counters in counted.items()
    }
    codec = {"encoderImplementation": "SimulcastEncoderAdapter (libvpx, libvpx)"}
    pair = {"nominated": True, "state": "succeeded", "currentRoundTripTime": 0.048}
    return [
        {
            "id": "iv",
            "type": "inbound-rtp",
            "kind": "video",
            "jitter": 0.004,
            "frameWidth": 640,
            "frameHeight": 360,
        }
        | grown["iv"]
        | video,
        {"id": "ia", "type": "inbound-rtp", "kind": "audio", "jitter": 0.006} | grown["ia"],
        {"id": "ov", "type": "outbound-rtp", "kind": "video", "qualityLimitationReason": "bandwidth"}
        | codec
        | grown["ov"],
        {"id": "oa", "type": "outbound-rtp", "kind": "audio"} | grown["oa"],
        {"id": "rv", "type": "remote-inbound-rtp", "kind": "video", "fractionLost": 0.02},
        {"id": "cp", "type": "candidate-pair", "availableOutgoingBitrate": 1_100_000} | pair,
    ]


def test_figures_are_those_of_the_interval_and_fit_the_contract() -> None:
    first, second = readings((0, stats(7)), (5000, stats(8)))
    assert first is None
    assert second is not None and second["interval_s"] == 5
    seen, sent = Received.model_validate(second["received"]), Sent.model_validate(second["sent"])
    assert (seen.bit_rate, seen.lost, seen.jitter_ms) == (680_000, 0.0046, 6)
    assert (seen.frame_rate, seen.freezes, seen.frozen_s, seen.buffer_ms) == (25, 1, 0.5, 48)
    assert (seen.concealed, seen.width, seen.nacks) == (0.002, 640, 4)
    assert (sent.bit_rate, sent.estimate, sent.frame_rate) == (1_032_000, 1_100_000, 30)
    assert (sent.encoder, sent.encode_ms, sent.limited) == ("libvpx", 6, "bandwidth")
    assert (sent.round_trip_ms, sent.lost) == (48, 0.02)


def test_absurd_counters_stay_within_the_contract() -> None:
    absurd = stats(2, framesDecoded=1e12, totalFreezesDuration=1e9, packetsLost=-1e9, jitter=1e9)
    for told in readings((0, stats(1)), (10, absurd), (20, stats(1)))[1:]:
        assert told is not None
        Received.model_validate(told["received"])
        Sent.model_validate(told["sent"])


def test_without_media_nothing_is_told_of_it() -> None:
    told = readings((0, []), (5000, []))[1]
    assert told is not None
    assert (told["received"], told["sent"]) == (None, None)
    assert readings((0, []), (0, [])) == [None, None]
