"""What a board profile asks for, what this machine has, what is taken, and what to do about the rest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from firmware.board import Board, CameraProfile
from firmware.found import ConnectedScreen, Found
from firmware.gpio_chip import chip_for

Standing = Literal["ok", "missing", "unneeded"]
SIZE_TOLERANCE = 0.1
"""Screens round their size to centimetres; a tenth beside is another screen."""


@dataclass(frozen=True, slots=True)
class CameraAnswer:
    """What was learnt of one camera: its own name and forms, the one to be taken, or why there is none."""

    card: str = ""
    forms: tuple[str, ...] = ()
    taken: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EncoderAnswer:
    """One encoder as it was tried; `figures` says how fast, or why it is not used."""

    name: str
    ok: bool
    figures: str


@dataclass(frozen=True, slots=True)
class SoundAnswer:
    """PipeWire's nodes by name, or why it could not be asked."""

    sources: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """All that was learnt. cameras: by the device's path, the profile's own among them."""

    found: Found
    cameras: Mapping[str, CameraAnswer] = field(default_factory=dict)
    encoders: tuple[EncoderAnswer, ...] = ()
    sound: SoundAnswer = SoundAnswer()
    can_resolve: Callable[[str], str] = lambda path: path
    """The node a stable path such as /dev/v4l/by-id/… leads to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what the profile asks for, what is here, what is taken; `advice` where something is missing."""

    part: str
    standing: Standing
    wanted: str
    found: tuple[str, ...] = ()
    taken: str = ""
    advice: str = ""


def findings(board: Board, asked: Asked) -> tuple[Finding, ...]:
    """Each part of the profile, in its order, and then what else is here."""
    return (
        _camera("camera", board.camera, asked),
        *([_camera("hand_camera", board.hand_camera, asked)] if board.hand_camera else []),
        _encoders(board, asked.encoders),
        _microphone(board, asked.sound),
        _loudspeaker(board, asked.sound),
        _screen(board, asked.found),
        _touch(board, asked.found),
        _pins(board, asked.found),
        _network(board, asked.found),
        _thermal(asked.found),
    )


def what_is_missing(all_of_them: Sequence[Finding]) -> tuple[str, ...]:
    """The parts that the profile needs and this machine has not."""
    return tuple(finding.part for finding in all_of_them if finding.standing == "missing")


def _camera(part: str, profile: CameraProfile, asked: Asked) -> Finding:
    found = tuple(_camera_lines(asked))
    rate = f"{profile.width}x{profile.height} at {profile.frame_rate}/s"
    if profile.kind != "v4l2":
        made = "drawn by code" if profile.kind == "scene" else f"the film {profile.file}"
        return Finding(part, "ok", f"{profile.kind}, {rate}", found, made)
    device = profile.device or ""
    answer = asked.cameras.get(device, CameraAnswer(problem="it was not asked"))
    wanted = f"{device}, {rate}, of {', '.join(profile.pixel_formats)}"
    if answer.problem:
        others = [path for path, _ in asked.found.cameras if path != asked.can_resolve(device)]
        hint = f"Or take {others[0]}: write it as {part}.device. " if others else ""
        return Finding(part, "missing", wanted, found, "", f"{answer.problem} {hint}".strip())
    if not answer.taken:
        advice = (
            f"{answer.card} gives no form that can be used at {rate}; correct size or rate in the profile"
        )
        return Finding(part, "missing", wanted, found, "", advice)
    return Finding(part, "ok", wanted, found, f"{answer.card}: {answer.taken}")


def _camera_lines(asked: Asked) -> Iterator[str]:
    for device, driver in asked.found.cameras:
        answer = asked.cameras.get(device, CameraAnswer())
        yield f"{device} {answer.card or driver}"
        for form in answer.forms:
            yield f"  {form}"


def _encoders(board: Board, tried: Sequence[EncoderAnswer]) -> Finding:
    found = tuple(f"{one.name}: {one.figures}" for one in tried)
    chosen = next((one.name for one in tried if one.ok), "")
    why = "the first of the profile's order that works and keeps up" if chosen else ""
    advice = (
        "" if chosen else "No encoder works, and this unit can send no picture: install FFmpeg with libx264"
    )
    wanted = ", then ".join(board.encoders)
    taken = f"{chosen} ({why})" if chosen else ""
    return Finding("encoder", "ok" if chosen else "missing", wanted, found, taken, advice)


def _microphone(board: Board, sound: SoundAnswer) -> Finding:
    profile = board.microphone
    if profile.kind != "pipewire":
        return Finding(
            "microphone",
            "ok",
            profile.kind,
            sound.sources,
            "made by code" if profile.kind == "speech" else "",
        )
    return _node("microphone", profile.target, sound.sources, sound.problem)


def _loudspeaker(board: Board, sound: SoundAnswer) -> Finding:
    profile = board.loudspeaker
    if profile.kind != "pipewire":
        return Finding("loudspeaker", "unneeded", "none", sound.sinks)
    outputs = dict(profile.outputs)
    gone = {name: node for name, node in outputs.items() if node not in sound.sinks}
    if outputs and gone and not sound.problem:
        wanted = ", ".join(f"{name}: {node}" for name, node in outputs.items())
        advice = (
            f"PipeWire has no sink {', '.join(gone.values())}; see its cable, or correct loudspeaker.outputs"
        )
        return Finding("loudspeaker", "missing", wanted, sound.sinks, "", advice)
    return _node("loudspeaker", profile.target, sound.sinks, sound.problem)


def _node(part: str, target: str | None, nodes: tuple[str, ...], problem: str) -> Finding:
    wanted = f"PipeWire node {target}" if target else "PipeWire's default"
    if problem:
        return Finding(part, "missing", wanted, nodes, "", problem)
    if target is None and nodes:
        return Finding(part, "ok", wanted, nodes, "PipeWire's default")
    if target is not None and target in nodes:
        return Finding(part, "ok", wanted, nodes, target)
    names = f"; there are {', '.join(nodes)}" if nodes else "; there is none at all: plug the sound card in"
    return Finding(part, "missing", wanted, nodes, "", f"{wanted} is not there{names}. Correct {part}.target")


def _screen(board: Board, found: Found) -> Finding:
    size = board.screen
    wanted = f"{size.width_px}x{size.height_px} on {size.width_mm:g} x {size.height_mm:g} mm"
    here = tuple(_screen_words(screen) for screen in found.screens)
    taken = f"the profile's size: {size.px_per_mm:.1f} pixels to a mm, {size.diagonal_inch:.1f} inch"
    if not found.screens:
        if board.camera.kind != "v4l2":
            return Finding("screen", "ok", wanted, (), taken)
        return Finding(
            "screen", "missing", wanted, (), taken, "No screen is connected: see its cable and its power"
        )
    return Finding("screen", "ok", wanted, here, taken, _other_size(board, found.screens[0]))


def _screen_words(screen: ConnectedScreen) -> str:
    mm = f"{screen.width_mm} x {screen.height_mm} mm" if screen.width_mm else "no size in its EDID"
    return f"{screen.connector} {screen.width_px}x{screen.height_px}, {mm}"


def _other_size(board: Board, screen: ConnectedScreen) -> str:
    size = board.screen
    if not screen.width_mm or abs(screen.width_mm / size.width_mm - 1) <= SIZE_TOLERANCE:
        return ""
    return (
        f"The screen says {screen.width_mm} x {screen.height_mm} mm: if that is so, write it as screen.width_mm "
        "and screen.height_mm, or fingers get targets of the wrong size"
    )


def _touch(board: Board, found: Found) -> Finding:
    if found.touch or not board.screen.touch:
        return Finding(
            "touch",
            "ok",
            "a touchscreen",
            found.touch,
            found.touch[0] if found.touch else "a mouse does, by the profile",
        )
    return Finding("touch", "missing", "a touchscreen", (), "", "No touchscreen is found: see its USB cable")


def _pins(board: Board, found: Found) -> Finding:
    here = tuple(
        f"/dev/gpiochip{chip.number} {chip.label or '(may not be opened: see the group gpio)'}, {chip.lines} lines"
        for chip in found.gpio
    )
    pins = board.pins
    parts = ", ".join(f"{name} {line}" for name, line in pins.by_part.items())
    if not pins.given:
        return Finding("panel", "unneeded", "no panel", here)
    if pins.mock:
        return Finding("panel", "ok", parts, here, "mock pins: nothing is switched")
    chip = chip_for(pins, found.gpio)
    if chip is None:
        wanted = pins.chip or "the chip of a Raspberry Pi's header"
        advice = (
            f"{wanted} is not among the GPIO chips; plug it in, let the user into the group gpio, or correct "
            "pins.chip"
        )
        return Finding("panel", "missing", parts, here, "", advice)
    return Finding("panel", "ok", parts, here, f"/dev/gpiochip{chip.number} ({chip.label})")


def _network(board: Board, found: Found) -> Finding:
    here = tuple(f"{one.name} {'up' if one.up else 'no carrier'}" for one in found.network)
    if board.network.kind == "none":
        return Finding("network", "unneeded", "the machine's own", here)
    wired = [one for one in found.network if not one.wireless]
    if not wired:
        return Finding(
            "network", "missing", "a wired interface", here, "", "No wired network interface is found"
        )
    up = next((one for one in wired if one.up), None)
    advice = "" if up else f"{wired[0].name} has no carrier: see its cable"
    return Finding("network", "ok", "a wired interface", here, (up or wired[0]).name, advice)


def _thermal(found: Found) -> Finding:
    here = tuple(f"{zone.kind} {zone.celsius:.0f} °C" for zone in found.thermal)
    return Finding("temperature", "unneeded", "", here, here[0] if here else "")
