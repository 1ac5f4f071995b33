"""An error's text may repeat what came: the log gets its kind and place alone."""

import logging

from agent.__main__ import guarded


def test_an_error_in_a_handler_ends_nothing_and_is_logged_without_its_text(caplog):
    def handler():
        raise ValueError("Kanarie")

    with caplog.at_level(logging.INFO):
        guarded(handler)
    assert "ValueError at __main__.py:" in caplog.text
    assert "test_faults.py:" in caplog.text
    assert "Kanarie" not in caplog.text
