"""Where web threads and the event loop meet: queues that never block the loop, answers that come back."""

from __future__ import annotations

import asyncio
import queue
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from agent import controller as module
from agent.contract.quality import Received
from agent.controller import MAX_SCREENS, Controller
from agent.screen import Lock, NoSuchMedia, Outcome, Screen, TooManyScreens, Touch
from agent.subscription import QUEUE_LENGTH

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def screen(after_s=0.0, **changes):
    free = Lock(5, None)
    values = {"room_name": "Rum 4", "phone": "", "ready": True, "faults": (), "region_up": True}
    values |= {"next_session": None, "can_check_in": (), "code_lock": free, "pin_lock": free}
    values |= {"staff_unlocked_until": None, "staff_sessions": (), "session": None, "languages": ("sv",)}
    values |= {"media_generation": 0, "help_state": "none"}
    return Screen(page="idle", now=NOW + timedelta(seconds=after_s), **(values | changes))


class Loop:
    """The agent's side: notes the thread that does the work."""

    def __init__(self):
        self.threads = set()
        self.never = asyncio.Event()
        self.seen = queue.Queue()
        self.watched = queue.Queue()

    async def do(self, touch):
        self.threads.add(threading.current_thread().name)
        return Outcome(refusal=None if touch.kind == "help" else "bad_request")

    async def whep_offer(self, name, sdp):
        if name == "slow":
            await self.never.wait()
        return SimpleNamespace(sdp=f"answer to {sdp}", id=f"resource-{name}")

    async def whep_close(self, resource):
        self.threads.add(resource)

    def shown(self, peer, figures):
        self.seen.put((threading.current_thread().name, peer, figures))


@pytest.fixture
def agent():
    return Loop()


@pytest.fixture
def controller(agent):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="loop")
    thread.start()
    yield Controller(loop, agent, agent, screen(), on_shown=agent.shown, on_watched=agent.watched.put)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def events(subscription):
    found = []
    while (event := subscription.get(0)) is not None:
        found.append(event)
    return found


def test_a_touch_is_done_on_the_loop_and_answered_on_the_web_thread(controller, agent):
    assert controller.touch(Touch("help")).refusal is None
    assert controller.touch(Touch("leave")).refusal == "bad_request"
    assert agent.threads == {"loop"}


def test_a_browser_is_connected_and_closed_by_its_resource(controller, agent):
    answer = controller.whep_offer("self", "an offer")
    assert (answer.sdp, answer.resource) == ("answer to an offer", "resource-self")
    controller.whep_close(answer.resource)
    assert "resource-self" in agent.threads


def test_what_the_browser_showed_is_handed_to_the_loop_without_waiting(controller, agent):
    figures = Received(freezes=1)
    controller.shown("c41f", figures)
    assert agent.seen.get(timeout=10) == ("loop", "c41f", figures)


def test_an_agent_that_does_not_answer_gives_the_web_thread_back(controller, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.01)
    with pytest.raises(NoSuchMedia, match="did not answer"):
        controller.whep_offer("slow", "an offer")


def test_a_subscriber_gets_the_present_screen_and_then_what_changes(controller):
    subscription = controller.subscribe()
    controller.show(screen(0.4))  # the time alone, and not a second: nothing to show
    controller.show(screen(1.0))
    controller.show(screen(1.1, region_up=False))
    controller.level(-20.0)
    controller.resized(5.9)
    told = events(subscription)
    assert [kind for kind, _ in told] == ["screen", "screen", "screen", "level", "px_per_mm"]
    assert told[-1] == ("px_per_mm", 5.9)
    assert controller.screen().region_up is False
    subscription.close()
    subscription.close()
    controller.level(-10.0)
    assert events(subscription) == []


def test_a_browser_that_does_not_read_loses_the_oldest_and_holds_nobody_up(controller):
    subscription = controller.subscribe()
    for number in range(QUEUE_LENGTH + 5):
        controller.level(float(number))
    assert [value for _, value in events(subscription)] == [float(n) for n in range(5, QUEUE_LENGTH + 5)]


def test_feeds_are_counted_and_a_closed_one_makes_room(controller):
    subscriptions = [controller.subscribe() for _ in range(MAX_SCREENS)]
    with pytest.raises(TooManyScreens):
        controller.subscribe()
    subscriptions[0].close()
    assert controller.subscribe().get(0)[0] == "screen"


def test_the_agent_hears_how_many_pages_look(controller, agent):
    first, second = controller.subscribe(), controller.subscribe()
    first.close()
    first.close()
    second.close()
    assert [agent.watched.get(timeout=5) for _ in range(4)] == [1, 2, 1, 0]
    assert agent.watched.empty()
