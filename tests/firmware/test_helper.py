"""The helper runs as root: it does what it knows, and follows nobody elsewhere."""

from __future__ import annotations

import json

import pytest

from firmware import helper as helpers
from firmware.helper import DROP_IN, Helper, drop_in_text, main


@pytest.fixture
def asked(tmp_path):
    """Leaves a request, lets the helper work, and gives its answer and what it told systemd."""
    folder, told = tmp_path / "helper", []
    folder.mkdir()
    helper = Helper(tmp_path / "root", lambda *words: told.append(words))

    def ask(name, body):
        (folder / f"{name}.request").write_text(body if isinstance(body, str) else json.dumps(body))
        helper.answer_all(folder)
        answer = folder / f"{name}.answer"
        return (json.loads(answer.read_text()) if answer.exists() else None), told

    ask.folder, ask.root = folder, tmp_path / "root"
    return ask


def test_time_servers_are_written_and_left_to_the_network_again(asked):
    answer, told = asked("clock", {"id": "a1b2", "source": "ntp", "servers": ["ntp.example"]})
    assert answer == {"id": "a1b2", "ok": True, "reason": ""}
    assert (asked.root / DROP_IN).read_text() == "[Time]\nNTP=ntp.example\nFallbackNTP=\n"
    asked("clock", {"id": "a1b3", "source": "network"})
    assert not (asked.root / DROP_IN).exists()
    assert told == [("try-restart", "systemd-timesyncd.service")] * 2
    assert not list(asked.folder.glob("*.request"))


@pytest.mark.parametrize(
    ("name", "words"), [("reboot", ("reboot",)), ("browser", ("restart", "halsorum-kiosk.service"))]
)
def test_machine_and_browser_are_systemds(asked, name, words):
    assert asked(name, {"id": "a1b2"}) == ({"id": "a1b2", "ok": True, "reason": ""}, [words])


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('{"how": "made_anew", "reason": ""}', {"ok": True, "how": "made_anew", "reason": ""}),
        ('{"how": "", "reason": "replace the disk"}', {"ok": False, "reason": "replace the disk"}),
        ("[]", {"ok": False, "reason": "the repair did not say what became of it"}),
        (None, {"ok": False, "reason": "the repair did not say what became of it"}),
    ],
)
def test_the_data_are_repaired_by_a_service_that_may_and_its_word_is_passed_on(asked, said, answer):
    if said is not None:
        file = asked.root / "run/halsorum-data/repair.json"
        file.parent.mkdir(parents=True)
        file.write_text(said)
    assert asked("repair-data", {"id": "a1b2"}) == (
        {"id": "a1b2"} | answer,
        [("start", "halsorum-data-repair.service")],
    )


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a1b2", "source": "ntp", "servers": ["ntp.example\nFallbackNTP=x"]},
        {"id": "a1b2", "source": "ntp", "servers": ["a"] * 5},
        {"id": "a1b2", "source": "ntp"},
        {"id": "a1b2", "source": "elsewhere"},
        {"source": "region"},
        "no JSON",
        "[]",
    ],
)
def test_what_it_is_not_to_do_it_does_not(asked, body):
    answer, told = asked("clock", body)
    assert answer["ok"] is False
    assert answer["reason"]
    assert not (asked.root / DROP_IN).exists()
    assert told == []


def test_it_knows_no_other_request_and_follows_no_link(asked, tmp_path):
    assert asked("format", {"id": "a1b2"}) == (None, [])
    secret = tmp_path / "secret"
    secret.write_text(json.dumps({"id": "a1b2", "source": "region"}))
    (asked.folder / "clock.request").symlink_to(secret)
    (asked.folder / "clock.answer.new").symlink_to(secret)
    Helper(asked.root, lambda *_words: None).answer_all(asked.folder)
    assert json.loads((asked.folder / "clock.answer").read_text())["ok"] is False
    assert not (asked.root / DROP_IN).exists()
    assert json.loads(secret.read_text())["source"] == "region"  # as it was
    assert list(asked.folder.glob("*.request")) == []  # or systemd would start it for ever


def test_without_a_folder_it_says_so(tmp_path, capsys):
    assert main(["--requests", str(tmp_path / "none")]) == 1
    assert "No requests" in capsys.readouterr().err


def test_with_the_regions_time_no_server_is_asked():
    assert drop_in_text("region", ()) == "[Time]\nNTP=\nFallbackNTP=\n"


def test_below_another_root_this_machines_systemd_is_never_asked(asked, monkeypatch):
    monkeypatch.setattr(helpers.subprocess, "run", lambda *_a, **_k: pytest.fail("systemctl was run"))
    (asked.root / "run/systemd/system").mkdir(parents=True)
    folder = asked.folder
    (folder / "reboot.request").write_text(json.dumps({"id": "a1b2"}))
    assert main(["--requests", str(folder), "--root", str(asked.root)]) == 0
    answer = json.loads((folder / "reboot.answer").read_text())
    assert (answer["ok"], answer["reason"]) == (False, "systemd does not run on this machine")
