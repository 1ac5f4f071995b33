"""Board profiles: what hardware a unit has, read from one TOML file per board.

A profile is checked when it is loaded, so that a mistyped key is found at start and not in a visit. `sim`
needs no hardware at all and is the default.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from firmware.board_problems import did_you_mean, problems
from firmware.pins import PinsProfile
from firmware.this_board import AUTO, this_board

BOARDS_FOLDER = Path(__file__).parent / "boards"
DEFAULT_BOARD = "sim"
MM_PER_INCH = 25.4
PX_PER_MM = (1.0, 30.0)
"""From a wall screen to a telephone; beyond is a mistyped size."""
SHAPE_TOLERANCE = 0.15
"""Pixels are square; a size that makes them narrower or wider than this was measured wrong."""
V4L2_FORMATS = frozenset(
    {
        "yuv420p",
        "yuv422p",
        "yuyv422",
        "uyvy422",
        "yuv411p",
        "yuv410p",
        "nv12",
        "rgb24",
        "bgr24",
        "bgr0",
        "0rgb",
        "rgb555le",
        "rgb565le",
        "gray",
        "gray16le",
        "mjpeg",
        "h264",
        "mpeg4",
        "hevc",
        "bayer_bggr8",
        "bayer_gbrg8",
        "bayer_grbg8",
        "bayer_rggb8",
    }
)
"""What FFmpeg's video4linux2 input takes as `input_format` (libavdevice, table of formats)."""

OutputName = Literal["loudspeaker", "headphones", "hearing_loop"]
NodeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,120}$")]
EncoderName = Literal["libx264", "h264_v4l2m2m", "h264_qsv", "h264_nvenc"]


class BoardError(Exception):
    """A board profile that cannot be used; its text says which file, which keys, and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CameraProfile(_Part):
    """The camera: `scene` is drawn by code, `file` plays footage in a loop, `v4l2` is a real one (UVC or
    MIPI).

    width and height in pixels (even, since H.264 pictures of 4:2:0 are), frame_rate in frames/s.
    pixel_formats: FFmpeg's names for V4L2 input formats. The camera's cheapest form that gives size and rate is
    taken; of two that cost alike the one named first. Where the driver lists nothing, they are tried in order.
    sensor_width and sensor_height: the largest picture, for zoom and stills; without them the largest of width's
    and height's shape that the driver lists.
    """

    kind: Literal["scene", "file", "v4l2"]
    device: str | None = None
    file: str | None = None
    width: int = Field(default=1280, ge=160, le=3840, multiple_of=2)
    height: int = Field(default=720, ge=90, le=2160, multiple_of=2)
    sensor_width: int | None = Field(default=None, ge=160, le=8192, multiple_of=2)
    sensor_height: int | None = Field(default=None, ge=90, le=6144, multiple_of=2)
    frame_rate: int = Field(default=30, ge=1, le=60)
    pixel_formats: list[str] = Field(default_factory=lambda: ["mjpeg", "yuyv422"], min_length=1)

    @field_validator("pixel_formats")
    @classmethod
    def _ffmpeg_knows(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in V4L2_FORMATS:
                raise ValueError(
                    f"FFmpeg knows no camera format {name!r}; {did_you_mean(name, V4L2_FORMATS)}"
                )
        if len(set(names)) < len(names):
            raise ValueError("one format is named twice")
        return names

    @model_validator(mode="after")
    def _has_its_source(self) -> CameraProfile:
        if self.kind == "v4l2" and not self.device:
            raise ValueError("a v4l2 camera needs device, for example /dev/video0")
        if self.kind == "file" and not self.file:
            raise ValueError("a file camera needs file, the path of a film")
        return self

    @model_validator(mode="after")
    def _sensor_is_whole(self) -> CameraProfile:
        size = (self.sensor_width, self.sensor_height)
        if (size[0] is None) != (size[1] is None):
            raise ValueError("sensor_width and sensor_height go together")
        if self.sensor is not None and (self.sensor[0] < self.width or self.sensor[1] < self.height):
            raise ValueError("the sensor cannot be smaller than width and height")
        return self

    @property
    def sensor(self) -> tuple[int, int] | None:
        """Width and height of the largest picture, if the profile tells."""
        if self.sensor_width is None or self.sensor_height is None:
            return None
        return self.sensor_width, self.sensor_height


class MicrophoneProfile(_Part):
    """The microphone: `speech` is made by code, `file` is the film's sound, `pipewire` a PipeWire source.

    target: name of the PipeWire node, best the echo-cancelled source; none takes PipeWire's default.
    """

    kind: Literal["speech", "file", "pipewire"]
    target: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _has_its_source(self) -> MicrophoneProfile:
        if self.kind == "file" and not self.file:
            raise ValueError("a file microphone needs file, the path of a film with sound")
        return self


class LoudspeakerProfile(_Part):
    """Where the kiosk browser plays: a PipeWire sink, or `none` where there is no sound card.

    outputs: the ways of hearing that the room has, each with the name of its PipeWire node. One of them is the
    default sink, chosen by the patient; with none given there is no choice. With `none` the choice is only kept.
    """

    kind: Literal["none", "pipewire"]
    target: str | None = None
    outputs: dict[OutputName, NodeName] = Field(default_factory=dict)


class ScreenProfile(_Part):
    """The screen's size in pixels and in millimetres; targets for fingers are laid out from it.

    touch: whether it is to be touched; `halsorum board` and the self-test then look for what feels it.
    kiosk: whether a browser of this machine shows the pages all the time: a screen without them is a fault then.
    """

    width_px: int = Field(gt=0, le=16384)
    height_px: int = Field(gt=0, le=16384)
    width_mm: float = Field(gt=0, le=5000)
    height_mm: float = Field(gt=0, le=5000)
    touch: bool = True
    kiosk: bool = True

    @model_validator(mode="after")
    def _size_can_be(self) -> ScreenProfile:
        across, down = self.width_px / self.width_mm, self.height_px / self.height_mm
        mm = f"{self.width_mm:g} x {self.height_mm:g} mm"
        if not all(PX_PER_MM[0] <= each <= PX_PER_MM[1] for each in (across, down)):
            raise ValueError(
                f"{self.width_px} x {self.height_px} pixels do not fit on {mm} ({across:.1f} pixels to a mm; "
                f"screens have {PX_PER_MM[0]:g} to {PX_PER_MM[1]:g}): measure the picture, without its frame"
            )
        if abs(across / down - 1) > SHAPE_TOLERANCE:
            raise ValueError(
                f"{mm} has not the shape of {self.width_px} x {self.height_px} pixels: measure it anew"
            )
        return self

    @property
    def diagonal_inch(self) -> float:
        """Diagonal in inches, as screens are sold."""
        return float((self.width_mm**2 + self.height_mm**2) ** 0.5 / MM_PER_INCH)

    @property
    def px_per_mm(self) -> float:
        """How many pixels make one millimetre across."""
        return self.width_px / self.width_mm


class NetworkProfile(_Part):
    """Who keeps the machine's network: `networkd` (systemd-networkd, by way of halsorum-network.service), or
    `none` where it is not the unit's to set. result: where that service says what became of it."""

    kind: Literal["none", "networkd"] = "none"
    result: str = "/run/halsorum-network/result.json"


class Board(_Part):
    """One board's profile: cameras, encoders in order of preference, sound, screen and pins.

    hand_camera: a second one on a cable, to be held to what is to be seen; its pictures are sent in camera's size.
    """

    name: str = Field(min_length=1)
    camera: CameraProfile
    hand_camera: CameraProfile | None = None
    encoders: list[EncoderName] = Field(min_length=1)
    microphone: MicrophoneProfile
    loudspeaker: LoudspeakerProfile
    screen: ScreenProfile
    pins: PinsProfile = PinsProfile()
    network: NetworkProfile = NetworkProfile()

    @field_validator("encoders")
    @classmethod
    def _no_encoder_twice(cls, names: list[EncoderName]) -> list[EncoderName]:
        if len(set(names)) < len(names):
            raise ValueError("one encoder is named twice")
        return names

    @model_validator(mode="after")
    def _two_cameras(self) -> Board:
        hand = self.hand_camera
        if hand is not None and hand.kind == "v4l2" and hand.device == self.camera.device:
            raise ValueError(
                f"hand_camera.device and camera.device are both {hand.device}: they are two cameras"
            )
        return self

    def with_footage(self, file: Path) -> Board:
        """This board with its camera and microphone played from a film instead."""
        camera = self.camera.model_copy(update={"kind": "file", "file": str(file)})
        microphone = self.microphone.model_copy(update={"kind": "file", "file": str(file)})
        return self.model_copy(update={"camera": camera, "microphone": microphone})


def board_names() -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(path.stem for path in BOARDS_FOLDER.glob("*.toml"))


def load_board(name_or_path: str | Path = DEFAULT_BOARD) -> Board:
    """Read a profile by its name ("pi5"), by the path of a TOML file of one's own, or "auto": by what this
    machine says that it is.

    Raises BoardError if there is no such profile, it is no TOML, or a key is unknown, missing or out of
    range.
    """
    if name_or_path == AUTO:
        found = this_board()
        if not found.name:
            raise BoardError(f'board = "auto": {found.why}; choose one of {", ".join(board_names())}')
        name_or_path = found.name
    own_file = isinstance(name_or_path, Path) or str(name_or_path).endswith(".toml")
    path = Path(name_or_path) if own_file else BOARDS_FOLDER / f"{name_or_path}.toml"
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BoardError(_no_such(path)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"the board profile {path} cannot be read: {error}; correct the file") from error
    try:
        return Board.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        raise BoardError(
            f"the board profile {path} is wrong: {problems(error, Board)}. Correct the file"
        ) from error


def _no_such(path: Path) -> str:
    known = ", ".join(board_names())
    near = did_you_mean(path.stem, board_names())
    hint = f" {near}" if near.startswith("did") else ""
    return f"there is no board profile {path};{hint} choose one of {known}, or give a .toml file"
