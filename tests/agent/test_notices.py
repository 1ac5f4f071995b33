from agent.contract.events import Notice
from agent.notices import Notices


def test_a_notice_goes_to_the_handler_of_its_kind_alone():
    heard, notices = [], Notices()
    notices.on("queue", lambda notice: heard.append(("queue", notice.place)))
    notices.on("intent", lambda notice: heard.append(("intent", notice.ok)))
    notices.take("queue", Notice(place=2))
    notices.take("intent", Notice(ok=False))
    assert heard == [("queue", 2), ("intent", False)]


def test_a_kind_that_nobody_knows_is_dropped_and_not_repeated_in_the_log(caplog):
    caplog.set_level("INFO")
    Notices().take("kanariefagel", Notice())
    assert "dropped" in caplog.text
    assert "kanariefagel" not in caplog.text
