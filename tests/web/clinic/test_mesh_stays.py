"""Whom a meeting page lets go of, as the region's list changes: its own script, with connections that obey."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "web" / "clinic" / "static"
RUN = """
const [scripts, steps] = JSON.parse(process.argv[1]);
let stats = 0, made = [];
class Stream { addTrack() {} }
class Connection {
  connectionState = "new"; signalingState = "stable"; localDescription = { sdp: "v=0" };
  constructor() { made.push(this); }
  createDataChannel() { return (this.channel = { readyState: "open", send() {} }); }
  addTransceiver() { return { sender: { track: null, async replaceTrack() {}, getParameters: () => ({}) } }; }
  getTransceivers() { return []; }
  async setLocalDescription() { this.signalingState = "have-local-offer"; }
  async setRemoteDescription() {
    this.signalingState = "stable"; this.connectionState = "connected"; this.onconnectionstatechange?.();
  }
  async getStats() { return new Map([["i", { type: "inbound-rtp", kind: "audio", bytesReceived: ++stats }]]); }
  close() { this.connectionState = "closed"; }
}
Object.assign(globalThis, { MediaStream: Stream, RTCPeerConnection: Connection });
import(scripts + "/mesh.js").then(async ({ Mesh }) => {
  let sent = [];
  const tile = { makePicture: () => null, line() {}, far() {}, shown() {}, silent() {}, remove() {} };
  const mesh = new Mesh(async (message) => { sent.push(message); return { ok: true }; },
    { audio: null, video: null }, () => tile, { message() {} });
  const turn = () => new Promise((done) => setTimeout(done, 5));
  const doing = {
    list: (...others) =>
      mesh.update("a", [["a", true], ...others].map(([peer, here]) => ({ peer, here, sees: true }))),
    answers: () => {
      const { attempt } = sent.findLast(({ kind }) => kind === "offer");
      mesh.hear({ from: "b", kind: "answer", attempt });
    },
    leaves: () => made.at(-1).channel.onclose(),
    heard: () => mesh.signalling(),
  };
  const told = [];
  for (const [what, ...given] of steps) {
    doing[what](...given);
    await turn();
    told.push(mesh.tile("b") !== undefined);
  }
  mesh.close();
  console.log(JSON.stringify(told));
});
"""
HERE, AWAY = ["b", True], ["b", False]
CONNECTED = [["list", HERE], ["answers"]]


def has(*steps: list[object]) -> list[bool]:
    """After each step, whether the page still has its connection to b."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "driver" / "node"
    asked = json.dumps([SCRIPTS.as_uri(), [*CONNECTED, *steps]])
    done = subprocess.run(
        [node, "--no-warnings", "-e", RUN, asked], capture_output=True, text=True, check=True
    )
    told: list[bool] = json.loads(done.stdout)
    return told[len(CONNECTED) :]


def test_whose_line_to_the_region_breaks_is_still_heard() -> None:
    assert has(["list", AWAY], ["list", HERE]) == [True, True]


def test_whose_page_closes_is_let_go_of_when_the_region_says_so_in_either_order() -> None:
    assert has(["list", AWAY], ["leaves"]) == [True, False]
    assert has(["leaves"], ["list", AWAY]) == [True, False]


def test_who_is_removed_goes_at_once() -> None:
    assert has(["list"]) == [False]


def test_a_region_that_starts_anew_breaks_nothing_but_may_remove_as_ever() -> None:
    assert has(["heard"], ["list"], ["list", HERE], ["list"]) == [True, True, True, False]
