"""A board profile with the devices, the screen's size and the pins that the region has set. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from agent.contract.config_check import what_is_wrong
from agent.contract.unit_config import Config, Devices, PanelPins
from firmware.board import Board, ScreenProfile

PX_PER_MM = (1.0, 30.0)
"""From a wall screen to a telephone; beyond is a mistyped size."""
SHAPE_TOLERANCE = 0.15
"""Pixels are square; a size that makes them narrower or wider than this was measured wrong."""


def board_with(board: Board, values: Config) -> Board:
    """The profile as it is on this unit. ValueError if the board cannot have it."""
    parts: dict[str, Any] = board.model_dump()
    if values.devices is not None:
        _use_devices(parts, board, values.devices)
    if values.screen is not None:
        parts["screen"] |= values.screen.model_dump()
    if values.panel is not None:
        parts["pins"] |= _pins(values.panel)
    return Board.model_validate(parts)


def what_is_wrong_here(board: Board, config: Config) -> tuple[tuple[str, str], ...]:
    """As what_is_wrong, and what only this unit can know: its board's pins and its screen's pixels."""
    wrong = what_is_wrong(config)
    if wrong:
        return wrong
    for name in ("devices", "panel"):
        alone = Config().model_copy(update={name: getattr(config, name)})
        try:
            board_with(board, alone)
        except ValidationError as error:
            return (
                (name, "; ".join(one["msg"] for one in error.errors(include_input=False, include_url=False))),
            )
    reason = _wrong_size(board.screen, config)
    return (("screen", reason),) if reason else ()


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


def _pins(panel: PanelPins) -> dict[str, int | None]:
    return {name: None if pin < 0 else pin for name, pin in panel if pin is not None}


def _wrong_size(screen: ScreenProfile, config: Config) -> str:
    size = config.screen
    if size is None:
        return ""
    across, down = screen.width_px / size.width_mm, screen.height_px / size.height_mm
    if not all(PX_PER_MM[0] <= each <= PX_PER_MM[1] for each in (across, down)):
        mm = f"{size.width_mm:g} x {size.height_mm:g} mm"
        return f"{screen.width_px} x {screen.height_px} pixels do not fit on {mm}"
    if abs(across / down - 1) > SHAPE_TOLERANCE:
        return f"has not the shape of the screen's {screen.width_px} x {screen.height_px} pixels"
    return ""
