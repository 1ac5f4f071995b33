"""What reaches the journal: names to search by, and never what came or who it was."""

from __future__ import annotations

import logging
import os

import pytest

from agent.journal import JournalHandler, is_under_journal
from firmware.journal import JournalHandler as RootsHandler


@pytest.fixture
def logged():
    """Logs by a logger of its own; gives the message and the fields."""
    sent = []
    log = logging.Logger("agent.wire")
    log.addHandler(JournalHandler(lambda message, **fields: sent.append((message, fields))))

    def say(call, *arguments, **named):
        getattr(log, call)(*arguments, **named)
        return sent[-1]

    return say


def test_a_line_has_its_fields(logged):
    message, fields = logged(
        "warning",
        "message refused: %s",
        "dn/config",
        extra={"halsorum_topic": "dn/config", "halsorum_field": ""},
    )
    assert message == "message refused: dn/config"
    assert (fields["PRIORITY"], fields["LOGGER"], fields["HALSORUM_TOPIC"]) == (
        "4",
        "agent.wire",
        "dn/config",
    )
    assert "HALSORUM_FIELD" not in fields
    assert fields["CODE_FILE"] == "test_journal.py"


def test_nothing_else_of_a_record_goes_along(logged):
    _, fields = logged("info", "ref %s", "A17", extra={"patient": "19121212-1212", "halsorum_patient": "Eva"})
    assert not {"PATIENT", "HALSORUM_PATIENT", "CODE_ARGS", "ARGS"} & {name.upper() for name in fields}
    assert "19121212-1212" not in str(fields)


def test_an_error_is_its_kind_and_place_and_never_its_text(logged):
    try:
        raise KeyError("19121212-1212")
    except KeyError:
        message, fields = logged("exception", "a message was not handled")
    assert message.startswith("a message was not handled: KeyError at test_journal.py:")
    assert "1912" not in message + str(fields)


@pytest.mark.parametrize(
    ("call", "priority"), [("critical", "2"), ("error", "3"), ("info", "6"), ("debug", "7")]
)
def test_levels_are_syslogs(logged, call, priority):
    assert logged(call, "x")[1]["PRIORITY"] == priority


def test_a_journal_that_is_away_is_no_fault_of_whoever_logs(monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def away(_message, **_fields):
        raise OSError

    log = logging.Logger("x")
    log.addHandler(JournalHandler(away))
    log.addHandler(RootsHandler("helper", away))
    log.error("said")


def test_roots_programs_name_themselves():
    sent = []
    log = logging.Logger("halsorum-helper")
    log.addHandler(RootsHandler("helper", lambda message, **fields: sent.append((message, fields))))
    log.warning("not done: %s", "reboot")
    assert sent[0][0] == "not done: reboot"
    assert (sent[0][1]["HALSORUM_PART"], sent[0][1]["PRIORITY"]) == ("helper", "4")


def test_only_where_standard_error_is_the_journal_is_it_used(monkeypatch, capfd):
    mine = os.fstat(2)
    assert not is_under_journal({})
    with open(2, "w", closefd=False) as error:
        monkeypatch.setattr("sys.stderr", error)
        assert is_under_journal({"JOURNAL_STREAM": f"{mine.st_dev}:{mine.st_ino}"})
        assert not is_under_journal({"JOURNAL_STREAM": f"{mine.st_dev}:{mine.st_ino + 1}"})
