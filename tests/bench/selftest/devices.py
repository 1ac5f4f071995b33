"""The devices of the bench's room: files that it breaks and mends while the agent runs."""

from __future__ import annotations

import json
import os
import wave
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.update.told import RUN
from tests.bench.selftest.certificates_of_any_age import HAND_MADE, hand_made, replace_certificate

BOARD = """encoders = {encoders}
[camera]
kind = "file"
file = "{camera}"
width = {width}
height = {height}
frame_rate = {rate}
[microphone]
kind = "file"
file = "{silence}"
[loudspeaker]
kind = "none"
[screen]
width_px = 1280
height_px = 800
width_mm = 217.0
height_mm = 136.0
touch = true
kiosk = true
[pins]
{pins}
"""
PINS = "camera_lamp = 17\ndoor_lamp = 27"
HEALTHY_BOARD: dict[str, Any] = {
    "encoders": ["libx264"],
    "width": 1280,
    "height": 720,
    "rate": 30,
    "pins": f"mock = true\n{PINS}",
}


@dataclass
class Devices:
    """Below one folder. `films`: what the camera may see, by name."""

    folder: Path
    films: dict[str, bytes]

    def camera_driver(self, how: str) -> None:
        """How it is broken (agent_process.py); empty: it works."""
        self.driver_file.write_text(how)

    def restart_agent(self) -> None:
        """Whoever has an agent starts it anew."""
        raise NotImplementedError

    @property
    def sys(self) -> Path:
        """In the place of /sys."""
        return self.folder / "sys"

    @property
    def state(self) -> Path:
        """The unit's, on a small file system of its own."""
        return self.folder / "system" / "unit" / "state"

    @property
    def board_file(self) -> Path:
        return self.folder / "devices" / "board.toml"

    @property
    def camera_file(self) -> Path:
        return self.folder / "devices" / "camera.mp4"

    @property
    def driver_file(self) -> Path:
        return self.folder / "devices" / "camera-driver"

    @property
    def silence_file(self) -> Path:
        """Nobody speaks in the room; its noise is the acoustics'."""
        return self.folder / "devices" / "silence.wav"

    def lay_machine(self) -> None:
        """A machine that is well: 48 °C, voltage in order, a screen that feels touches."""
        self.write_sys("class/thermal/thermal_zone0/type", "cpu-thermal")
        self.write_sys("class/thermal/thermal_zone0/temp", "48000")
        self.write_sys("class/hwmon/hwmon0/name", "rpi_volt")
        self.write_sys("class/hwmon/hwmon0/in0_lcrit_alarm", "0")
        self.write_sys("devices/platform/soc/soc:firmware/get_throttled", "0")
        self.write_sys("class/input/event0/device/properties", "2")
        self.write_sys("class/input/event0/device/capabilities/abs", "260800000000003")

    def write_sys(self, name: str, text: str) -> None:
        """One file of it."""
        file = self.sys / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def write_camera(self, content: bytes) -> None:
        """What the camera sees from its next opening on."""
        beside = self.camera_file.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(self.camera_file)

    def acoustics(self, **values: Any) -> None:
        """How the room sounds; none: well (agent/media/sim_room.py)."""
        file = self.state / "acoustics.toml"
        if not values:
            file.unlink(missing_ok=True)
            return
        beside = file.with_suffix(".new")
        beside.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
        beside.replace(file)

    def board(self, **values: Any) -> None:
        """Another board from the agent's next start on, which follows at once."""
        self.board_file.write_text(self._board(HEALTHY_BOARD | values))
        self.restart_agent()

    def clock_off(self, seconds: float) -> None:
        """The machine's time of day is wrong by so much."""
        (self.folder / "clock-offset").write_text(str(seconds))

    def fill_disk(self) -> None:
        """All but a megabyte of the state's own file system."""
        free = os.statvfs(self.state)
        with (self.state / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - (1 << 20)))

    def empty_disk(self) -> None:
        (self.state / "filler").unlink(missing_ok=True)

    def update_told(self, document: dict[str, Any] | None) -> None:
        """What root's part says of the last installation (agent/update/told.py)."""
        file = RUN / "install.json"
        if document is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(json.dumps(document))

    def certificate(self, left: timedelta | None) -> None:
        """The unit goes by a certificate of 90 days made by hand, of which so much is left; None: by its own."""
        text = self._unit_file.read_text()
        own = [line for line in text.splitlines() if not line.startswith(HAND_MADE)]
        if left is None:
            own = [line.removeprefix("#") for line in own]
        else:
            own = [f"#{line}" if line.startswith("identity_dir") else line for line in own]
            files = hand_made(self.folder / "system" / "pki", self.folder / "devices", "unit-1", left)
            own += [f'{name} = "{file}"' for name, file in zip(HAND_MADE, files, strict=True)]
        self._unit_file.write_text("\n".join(own) + "\n")
        self.restart_agent()

    def expired_certificate(self) -> None:
        """Its own has ended a day ago, and its machine's time is known."""
        current = (self.folder / "system" / "unit" / "identity" / "current").resolve()
        self._kept_identity = {file: file.read_bytes() for file in current.iterdir()}
        replace_certificate(self.folder / "system" / "pki", current, "unit-1", -timedelta(days=1))
        self.restart_agent()

    def own_certificate(self) -> None:
        """As it was."""
        for file, content in self._kept_identity.items():
            file.write_bytes(content)
        self.restart_agent()

    @property
    def _unit_file(self) -> Path:
        return self.folder / "system" / "unit" / "unit.toml"

    def _board(self, values: dict[str, Any]) -> str:
        return BOARD.format(
            camera=self.camera_file,
            silence=self.silence_file,
            **(values | {"encoders": json.dumps(values["encoders"])}),
        )


def write_silence(file: Path, seconds: int = 10) -> None:
    """A sound file of nothing: 48 kHz, mono."""
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(2 * 48_000 * seconds))
