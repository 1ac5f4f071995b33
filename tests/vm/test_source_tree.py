from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from tests.vm.source_tree import packed, take_over


def test_a_tree_is_packed_compiled_and_for_everyone_to_read(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "unit.py").write_text("HERE = __file__\n")
    (tmp_path / "agent" / "unit.py").chmod(0o600)
    (tmp_path / "tests").mkdir()
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path))) as tar:
        names = tar.getnames()
        source = tar.getmember("agent/unit.py")
        [compiled] = [name for name in names if name.endswith(".pyc")]
        bytecode = tar.extractfile(compiled)
        assert bytecode is not None and b"/opt/halsorum/app/agent/unit.py" in bytecode.read()
    assert not any(name.startswith("tests") for name in names)
    assert (source.mode, source.uid, source.uname) == (0o644, 0, "root")


def test_what_the_machine_runs_is_sh() -> None:
    script = take_over("/run/tree.tar.gz", "/opt/app")
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "${unit##*/}" in script
