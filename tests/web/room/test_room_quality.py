"""What the page saw of the parties, on its way to the agent."""

from __future__ import annotations

import pytest
from fakes import FakeController
from flask.testing import FlaskClient

from agent.contract.quality import MAX_PARTIES, Received

FIGURES = {"frame_rate": 24.6, "width": 640, "height": 360, "freezes": 1, "frozen_s": 0.6}


def test_figures_reach_the_agent_and_too_many_do_not(kiosk: FlaskClient, controller: FakeController) -> None:
    assert kiosk.post("/api/quality", json={"c41f": FIGURES, "d52a": {}}).status_code == 204
    assert controller.seen == [("c41f", Received(**FIGURES)), ("d52a", Received())]
    assert kiosk.post("/api/quality", json={"c41f": FIGURES}).status_code == 429
    assert len(controller.seen) == 2


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"c41f":7}',
        '{"Kanarina Kanarsson":{}}',
        '{"c41f":{"freezes":-1}}',
        '{"c41f":{"frame_rate":"30"}}',
        '{"c41f":{"frame_rate":1e999}}',
        "{" + ",".join(f'"peer{n}":{{}}' for n in range(MAX_PARTIES + 1)) + "}",
    ],
)
def test_what_are_no_figures_is_refused_and_not_repeated(
    kiosk: FlaskClient, controller: FakeController, body: str
) -> None:
    answer = kiosk.post("/api/quality", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "Kanar" not in answer.text
    assert controller.seen == []


def test_no_other_page_may_tell(kiosk: FlaskClient, controller: FakeController) -> None:
    answer = kiosk.post("/api/quality", json={}, headers={"Origin": "http://elsewhere"})
    assert (answer.status_code, controller.seen) == (403, [])


def test_the_page_gets_the_module_that_counts(kiosk: FlaskClient) -> None:
    answer = kiosk.get("/shared/quality.js")
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert kiosk.get("/shared/../settings.py").status_code == 404


def test_whose_picture_stands_still_reaches_the_agent_and_nothing_else_does(
    kiosk: FlaskClient, controller: FakeController
) -> None:
    for peers in (["c41f"], []):
        assert kiosk.post("/api/stalled", json=peers).status_code == 204
    for body in ('{"c41f":1}', '["Kanarina Kanarsson"]', "[7]", "", str(["c41f"] * 9).replace("'", '"')):
        answer = kiosk.post("/api/stalled", data=body, content_type="application/json")
        assert (answer.status_code, "Kanar" in answer.text) == (400, False)
    assert controller.still == [frozenset({"c41f"}), frozenset()]
