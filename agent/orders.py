"""What the region asks of a unit: commands. Used on the event loop."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from agent.contract import Message, Topic
from agent.contract.commands import Command, CommandReport
from agent.room import IN_USE, TestAsked
from agent.room import State as RoomState
from agent.unit import Unit

Send = Callable[[Topic, BaseModel, int | None], bool]


class Orders:
    """Does them, and reports what became of them."""

    def __init__(self, unit: Unit, name: str, send: Send) -> None:
        self._unit = unit
        self._name = name
        self._send = send
        self._selftest: Topic | None = None

    def report_selftest(self) -> None:
        """A command has succeeded only when what it asked for has ended well."""
        room = self._unit.room
        if self._selftest is None or room.state == RoomState.TESTING:
            return
        topic, self._selftest = self._selftest, None
        if room.state in IN_USE:
            self._send(topic, CommandReport(state="canceled", reason="someone is in the room"), None)
        elif room.ready:
            self._send(topic, CommandReport(state="succeeded"), None)
        else:
            self._send(topic, CommandReport(state="failed", reason=", ".join(room.faults)), None)

    def command(self, message: Message, _payload: bytes) -> None:
        """Do a command once, however often it comes."""
        command: Command = message.data
        topic = Topic(self._name, "up/cmd", message.topic.levels)
        store, now = self._unit.store, self._unit.clock.now()
        name = f"command {message.topic.levels[0]}"
        if store.is_finished(name):
            return  # retained, it comes again on every connect
        store.mark_done(name, now.date().isoformat())
        if message.expires_at is not None and now > message.expires_at:
            self._send(topic, CommandReport(state="expired"), None)
        elif command.name == "selftest" and self._unit.room.state not in IN_USE:
            self._send(topic, CommandReport(state="running"), None)
            self._selftest = topic
            self._unit.room_event(TestAsked())
        else:
            reason = "someone is in the room" if command.name == "selftest" else "unknown command"
            self._send(topic, CommandReport(state="rejected", reason=reason), None)
