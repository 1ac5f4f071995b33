"""`halsorum encoders` and `halsorum camera`: what this unit's own devices can do, tried on the spot.

They run on the unit, beside the agent: at low priority, so that a call that goes on does not suffer.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from dataclasses import asdict
from pathlib import Path

from agent.board_media import capture_settings
from agent.config import SettingsError, load_settings
from agent.media.camera_gate import NO_GATE
from agent.media.capture import CaptureSettings
from agent.media.device import DeviceError
from firmware.board import DEFAULT_BOARD, Board, BoardError, load_board

NICE = 10
SETTINGS_FILE = Path("/etc/halsorum/unit.toml")


def main(arguments: list[str] | None = None) -> int:
    """Run one of the unit's commands; 0 if a working encoder or camera was found, 1 if none, 2 for a wrong
    call."""
    options = _parser().parse_args(arguments)
    logging.disable()  # what fails is in the answer
    os.setpriority(os.PRIO_PROCESS, 0, NICE)  # the agent that starts this runs before everything else
    try:
        board, settings = _board(options.board, options.config)
    except (BoardError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    show = {"encoders": show_encoders, "camera": show_camera}[options.command]
    return show(board, settings, as_json=options.json)


def show_encoders(board: Board, settings: CaptureSettings, *, as_json: bool) -> int:
    """Try each encoder of the board with real pictures, and print which one a call begins with."""
    from agent.media.camera_cost import measured_costs_ms
    from agent.media.encoder_probe import in_order_of_use, probe_encoders

    camera = settings.camera
    results = probe_encoders(settings.encoders, camera.width, camera.height, camera.frame_rate)
    works = any(result.ok for result in results)
    chosen = in_order_of_use(results)[0] if works else None
    if as_json:
        found = [
            {
                "name": result.name,
                "ok": result.ok,
                "speed": round(result.speed_ratio, 2),
                "picture_ms": round(result.picture_ms, 2),
                "reason": result.reason,
            }
            for result in results
        ]
        answer = {"board": board.name, "encoder": chosen, "encoders": found}
        print(json.dumps({**answer, "camera_costs_ms": measured_costs_ms()}))
    else:
        print(f"Board {board.name}, {camera.width}x{camera.height} at {camera.frame_rate} frames/s:")
        for result in results:
            speed = f"{result.picture_ms:.1f} ms a picture, {result.speed_ratio:.1f} times real time"
            mark = "*" if result.name == chosen else " "
            print(f" {mark} {result.name:<14} {speed if result.ok else f'not used: {result.reason}'}")
        print("* a call begins with it" if works else "No encoder works: this unit can send no picture.")
    return 0 if works else 1


def show_camera(board: Board, settings: CaptureSettings, *, as_json: bool) -> int:
    """Ask the camera what it gives, and print in which form its pictures are taken. It is not switched on."""
    from agent.media.camera_choice import CameraWish, camera_paths
    from agent.media.camera_cost import measured_costs_ms
    from agent.media.v4l2 import camera_abilities

    camera = settings.camera
    if camera.kind != "v4l2":
        print(
            json.dumps({"board": board.name, "paths": []})
            if as_json
            else f"Board {board.name} has no real camera."
        )
        return 0
    try:
        abilities = camera_abilities(camera.device, camera.width, camera.height)
    except DeviceError as error:
        sys.stderr.write(f"{error}.\n")
        return 1
    wish = CameraWish(camera.width, camera.height, camera.frame_rate, camera.pixel_formats)
    paths = camera_paths(abilities.modes, wish, measured_costs_ms())
    if as_json:
        print(
            json.dumps(
                {"board": board.name, "card": abilities.card, "paths": [asdict(path) for path in paths]}
            )
        )
    else:
        print(
            f"{abilities.card} at {abilities.bus}; wanted: {camera.width}x{camera.height} at {camera.frame_rate}/s"
        )
        for index, path in enumerate(paths):
            print(f" {'*' if index == 0 else ' '} {path}")
    return 0 if paths else 1


def _board(name: str | None, config: Path) -> tuple[Board, CaptureSettings]:
    if name is None and config.exists():
        settings = load_settings(config)
        board = load_board(settings.board)
        return board, capture_settings(board, settings, NO_GATE)
    board = load_board(name or DEFAULT_BOARD)
    return board, capture_settings(board, None, NO_GATE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="halsorum", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("encoders", "camera"))
    parser.add_argument("--board", help="a profile's name or file, in place of the one in the settings")
    parser.add_argument("--config", type=Path, default=SETTINGS_FILE, help="the unit's settings file")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
