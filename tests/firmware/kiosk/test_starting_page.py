"""The page that the screen shows until the agent's is there."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from firmware.kiosk import starting_page
from firmware.kiosk.starting_page import GO, SOURCE


def test_it_is_laid_out_anew_without_a_way_on(tmp_path: Path) -> None:
    folder = tmp_path / "start"
    starting_page.lay_out(folder)
    starting_page.lead_on(folder, "http://localhost:8400", "s3cret")
    starting_page.lay_out(folder)
    assert {file.name for file in folder.iterdir()} == {file.name for file in SOURCE.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_way_on_is_for_its_user_alone_and_is_forgotten(tmp_path: Path) -> None:
    starting_page.lead_on(tmp_path, "http://localhost:8400", 's3"cret')
    go = tmp_path / GO
    assert stat.S_IMODE(go.stat().st_mode) == 0o600
    address = go.read_text().removeprefix("location.replace(").removesuffix(");\n")
    assert json.loads(address) == 'http://localhost:8400/enter?key=s3"cret'
    starting_page.forget_way(tmp_path)
    starting_page.forget_way(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_fetches_nothing_and_asks_for_the_file_that_is_written() -> None:
    page, script = (SOURCE / "index.html").read_text(), (SOURCE / "start.js").read_text()
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["start.css", "start.js"]
    assert "http" not in page + script
    assert f"`{GO}?" in script
