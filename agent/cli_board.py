"""`halsorum board`: what this machine has, what the board profile asks of it, what was chosen, and why.

Runs beside the agent, without root; no camera is switched on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.board_media import capture_settings
from agent.board_report import (
    Asked,
    CameraAnswer,
    EncoderAnswer,
    Finding,
    SoundAnswer,
    findings,
    what_is_missing,
)
from agent.config import SettingsError, load_settings
from agent.media.camera import CameraSettings
from agent.media.camera_gate import NO_GATE
from agent.media.device import DeviceError
from firmware.board import DEFAULT_BOARD, Board, BoardError, load_board
from firmware.found import look_around
from firmware.this_board import AUTO, this_board

SETTINGS_FILE = Path("/etc/halsorum/unit.toml")
PIPEWIRE_WITHIN_S = 3.0
SIGNS = {"ok": "ok", "missing": "MISSING", "unneeded": "-"}


def main(arguments: list[str]) -> int:
    """0 if everything that the profile needs is here, 1 if something is missing, 2 for a profile or settings file
    that cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        name, why = _chosen(options.board, options.config)
        board = load_board(name)
    except (BoardError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    all_of_them = findings(board, ask_machine(board))
    if options.json:
        missing = what_is_missing(all_of_them)
        parts = [asdict(finding) for finding in all_of_them]
        print(
            json.dumps(
                {"board": board.name, "why": why, "missing": missing, "parts": parts}, ensure_ascii=False
            )
        )
    else:
        _print(board, why, all_of_them)
    return 1 if what_is_missing(all_of_them) else 0


def ask_machine(board: Board) -> Asked:
    """Ask the kernel, the codecs and PipeWire."""
    found = look_around()
    settings = capture_settings(board, None, NO_GATE)
    profiles = [each for each in (settings.camera, settings.hand_camera) if each and each.kind == "v4l2"]
    cameras = {path: _camera(path, settings.camera) for path, _ in found.cameras}
    cameras |= {profile.device: _camera(profile.device, profile) for profile in profiles}
    return Asked(
        found, cameras, _encoders(board), _sound(), can_resolve=lambda path: str(Path(path).resolve())
    )


def _chosen(name: str | None, config: Path) -> tuple[str, str]:
    """The profile's name, and why it is this one."""
    if name is None and config.exists():
        name, why = load_settings(config).board, f"{config} says so"
    else:
        why = "asked for" if name is not None else "nothing says which, and it needs no hardware"
    name = name or DEFAULT_BOARD
    if name == AUTO:
        here = this_board()
        return AUTO, f"chosen by itself: {here.why}"
    return name, why


def _camera(device: str, wanted: CameraSettings) -> CameraAnswer:
    from agent.media.camera_choice import FFMPEG_NAMES, CameraWish, camera_paths
    from agent.media.v4l2 import camera_abilities

    try:
        abilities = camera_abilities(device, wanted.width, wanted.height)
    except DeviceError as error:
        return CameraAnswer(problem=f"{error}.")
    wish = CameraWish(wanted.width, wanted.height, wanted.frame_rate, wanted.pixel_formats)
    paths = camera_paths(abilities.modes, wish)
    forms = tuple(
        f"{mode.fourcc} ({FFMPEG_NAMES.get(mode.fourcc, 'not used')}) {mode.width}x{mode.height} "
        f"at {mode.frame_rate:g}/s"
        for mode in abilities.modes
    )
    return CameraAnswer(abilities.card, forms, str(paths[0]) if paths else "")


def _encoders(board: Board) -> tuple[EncoderAnswer, ...]:
    from agent.media.encoder_probe import probe_encoders

    camera = board.camera
    results = probe_encoders(board.encoders, camera.width, camera.height, camera.frame_rate)
    return tuple(
        EncoderAnswer(
            each.name,
            each.ok,
            f"{each.picture_ms:.1f} ms a picture, {each.speed_ratio:.1f} times real time"
            if each.ok
            else each.reason,
        )
        for each in results
    )


def _sound() -> SoundAnswer:
    try:
        answer = subprocess.run(["pw-dump"], capture_output=True, timeout=PIPEWIRE_WITHIN_S, check=False)
    except FileNotFoundError:
        return SoundAnswer(problem="PipeWire is not installed (pw-dump): install pipewire-bin.")
    except subprocess.TimeoutExpired:
        return SoundAnswer(problem="PipeWire does not answer: restart halsorum-audio.service.")
    if answer.returncode:
        return SoundAnswer(
            problem="PipeWire cannot be reached: see halsorum-audio.service, and the group halsorum-audio."
        )
    return sound_nodes(answer.stdout)


def sound_nodes(dump: bytes) -> SoundAnswer:
    """Sources and sinks of `pw-dump`'s answer, by node.name."""
    try:
        objects = json.loads(dump)
        props = [each["info"]["props"] for each in objects if each.get("type", "").endswith(":Node")]
        named = [(each.get("media.class", ""), str(each.get("node.name", ""))) for each in props]
    except (ValueError, KeyError, TypeError, AttributeError):
        return SoundAnswer(problem="PipeWire's answer cannot be read: its release is another than we know.")
    return SoundAnswer(
        tuple(name for kind, name in named if kind.startswith("Audio/Source")),
        tuple(name for kind, name in named if kind.startswith("Audio/Sink")),
    )


def _print(board: Board, why: str, all_of_them: tuple[Finding, ...]) -> None:
    console = Console(highlight=False)
    console.print(f"Board {board.name} ({why}).", markup=False)
    table = Table("part", "", "asked for", "here", "taken")
    for one in all_of_them:
        cells = (one.part, SIGNS[one.standing], one.wanted, "\n".join(one.found), one.taken)
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    for one in all_of_them:
        if one.advice:
            console.print(f"{one.part}: {one.advice}", markup=False)
    missing = what_is_missing(all_of_them)
    if missing:
        console.print(f"Missing: {', '.join(missing)}.", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="halsorum", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("board",))
    parser.add_argument(
        "--board", help="a profile's name or file, or \"auto\", in place of the settings' one"
    )
    parser.add_argument("--config", type=Path, default=SETTINGS_FILE, help="the unit's settings file")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser
