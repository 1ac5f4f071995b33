"""Every script of the pages is one that a browser can load: it parses, and what it imports is exported."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"
LINK = """
const { readFileSync } = require("fs"), { dirname, resolve } = require("path"), vm = require("vm");
const [files, web] = JSON.parse(process.argv[1]);
const placeOf = (name, from) => (name.startsWith("/") ? web + name : resolve(dirname(from.identifier), name));
(async () => {
  const faults = {};
  for (const file of files) {
    const known = new Map();
    const load = (path) => {
      const kept = known.get(path) ?? new vm.SourceTextModule(readFileSync(path, "utf8"), { identifier: path });
      known.set(path, kept);
      return kept;
    };
    try {
      await load(file).link((name, from) => load(placeOf(name, from)));
    } catch (error) { faults[file] = String(error); }
  }
  console.log(JSON.stringify(faults));
})();
"""


def node() -> str:
    """The one that playwright brings, so that it is there wherever the tests are."""
    spec = importlib.util.find_spec("playwright")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent / "driver" / "node")


def faults_of(files: list[Path]) -> dict[str, str]:
    command = [node(), "--experimental-vm-modules", "--no-warnings", "-e", LINK]
    done = subprocess.run(
        [*command, json.dumps([[str(file) for file in files], str(WEB)])],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_every_script_parses_and_finds_what_it_imports() -> None:
    scripts = sorted(WEB.rglob("*.js"))
    assert len(scripts) > 10
    assert faults_of(scripts) == {}


def test_a_private_field_that_is_gone_and_a_name_that_is_not_exported_are_faults(tmp_path: Path) -> None:
    (tmp_path / "field.js").write_text("export class Call { get line() { return this.#gone; } }")
    (tmp_path / "name.js").write_text('import { gone } from "./fine.js"; gone();')
    (tmp_path / "fine.js").write_text("export const here = 1;")
    faults = faults_of(sorted(tmp_path.iterdir()))
    assert {Path(file).name for file in faults} == {"field.js", "name.js"}
