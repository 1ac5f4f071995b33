"""A board profile with the devices, the screen's size and the pins that the region has set. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, Devices, PanelPins
from firmware.board import Board

NOT_THERE = -1
"""Written for a pin of a part that this room has not."""


def board_with(board: Board, values: Config) -> Board:
    """The profile as it is on this unit. ValueError if the board cannot have it."""
    parts: dict[str, Any] = board.model_dump()
    if values.devices is not None:
        _use_devices(parts, board, values.devices)
    if values.screen is not None:
        parts["screen"] |= values.screen.model_dump()
    if values.panel is not None:
        parts["pins"] |= _pins(values.panel)
        if values.panel.chip is not None:
            parts["pins"]["mock"] = False  # lines that are there in place of those that are not
    return Board.model_validate(parts)


def what_is_wrong_here(board: Board, config: Config) -> tuple[tuple[str, str], ...]:
    """As what_is_wrong, and what only this unit can know: its board's pins and its screen's pixels."""
    wrong = what_is_wrong(config)
    if wrong:
        return wrong
    for name in ("devices", "panel", "screen"):
        alone = Config().model_copy(update={name: getattr(config, name)})
        try:
            board_with(board, alone)
        except ValidationError as error:
            return ((name, "; ".join(_words(one) for one in error.errors(include_url=False))),)
    return ()


def _words(problem: ErrorDetails) -> str:
    """Our own sentence, without pydantic's "Value error"."""
    cause = problem.get("ctx", {}).get("error")
    return str(cause) if cause is not None else problem["msg"]


def _use_devices(parts: dict[str, Any], board: Board, devices: Devices) -> None:
    if devices.camera is not None:
        parts["camera"] = _camera(board.camera, devices.camera)
    if devices.hand_camera is not None:
        parts["hand_camera"] = _camera(board.hand_camera or board.camera, devices.hand_camera)
    if devices.microphone is not None:
        parts["microphone"] = {"kind": "pipewire", "target": devices.microphone}
    if devices.loudspeaker is not None:
        outputs = {**board.loudspeaker.outputs, "loudspeaker": devices.loudspeaker}
        parts["loudspeaker"] |= {"target": devices.loudspeaker, "outputs": outputs}


def _camera(profile: BaseModel, device: str) -> dict[str, Any]:
    """Another camera has another sensor, whose size its driver tells."""
    other = {"kind": "v4l2", "device": device, "file": None, "sensor_width": None, "sensor_height": None}
    return {**profile.model_dump(), **other}


def _pins(panel: PanelPins) -> dict[str, int | str | None]:
    return {name: None if pin == NOT_THERE else pin for name, pin in panel if pin is not None}
