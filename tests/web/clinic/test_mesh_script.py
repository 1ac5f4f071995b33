"""Which connections a meeting page has with the others as the region's list changes, by the page's own script."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[3] / "web" / "clinic" / "static" / "mesh.js"
RUN = """
const vm = require("vm"), { readFileSync } = require("fs");
const [file, lists] = JSON.parse(process.argv[1]);
const seen = [];
let made = 0;
class Call {
  constructor() { this.number = ++made; seen.push(`begins ${this.number}`); }
  close() { seen.push(`ends ${this.number}`); }
  by() {} own() {} want() {} limit() {} tell() {}
}
const stubs = { "./call.js": { Call }, "./limits.js": { shareToPages: () => ({}), toPages: () => ({}) } };
(async () => {
  const module = new vm.SourceTextModule(readFileSync(file, "utf8"));
  await module.link((name) => {
    const stub = stubs[name], names = Object.keys(stub);
    return new vm.SyntheticModule(names, function () { for (const one of names) this.setExport(one, stub[one]); });
  });
  await module.evaluate();
  const mesh = new module.namespace.Mesh(() => {}, {}, () => ({ remove() {} }), {});
  for (const parties of lists) mesh.update("me", parties);
  console.log(JSON.stringify(seen));
})();
"""


def calls(*lists: list[dict[str, Any]]) -> list[str]:
    """The connections that begin and end under these lists of parties; run by the node that playwright brings."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "driver" / "node"
    command = [str(node), "--experimental-vm-modules", "--no-warnings", "-e", RUN]
    asked = json.dumps([str(SCRIPT), lists])
    return json.loads(subprocess.run([*command, asked], capture_output=True, text=True, check=True).stdout)


def party(peer: str, page: str = "one", **said: Any) -> dict[str, Any]:
    """A party as the region's list has it."""
    return {"peer": peer, "page": page, "here": True, "sees": True} | said


def test_a_party_is_connected_once_and_let_go_when_it_is_not_here() -> None:
    me = party("me")
    assert calls([me], [me, party("b")], [me, party("b", sees=False)]) == ["begins 1"]
    assert calls([me, party("b")], [me, party("b", here=False)], [me]) == ["begins 1", "ends 1"]


def test_a_page_that_was_loaded_anew_is_connected_anew() -> None:
    me = party("me")
    lists = [me, party("b"), party("c")], [me, party("b", "two"), party("c")]
    assert calls(*lists, [me, party("b", "two"), party("c")]) == [
        "begins 1",
        "begins 2",
        "ends 1",
        "begins 3",
    ]
