"""Who may move the camera and take a still, what the patient is asked and told, and that nothing of it is kept."""

import asyncio
import hashlib

import pytest

from agent import meeting_camera
from agent import session_events as ev
from agent.contract.signalling import Admit, Hold, Join
from agent.media.device import DeviceError
from agent.media.jpeg import Still
from agent.media.zoom import CameraView, Zoom
from agent.meeting_camera import MeetingCamera
from agent.meeting_talk import MeetingTalk
from agent.screen import Touch

SID = "k3v9q2m4x8t1"
PICTURE = Still(b"\xff\xd8" + bytes(range(256)) * 8 + b"\xff\xd9", 2560, 1440)
HALF = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}
ASK = {"type": "still_request", "id": "s1"}


class Media:
    """A camera that does as it is told, unless it has a fault."""

    camera = True

    def __init__(self):
        self.told, self.blobs, self.looks = [], [], []
        self.fault = None
        self.view = CameraView("main", None, True, (2560, 1440))
        self.on_view = lambda view: None

    def look(self, camera, zoom):
        self.looks.append((camera, zoom))
        self.view = CameraView(camera, zoom, True, (2560, 1440))
        self.on_view(self.view)

    async def still(self):
        if self.fault:
            raise self.fault
        return PICTURE

    async def send_blob(self, peer, header, data):
        self.blobs.append((peer, header, data))
        return True

    def tell(self, message, peer=None):
        self.told.append((peer, message))

    def last(self, kind):
        return next(message for _, message in reversed(self.told) if message["type"] == kind)


class Room:
    def __init__(self, house):
        self.house, self.unit, self.media = house, house.unit, Media()
        self.camera = MeetingCamera(house.unit, self.media)
        self.media.on_view = self.camera.viewed
        self.talk = MeetingTalk(house.unit, self.media)
        for kind, handler in self.camera.messages.items():
            self.talk.on(kind, handler)
        house.unit.session_event(SID, ev.CheckedIn("code"))
        self.camera.viewed(self.media.view)
        house.signal(Join(instance="one", seq=0, chair=True), "aaaa")
        house.signal(Admit(instance="one", seq=1), "aaaa")
        house.signal(Join(instance="one", seq=0, role="interpreter"), "bbbb")
        house.signal(Join(instance="one", seq=0, role="specialist"), "cccc")

    @property
    def shown(self):
        return self.unit.screen().session

    @property
    def announced(self):
        return [(each.kind, each.role) for each in self.shown.announcements]

    async def touch(self, kind, **more):
        return (await self.camera.touches[kind](Touch(kind, **more))).refusal

    async def settle(self):
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def play(ready_house):
    def run(scene):
        async def main():
            await scene(Room(ready_house))

        asyncio.run(asyncio.wait_for(main(), 10))

    return run


def test_who_may_see_may_zoom_and_change_the_camera_and_all_are_told(play):
    async def scene(room):
        room.talk.heard("bbbb", {"type": "view", "camera": "hand", "zoom": None})
        assert room.media.looks == []
        room.talk.heard("cccc", {"type": "view", "camera": "main", "zoom": HALF})
        assert room.media.last("view") == {
            "type": "view",
            "camera": "main",
            "zoom": HALF,
            "hand": True,
            "sensor": [2560, 1440],
            "by": "cccc",
        }
        assert (room.shown.zoomed, room.announced) == (True, [("zoomed", "specialist")])
        room.talk.heard("aaaa", {"type": "view", "camera": "hand", "zoom": HALF})
        assert room.media.looks[-1] == ("hand", None)
        room.talk.heard("aaaa", {"type": "view", "camera": "hand", "zoom": HALF})
        assert room.media.looks[-1] == ("hand", Zoom(0.25, 0.25, 0.5, 0.5))
        assert (room.shown.camera_choice, room.shown.zoomed) == ("hand", True)
        assert await room.touch("camera_choice", text="main") is None
        assert (room.shown.camera_choice, room.media.last("view")["by"]) == ("main", "")
        assert await room.touch("camera_choice", text="third") == "bad_request"
        room.camera.tell("bbbb")
        assert room.media.told[-1][0] == "bbbb"

    play(scene)


def test_on_hold_and_without_a_call_nobody_looks(play):
    async def scene(room):
        room.house.signal(Hold(instance="one", seq=5, on=True), "aaaa")
        room.talk.heard("aaaa", {"type": "view", "camera": "main", "zoom": HALF})
        room.talk.heard("aaaa", ASK)
        assert room.media.looks == []
        assert room.media.last("still_refused")["reason"] == "not_allowed"
        room.unit.session_event(SID, ev.PatientLeft())
        assert await room.touch("camera_choice", text="main") == "not_now"

    play(scene)


def test_the_patient_is_asked_and_the_picture_goes_to_who_asked_alone(play):
    async def scene(room):
        room.talk.heard("aaaa", ASK)
        assert room.media.told[-1] == ("aaaa", {"type": "still_pending", "id": "s1", "until_s": 3.0})
        question = room.shown.question
        assert (question.kind, question.role) == ("still", "clinician")
        room.talk.heard("cccc", {"type": "still_request", "id": "other"})
        assert room.media.told[-1] == ("cccc", {"type": "still_refused", "id": "other", "reason": "busy"})
        # The page had no answer, and asks again: it is told again, and the patient is not asked anew.
        room.talk.heard("aaaa", ASK)
        assert room.media.told[-1] == ("aaaa", {"type": "still_pending", "id": "s1", "until_s": 3.0})
        assert room.shown.question == question
        assert await room.touch("consent", text="still-0", on=True) == "not_now"
        assert await room.touch("consent", text=question.id, on=True) is None
        await room.settle()
        [(peer, header, data)] = room.media.blobs
        assert (peer, header["id"], header["mime"], header["bytes"]) == (
            "aaaa",
            "s1",
            "image/jpeg",
            len(data),
        )
        assert header["sha256"] == hashlib.sha256(data).hexdigest()
        assert (header["width"], header["height"]) == (2560, 1440)
        assert room.shown.question is None
        assert room.announced[-1] == ("still_taken", "clinician")
        [taken] = [event for event in room.unit.outbox.pending() if event.kind == "still_taken"]
        assert taken.fields == {"role": "clinician"}
        assert PICTURE.data[:64].hex() not in repr(vars(room.camera)) + repr(taken)
        room.talk.heard("aaaa", ASK)
        assert room.shown.question is not None

    play(scene)


def test_no_is_no_and_silence_is_yes(play, monkeypatch):
    monkeypatch.setattr(meeting_camera, "STILL_ASKED_S", meeting_camera.STILL_ASKED_S / 100)

    async def scene(room):
        room.talk.heard("aaaa", ASK)
        assert await room.touch("consent", text=room.shown.question.id, on=False) is None
        assert room.media.last("still_refused") == {"type": "still_refused", "id": "s1", "reason": "patient"}
        assert (room.announced[-1], room.house.kinds()[-1]) == (
            ("still_refused", "clinician"),
            "still_refused",
        )
        room.talk.heard("aaaa", ASK)
        await asyncio.sleep(0.05)
        await room.settle()
        assert len(room.media.blobs) == 1

    play(scene)


@pytest.mark.parametrize("fault", ["interpreter", "camera off", "camera broken", "page gone", "session over"])
def test_when_there_can_be_no_still_the_page_is_told_why(play, fault):
    async def scene(room):
        if fault == "interpreter":
            room.talk.heard("bbbb", ASK)
            assert room.media.last("still_refused")["reason"] == "not_allowed"
            return
        if fault == "camera off":
            room.media.camera = False
            room.talk.heard("aaaa", ASK)
            assert room.media.last("still_refused")["reason"] == "camera"
            return
        room.talk.heard("aaaa", ASK)
        question = room.shown.question.id
        if fault == "camera broken":
            room.media.fault = DeviceError("camera", "it is gone", "Plug it in")
        elif fault == "page gone":
            room.house.signal(Join(instance="one", seq=7, chair=True), "dddd")
            room.unit.session_event(SID, ev.PartyLeft("aaaa", "left"))
        else:
            room.unit.session_event(SID, ev.PatientLeft())
        refusal = await room.touch("consent", text=question, on=True)
        assert refusal == ("not_now" if fault == "session over" else None)
        await room.settle()
        assert room.media.blobs == []
        assert "still_taken" not in room.house.kinds()
        if fault == "camera broken":
            assert room.media.last("still_refused")["reason"] == "camera"

    play(scene)


def test_a_still_that_fails_as_nobody_foresaw_keeps_no_other_from_being_taken(play, caplog):
    async def scene(room):
        room.media.fault = ValueError("Kanarie")
        room.talk.heard("aaaa", ASK)
        assert await room.touch("consent", text=room.shown.question.id, on=True) is None
        await room.settle()
        assert room.media.last("still_refused")["reason"] == "camera"
        room.talk.heard("aaaa", ASK)
        assert room.shown.question is not None

    play(scene)
    assert "Kanarie" not in caplog.text
