"""What takes the fields of a configuration into use, and says whether the unit is well with them.

Everything that is in force by being in `Unit.configuration` alone has no part here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from agent.broker_link import BrokerLink, link_settings
from agent.config_on_board import board_with
from agent.contract.instructions import instruction
from agent.contract.unit_config import Config
from agent.link import LinkSettings
from agent.media.media_socket import PortRange, open_udp
from agent.room import State as RoomState
from agent.room import TestAsked
from agent.room_panel import RoomPanel
from agent.unit import Unit
from firmware.board import Board

DEVICE_PROBES = frozenset({"camera", "microphone", "loudspeaker", "encoder", "selftest"})
"""Probes that tell of devices; a region that is away is no fault of theirs."""
NETWORK_HOLDS = 1 / 8
"""Share of a trial. networkd takes a change in bit by bit, and a switch that asks by IEEE 802.1X closes its port
only after it has asked: what still connects in the first second may be the network as it was."""


class LinkPart:
    """Broker, authorities and proxy: the link is built anew."""

    fields = frozenset({"broker", "region_ca", "network"})

    def __init__(self, link: BrokerLink, first: LinkSettings, now_s: Callable[[], float]) -> None:
        self._link, self._first, self._now_s = link, first, now_s
        self._since = self._connected_at = float("-inf")

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """Raises OSError for authorities that cannot be used."""
        settings = link_settings(self._first, values)
        if settings != self._link.settings:
            self._link.use(settings)
            self._since = self._now_s()

    def renew(self) -> None:
        """The network is another: connect anew, by which it shows itself."""
        self._link.use(self._link.settings, anew=True)
        self._since = self._now_s()

    def connection(self, up: bool) -> None:
        """The broker has come or gone."""
        if up:
            self._connected_at = self._now_s()

    def fault(self) -> str:
        if self._link.up and self._connected_at >= self._since:
            return ""
        return f"the broker at {self._link.settings.host}:{self._link.settings.port} was not reached"


class NetworkBackend(Protocol):
    """What sets the machine's network (firmware/network.py)."""

    def use(self, network: str | None, *, on_trial: bool) -> bool: ...
    def outcome(self) -> str | None: ...


class NetworkPart:
    """The wired network. Once it is set, and again when it has held for a while, the link is built anew on it."""

    fields = frozenset({"network"})

    def __init__(
        self,
        backend: NetworkBackend,
        renew: Callable[[], None],
        now_s: Callable[[], float],
        *,
        trial_s: float,
    ) -> None:
        self._backend = backend
        self._renew = renew
        self._now_s = now_s
        self._holds_s = trial_s * NETWORK_HOLDS
        self._is_awaited = False
        self._holds_at: float | None = None

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """Raises OSError when it cannot be handed over."""
        network = values.network.model_dump_json() if values.network is not None else None
        self._is_awaited = self._backend.use(network, on_trial=on_trial) and on_trial
        self._holds_at = None

    def fault(self) -> str:
        outcome = self._backend.outcome()
        if outcome is None:
            return "the network was not set"
        if outcome:
            return f"the network could not be set: {outcome}"
        if self._is_awaited:
            self._is_awaited = False
            self._holds_at = self._now_s() + self._holds_s
            self._renew()
        if self._holds_at is not None and self._now_s() < self._holds_at:
            return f"the network has not held for {self._holds_s:g} s"
        if self._holds_at is not None:
            self._holds_at = None
            self._renew()
        return ""


class DevicesPart:
    """Camera, microphone and loudspeaker: a self-test shows whether they work."""

    fields = frozenset({"devices"})

    def __init__(self, unit: Unit, board: Board, use: Callable[[Board], None]) -> None:
        self._unit, self._board, self._use = unit, board, use
        self._used = board
        self._tested_before = unit.room.tested_at

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """Raises ValueError for what the board cannot have."""
        board = board_with(self._board, Config(devices=values.devices))
        if board == self._used:
            return
        self._used = board
        self._use(board)
        self._tested_before = self._unit.room.tested_at
        self._unit.room_event(TestAsked("again"))

    def fault(self) -> str:
        room = self._unit.room
        if room.tested_at == self._tested_before or room.state == RoomState.TESTING:
            return "the self-test was not made"
        failed = [fault for fault in room.faults if instruction(fault).probe in DEVICE_PROBES]
        return f"the self-test failed: {', '.join(failed)}" if failed else ""


class PanelPart:
    """The panel's pins."""

    fields = frozenset({"panel"})

    def __init__(self, board: Board, panel: RoomPanel) -> None:
        self._board, self._panel = board, panel
        self._is_asked_for = False

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """Raises ValueError for what the board cannot have."""
        pins = board_with(self._board, Config(panel=values.panel)).pins
        self._is_asked_for = bool(pins.given)
        self._panel.use(pins)

    def fault(self) -> str:
        return (self._panel.missing or "") if self._is_asked_for else ""


class ScreenPart:
    """The touchscreen's size in millimetres: its pages are laid out anew."""

    fields = frozenset({"screen"})

    def __init__(self, board: Board, resize: Callable[[float, float], None]) -> None:
        self._board, self._resize = board, resize

    def apply(self, values: Config, *, on_trial: bool) -> None:
        size = values.screen or self._board.screen
        self._resize(size.width_mm, size.height_mm)

    def fault(self) -> str:
        return ""


class PortsPart:
    """The media's UDP ports: one of them must be ours to take."""

    fields = frozenset({"media_ports"})

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def apply(self, values: Config, *, on_trial: bool) -> None:
        """In force from the next call on, by being in the unit's configuration."""

    def fault(self) -> str:
        ports = self._unit.configuration.network.media_ports
        try:
            with closing(open_udp("0.0.0.0", PortRange.parse(ports) if ports else None, 0)):  # noqa: S104
                return ""
        except OSError as error:
            return error.strerror or "media_ports cannot be used"
