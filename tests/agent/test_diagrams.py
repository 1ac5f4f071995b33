"""The README's diagrams follow the tables."""

import pytest

from agent import diagrams, room, session

MARKS = "a\n<!-- session diagram -->\nold\n<!-- end -->\nb\n<!-- room diagram -->\n<!-- end -->\nc\n"


def test_every_rule_that_leads_elsewhere_has_its_arrow():
    text = diagrams.draw(MARKS)
    for rule in (*session.RULES, *room.RULES):
        for source in rule.source:
            if rule.target is not None and rule.target != source:
                assert f"    {source} --> {rule.target}: " in text


def test_drawing_again_changes_nothing_and_the_rest_stays():
    text = diagrams.draw(MARKS)
    assert diagrams.draw(text) == text
    assert (text[:2], text[-2:], "\nb\n" in text, "old" in text) == ("a\n", "c\n", True, False)


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--check"], 1)])
def test_a_stale_file_is_written_or_with_check_reported(tmp_path, monkeypatch, capsys, arguments, status):
    file = tmp_path / "README.md"
    file.write_text(MARKS)
    monkeypatch.setattr("sys.argv", ["diagrams", str(file), *arguments])
    assert diagrams.main() == status
    assert (file.read_text() == MARKS) == bool(status)
    assert ("stale" in capsys.readouterr().err) == bool(status)


def test_a_missing_mark_is_said(tmp_path, monkeypatch, capsys):
    file = tmp_path / "README.md"
    file.write_text("nothing")
    monkeypatch.setattr("sys.argv", ["diagrams", str(file)])
    assert diagrams.main() == 2
    assert "session diagram" in capsys.readouterr().err
