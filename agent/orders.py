"""What the region sets on a unit: its configuration. Used on the event loop."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from agent.config import keep_complete, overlay
from agent.contract import Message, Topic
from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, ConfigReport
from agent.unit import Unit

Send = Callable[[Topic, BaseModel, int | None], bool]


class Orders:
    """Takes it, and reports what became of it."""

    def __init__(self, unit: Unit, name: str, send: Send) -> None:
        self._unit = unit
        self._name = name
        self._send = send
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
