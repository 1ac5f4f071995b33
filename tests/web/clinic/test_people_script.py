"""Who takes part, as a meeting page keeps it from the region's lists, by the page's own script."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[3] / "web" / "clinic" / "static" / "people.js"
RUN = """
const [file, lists] = JSON.parse(process.argv[1]);
const source = require("fs").readFileSync(file, "utf8");
import("data:text/javascript," + encodeURIComponent(source)).then(({ People }) => {
  const people = new People(false);
  console.log(JSON.stringify(lists.map((one) => {
    const { came, went } = people.update({ you: "me", chair: "me", ...one });
    return [people.others, came, went].map((some) => some.map(({ peer }) => peer).join(" "));
  })));
});
"""


def seen(*lists: dict[str, Any]) -> list[list[str]]:
    """The others, who came and who went after each list; run by the node that playwright brings."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    node = Path(spec.origin).parent / "driver" / "node"
    asked = json.dumps([str(SCRIPT), lists])
    done = subprocess.run([node, "-e", RUN, asked], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def parties(*peers: str) -> list[dict[str, Any]]:
    """The region's lines of these."""
    return [{"peer": peer, "here": True} for peer in ("me", *peers)]


def test_those_whom_a_region_that_started_anew_does_not_name_yet_stay() -> None:
    assert seen(
        {"parties": parties("b", "c"), "whole": True},
        {"parties": parties(), "whole": False},
        {"parties": parties("b"), "whole": False},
        {"parties": parties("b"), "whole": True},
    ) == [["b c", "", ""], ["b c", "", ""], ["b c", "", ""], ["b", "", "c"]]
