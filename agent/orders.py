"""What the region sets and asks of a unit: its configuration, and commands. Used on the event loop."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from agent.config import keep_complete, overlay
from agent.contract import Message, Topic
from agent.contract.commands import Command, CommandReport
from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, ConfigReport
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
        self._left_out: tuple[str, ...] = ()

    def config(self, message: Message, _payload: bytes) -> None:
        """Take a newer configuration, if there is nothing wrong with it."""
        wanted: Config = message.data
        rev = message.rev if message.rev is not None else 0
        if rev > self._unit.configuration.rev:
            configuration = self._unit.configuration
            errors = tuple(f"{name}: {reason}" for name, reason in what_is_wrong(wanted))
            if not errors:
                configuration = overlay(configuration, wanted, rev)
                self._keep_config(wanted, rev)
                configuration, self._left_out = keep_complete(configuration, self._unit.complete_languages)
            self._unit.configuration = configuration
            self.report_config(errors)
            self._unit.changed()

    def _keep_config(self, wanted: Config, rev: int) -> None:
        """Keep it over what was kept before: what is left out keeps its value, over a restart too."""
        store = self._unit.store
        kept = store.get("config")
        before = Config.model_validate_json(kept) if kept else Config.model_validate({})
        given = {name: value for name, value in wanted if value is not None}
        with store.transaction():
            store.put("config", before.model_copy(update=given).model_dump_json().encode())
            store.put("config_rev", str(rev).encode())

    def report_config(self, errors: tuple[str, ...] = ()) -> None:
        """Say which revision is in force, what of it could not be had, or what was wrong with the one sent."""
        rev = self._unit.configuration.rev
        if rev >= 0 or errors:
            report = ConfigReport(applied=not errors, errors=errors or self._left_out)
            self._send(Topic(self._name, "up/config"), report, rev if rev >= 0 else None)

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
