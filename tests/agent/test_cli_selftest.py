"""`halsorum selftest`: the running agent's own word, or the devices tried on the spot."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agent import cli_selftest, selftest_alone
from agent.selftest import SelfTest
from agent.selftest_kept import keep, kept
from agent.verdict import found, well

COVERED = found("camera_covered", 4.0, "luma", reason="mean luma 4")
VERDICTS = (well("region", 0.1, "s"), COVERED, found("clock", 90.0, "s", reason="behind"))
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A settings file whose agent runs; nothing is switched off for the rest of the tests."""
    file = tmp_path / "unit.toml"
    paths = "".join(f'{name} = "x"\n' for name in ("state_dir", "ca_file", "certificate_file", "key_file"))
    file.write_text(f'{paths}run_dir = "."\n')
    monkeypatch.setattr(cli_selftest, "answers", lambda *_: True)
    monkeypatch.setattr(cli_selftest.logging, "disable", lambda: None)
    return file


def test_a_running_agents_last_self_test_is_shown_with_what_to_do_worst_first(config, capsys):
    keep(config.parent, SelfTest(VERDICTS, "before"), AT)
    assert cli_selftest.main(["selftest", "--config", str(config), "--language", "en"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "The agent's own self-test (before)" in said
    assert "mean luma 4" in said
    assert said.index("fail (staff) The camera is covered") < said.index("warn (it) ")


def test_as_json_it_names_the_one_instruction_and_nothing_as_not_tried(config, capsys):
    keep(config.parent, SelfTest(VERDICTS, "before"), AT)
    assert cli_selftest.main(["selftest", "--config", str(config), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["instruction"]["key"], told["faults"], told["warnings"], told["not_tried"]) == (
        "camera_covered",
        ["camera_covered"],
        ["clock"],
        {},
    )
    assert told["verdicts"][0] == {**told["verdicts"][0], "probe": "region", "level": "ok", "figure": 0.1}


def test_an_agent_that_has_made_none_yet_is_said_to_and_a_broken_file_is_none(config, capsys):
    assert cli_selftest.main(["selftest", "--config", str(config)]) == 2
    assert "no self-test yet" in capsys.readouterr().err
    (config.parent / "selftest.json").write_text('{"verdicts": [{"odd": 1}]}')
    assert kept(config.parent) is None


def test_without_an_agent_the_devices_are_tried_and_what_was_not_is_named(config, capsys, monkeypatch):
    async def tried(board, settings):
        return (well("camera", 30.0, "frames/s"),)

    monkeypatch.setattr(cli_selftest, "answers", lambda *_: False)
    monkeypatch.setattr(selftest_alone, "selftest_alone", tried)
    assert cli_selftest.main(["selftest", "--config", str(config)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "No agent runs here" in said
    assert "Not tried: clock" in said
