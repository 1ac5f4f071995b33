"""What is told of a connection whose other end has closed it: nothing, if it was a goodbye."""

import asyncio
from types import SimpleNamespace

import pytest

from agent import call_told
from agent import session_events as ev
from agent.call_told import CallTold
from agent.media import facts


class Scene:
    """A session with one clinician, and what its room is told."""

    def __init__(self):
        self.parties = {"aaaa"}
        self.events, self.doubts = [], 0
        self.session = SimpleNamespace(
            plan=SimpleNamespace(sid="s1"), party=lambda peer: peer if peer in self.parties else None
        )
        unit = SimpleNamespace(
            held=lambda: self.session, session_event=lambda _, event: self.events.append(event)
        )
        self.told = CallTold(unit)
        self.told.wire = SimpleNamespace(doubt=self.doubt, offer=lambda *_: None)
        self.told.calls = SimpleNamespace(flowing=lambda _: None, tell_state=lambda: None)

    def doubt(self):
        self.doubts += 1


def play(monkeypatch, after):
    """The page closes its connection, then `after(scene)` happens, and the time for a goodbye passes."""
    monkeypatch.setattr(call_told, "GOODBYE_WITHIN_S", 0.01)

    async def main():
        scene = Scene()
        scene.told.fact(facts.PeerGone("aaaa"))
        assert scene.doubts == 1
        assert not scene.events
        after(scene)
        await asyncio.sleep(0.05)
        return scene.events

    return asyncio.run(main())


def test_who_closes_without_a_goodbye_is_lost(monkeypatch):
    assert play(monkeypatch, lambda _: None) == [ev.PartyLost("aaaa")]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(lambda scene: scene.parties.clear(), id="it said goodbye"),
        pytest.param(lambda scene: setattr(scene, "session", None), id="the session is over"),
        pytest.param(lambda scene: setattr(scene.session.plan, "sid", "s2"), id="the next session has begun"),
        pytest.param(lambda scene: scene.told.fact(facts.LocalOffer("aaaa", 2, "")), id="it is called anew"),
    ],
)
def test_who_has_gone_in_order_is_not_lost(monkeypatch, after):
    assert play(monkeypatch, after) == []


def test_who_is_back_in_time_was_not_lost(monkeypatch):
    assert play(monkeypatch, lambda scene: scene.told.fact(facts.MediaBack("aaaa"))) == [
        ev.PartyConnected("aaaa")
    ]


def test_silence_is_told_at_once():
    scene = Scene()
    scene.told.fact(facts.MediaLost("aaaa"))
    assert scene.events == [ev.PartyLost("aaaa")]
