"""The camera's probe: one verdict, the usual view learnt only from tests that were well, that movement is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.media.camera import CameraSettings
from agent.media.camera_probe import Watched
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from agent.media.picture_look import PictureLook
from agent.probes import camera as probe_module
from agent.probes.camera import CameraProbe
from agent.selftest import Context
from agent.store import Store
from agent.usual_view import STORE_KEY, UsualView

WELL = PictureLook(light=110, structure=60, dark=0.02, bright=0.03, sharpness=0.6, behind=20)
SEEN = Watched(
    rate=30.0, stands_still=False, look=WELL, moved=0.0, view=tuple(range(-16, 16)) * 2, form="mjpeg"
)


@pytest.fixture
def tried(monkeypatch):
    """Runs the probe over these; gives the instruction and the context."""
    forms: list[str] = []
    store = Store(None)
    probe = CameraProbe(lambda: CaptureSettings(camera=CameraSettings()), UsualView(store), forms.append)

    def run(seen, occasion="before"):
        def watch(_settings, _stopped):
            if isinstance(seen, Exception):
                raise seen
            return seen

        monkeypatch.setattr(probe_module, "watch", watch)
        context = Context(occasion)
        verdicts = asyncio.run(probe.run(context))
        return (None if verdicts is None else [each.instruction for each in verdicts]), context

    run.store, run.forms = store, forms
    return run


def test_it_learns_from_what_is_well_and_still_and_says_what_is_turned_afterwards(tried):
    turned = replace(SEEN, view=tuple(reversed(SEEN.view)))
    for not_learnt in (
        replace(SEEN, moved=0.2),
        replace(SEEN, look=replace(WELL, light=30)),
    ):
        tried(not_learnt)
        assert tried.store.get(STORE_KEY) is None
    tried(SEEN, "daily")
    assert tried.store.get(STORE_KEY) is None  # at night it may be anybody's lamp
    assert tried(turned)[0] == [""]
    assert [tried(SEEN)[0] for _ in range(3)] == [[""]] * 3
    assert tried(turned)[0] == ["camera_turned"]
    assert tried(SEEN)[0] == [""]
    assert tried.forms and set(tried.forms) == {"mjpeg"}


def test_what_moved_is_told_to_the_probes_that_follow(tried):
    assert tried(replace(SEEN, moved=0.2))[1].moved is True
    assert tried(SEEN)[1].moved is False


def test_a_camera_that_is_gone_is_one_fault_and_one_that_was_needed_none(tried):
    verdicts, context = tried(DeviceError("camera /dev/video0", "it is not there", "Check its cable"))
    assert verdicts == ["camera"] and context.moved is None
    assert tried(None)[0] is None
