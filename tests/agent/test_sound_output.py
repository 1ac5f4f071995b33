"""Where the room is heard: chosen by the patient for one session, and kept trying while PipeWire is away."""

import asyncio
from dataclasses import replace

import pytest

from agent import session_events as ev
from agent import sound_output
from agent.contract.unit_config import Config
from agent.screen import Touch
from agent.sound_output import MockSinks, SoundOutputs, set_output
from agent.touches import Touches
from agent.touches_sound import sound_touches

SID = "k3v9q2m4x8t1"
NODES = {"loudspeaker": "box", "headphones": "jack", "hearing_loop": "loop"}


class Room:
    def __init__(self, house, sinks):
        self.house, self.sinks = house, sinks
        unit = house.unit
        self.sound = unit.sound = SoundOutputs(
            NODES, sinks.set_output, default=lambda: unit.configuration.sound_output
        )
        nothing = lambda _on: None  # noqa: E731
        self.touches = Touches(unit, intend=lambda *_: True, set_microphone=nothing, set_camera=nothing)
        self.touches.add(sound_touches(unit, self.sound))

    async def choose(self, text):
        refusal = (await self.touches.do(Touch("output", text=text))).refusal
        await asyncio.sleep(0)
        return refusal

    async def tick(self):
        self.house.tick()
        await asyncio.sleep(0)

    @property
    def shown(self):
        screen = self.house.unit.screen()
        return screen.output


def play(house, scene):
    async def scenario():
        room = Room(house, MockSinks())
        await scene(room)
        await room.sound.stop()

    asyncio.run(scenario())


def test_a_choice_lasts_for_the_session_and_then_the_configured_one_is_back(ready_house):
    async def scene(room):
        assert await room.choose("headphones") == "not_now", "nobody is in the room"
        ready_house.unit.session_event(SID, ev.CheckedIn("code"))
        assert ready_house.unit.screen().outputs == ("loudspeaker", "headphones", "hearing_loop")
        assert await room.choose("hearing_loop") is None
        await room.tick()
        assert (room.shown, room.sinks.default) == ("hearing_loop", "loop")
        ready_house.unit.session_event(SID, ev.PatientLeft())
        await room.tick()
        assert (room.shown, room.sinks.default) == ("loudspeaker", "box")

    play(ready_house, scene)


def test_the_region_sets_which_one_a_session_begins_with(ready_house):
    async def scene(room):
        ready_house.hear("dn/config", Config.model_validate({"sound_output": "hearing_loop"}), rev=1)
        await room.tick()
        assert (room.shown, room.sinks.default) == ("hearing_loop", "loop")

    play(ready_house, scene)


def test_another_loudspeaker_is_played_to_from_then_on(ready_house):
    async def scene(room):
        room.sound.use({"loudspeaker": "usb"})
        await room.tick()
        assert (room.sound.outputs, room.sinks.default) == (("loudspeaker",), "usb")

    play(ready_house, scene)


@pytest.mark.parametrize("text", [None, "", "speaker", "jack"])
def test_what_is_no_output_is_refused(ready_house, text):
    async def scene(room):
        ready_house.unit.session_event(SID, ev.CheckedIn("code"))
        assert await room.choose(text) == "bad_request"

    play(ready_house, scene)


def test_a_room_with_one_way_of_being_heard_offers_no_other(ready_house):
    sound = SoundOutputs({}, MockSinks().set_output, default=lambda: "headphones")
    assert (sound.outputs, sound.chosen, sound.choose("headphones")) == (
        ("loudspeaker",),
        "loudspeaker",
        False,
    )
    ready_house.unit.configuration = replace(ready_house.unit.configuration, sound_output="headphones")
    sound.reset()
    assert sound.chosen == "loudspeaker"


def test_while_pipewire_is_away_the_last_choice_is_tried_again_and_said_once(monkeypatch, caplog):
    monkeypatch.setattr(sound_output, "TRY_AGAIN_S", 0)
    tried = []

    async def away(node):
        tried.append(node)
        return len(tried) > 5

    async def scenario():
        sound = SoundOutputs(NODES, away, default=lambda: "loudspeaker")
        sound.choose("headphones")
        await asyncio.sleep(0)
        sound.choose("hearing_loop")
        while sound._task is not None and not sound._task.done():
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert tried == ["jack", "loop", "loop", "loop", "loop", "loop"]
    assert caplog.text.count("cannot be chosen") == 1


@pytest.mark.parametrize(
    ("program", "limit_s", "well"),
    [(None, 3, False), ("exit 0", 3, True), ("exit 1", 3, False), ("exec sleep 60", 0.05, False)],
)
def test_pipewires_own_command_is_asked_and_not_waited_for_for_ever(
    tmp_path, monkeypatch, program, limit_s, well
):
    monkeypatch.setattr(sound_output, "SET_WITHIN_S", limit_s)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if program else str(tmp_path))
    if program:
        command = tmp_path / "pw-metadata"
        command.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\n{program}\n')
        command.chmod(0o755)
    assert asyncio.run(set_output("jack")) is well
    if well:
        said = (tmp_path / "said").read_text().strip()
        assert said == '0 halsorum.output {"name": "jack"} Spa:String:JSON'
