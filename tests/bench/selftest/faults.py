"""The faults: what is broken, at which level, how it is mended, and which instruction is the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.bench.selftest import films
from tests.bench.selftest.agent_process import NO_MEMORY, SLOW
from tests.bench.selftest.devices import PINS

if TYPE_CHECKING:
    from tests.bench.selftest.rig import Rig

Do = Callable[["Rig"], object]
LEAD_S, RESTART_LEAD_S, DISK_LEAD_S = 8.0, 50.0, 25.0
"""From the booking to the self-test: time for the fault to be made. An agent that starts anew tests itself first;
a full disk is seen by a look every 10 s."""
USB_PINS = "camera_lamp = 0\ndoor_lamp = 1"
"""A USB adapter has the lines 0 to 7."""


@dataclass(frozen=True)
class Fault:
    """level: at what it was made. right: instructions of which any is right; the first is the nearest."""

    name: str
    level: str
    right: tuple[str, ...]
    make: Do
    mend: Do
    lead_s: float = LEAD_S

    @property
    def restarts(self) -> bool:
        """Whether the agent is started anew for it."""
        return self.lead_s >= RESTART_LEAD_S

    @property
    def is_healthy(self) -> bool:
        """Nothing is broken: nothing is to be found."""
        return not self.right


def _nothing(_: Rig) -> None:
    """A healthy room."""


def _sound(name: str, *right: str, **values: object) -> Fault:
    return Fault(
        name, "acoustics file", right, lambda rig: rig.acoustics(**values), lambda rig: rig.acoustics()
    )


def _machine(name: str, file: str, bad: str, good: str, right: str) -> Fault:
    make, mend = (lambda rig, text=text: rig.write_sys(file, text) for text in (bad, good))
    return Fault(name, "sysfs file", (right,), make, mend)


def _camera(name: str, right: str) -> Fault:
    def make(rig: Rig) -> None:
        rig.write_camera(rig.films[name])

    return Fault(name, "picture file", (right,), make, lambda rig: rig.write_camera(rig.films["healthy"]))


def _process(name: str, part: str, right: str, text: str) -> Fault:
    return Fault(
        name, text, (right,), lambda rig: rig.stop_part(part), lambda rig: rig.go_on(part), lead_s=LEAD_S
    )


def camera_films() -> dict[str, bytes]:
    """What the camera faults' films show, by the fault's name; made once."""
    room = films.pictures("bigbuckbunny", 1) * 15
    other = films.pictures("bikes", 1, first=10) * 15
    return {
        "healthy": films.film(room),
        "camera's picture stands still": films.film(room, noise=0),
        "camera covered": films.film(room, films.covered),
        "lamp is out": films.film(room, films.dark),
        "sun on the lens": films.film(room, films.bright),
        "lens is smeared": films.film(room, films.blurred),
        "camera turned away": films.film(room, films.turned),
        "camera turned to another room": films.film(other),
    }


CAMERA = (
    Fault(
        "camera unplugged",
        "device file removed",
        ("camera",),
        lambda rig: rig.camera_file.unlink(),
        lambda rig: rig.write_camera(rig.films["healthy"]),
    ),
    _camera("camera's picture stands still", "camera_frozen"),
    _camera("camera covered", "camera_covered"),
    _camera("lamp is out", "camera_dark"),
    _camera("sun on the lens", "camera_bright"),
    _camera("lens is smeared", "camera_blurred"),
    _camera("camera turned away", "camera_turned"),
    _camera("camera turned to another room", "camera_turned"),
    Fault(
        "camera gives too few pictures",
        "driver (in process)",
        ("camera_slow",),
        lambda rig: rig.camera_driver(SLOW),
        lambda rig: rig.camera_driver(""),
    ),
    Fault(
        "a probe itself fails",
        "driver out of memory",
        ("selftest",),
        lambda rig: rig.camera_driver(NO_MEMORY),
        lambda rig: rig.camera_driver(""),
    ),
)
SOUND = (
    _sound("microphone unplugged", "microphone", microphone=False),
    _sound("microphone switched off", "microphone_dead", muted=True),
    _sound("microphone turned down 30 dB", "microphone_quiet", microphone_gain_db=-30.0),
    _sound("microphone clips", "microphone_clipping", clip=True),
    _sound("mains hum", "microphone_hum", hum_dbfs=-32.0),
    _sound("loudspeaker unplugged", "loudspeaker", loudspeaker=False),
    _sound("loudspeaker switched off", "loudspeaker", gain_db=-120.0),
    _sound("loudspeaker turned down 25 dB", "loudspeaker_quiet", gain_db=-37.0),
    _sound("sound 400 ms late", "sound_delay", delay_ms=400.0),
    _sound("echo canceller does nothing", "echo", echo_canceller_db=0.0),
)
MACHINE = (
    _machine("84 °C", "class/thermal/thermal_zone0/temp", "84000", "48000", "temperature"),
    _machine(
        "processor slowed by heat",
        "devices/platform/soc/soc:firmware/get_throttled",
        "40004",
        "0",
        "throttled",
    ),
    _machine("voltage too low", "class/hwmon/hwmon0/in0_lcrit_alarm", "1", "0", "voltage"),
    _machine(
        "touch unplugged",
        "class/input/event0/device/capabilities/abs",
        "0",
        "260800000000003",
        "screen_touch",
    ),
    Fault(
        "clock 5 minutes wrong",
        "time of day",
        ("clock",),
        lambda rig: rig.clock_off(300),
        lambda rig: rig.clock_off(0),
    ),
    Fault(
        "disk full",
        "small tmpfs",
        ("disk",),
        lambda rig: rig.fill_disk(),
        lambda rig: rig.empty_disk(),
        DISK_LEAD_S,
    ),
    Fault(
        "an update was not installed",
        "its state file",
        ("update",),
        lambda rig: rig.update_told({"id": "b-1", "state": "failed", "percent": 40, "reason": "no space"}),
        lambda rig: rig.update_told(None),
    ),
    Fault(
        "certificate ends in 5 days",
        "identity files",
        ("certificate_soon",),
        lambda rig: rig.certificate(timedelta(days=5)),
        lambda rig: rig.certificate(None),
        RESTART_LEAD_S,
    ),
    Fault(
        "certificate has ended",
        "identity files",
        ("certificate",),
        lambda rig: rig.expired_certificate(),
        lambda rig: rig.own_certificate(),
        RESTART_LEAD_S,
    ),
    Fault(
        "no encoder works",
        "board profile",
        ("encoder",),
        lambda rig: rig.board(encoders=["h264_v4l2m2m"]),
        lambda rig: rig.board(),
        RESTART_LEAD_S,
    ),
    Fault(
        "encoder too slow",
        "board profile (1800p60)",
        ("encoder_slow",),
        lambda rig: rig.board(width=3200, height=1800, rate=60),
        lambda rig: rig.board(),
        RESTART_LEAD_S,
    ),
)
PANEL = (
    Fault(
        "panel's GPIO chip is not there",
        "board profile, /dev",
        ("panel",),
        lambda rig: rig.board(pins=f'chip = "cp2112_gpio"\n{USB_PINS}'),
        lambda rig: rig.board(),
        RESTART_LEAD_S,
    ),
    Fault(
        "camera's shutter sticks",
        "its switch (mock pin)",
        ("panel",),
        lambda rig: rig.board(pins=f"mock = true\n{PINS}\nshutter = 22\nshutter_open = 23"),
        lambda rig: rig.board(),
        RESTART_LEAD_S,
    ),
)
SCREEN = (
    Fault(
        "kiosk's browser is gone",
        "process killed",
        ("screen_page",),
        lambda rig: rig.close_page(),
        lambda rig: rig.open_page(),
        16.0,
    ),
    Fault(
        "kiosk's browser hangs",
        "process stopped",
        ("screen_page",),
        lambda rig: rig.stop_part("kiosk"),
        lambda rig: (rig.go_on("kiosk"), rig.open_page()),
        16.0,
    ),
)
COMES_IN = 'chain come {{\ntype filter hook prerouting priority -300\niifname "unit-cable" {}\n}}'
NO_UDP = COMES_IN.format("udp dport != 53 drop")
LOSS = COMES_IN.format("meta l4proto udp numgen random mod 100 < 8 drop")
NARROW = COMES_IN.format("meta l4proto udp limit rate over 40 kbytes/second burst 8 kbytes drop")
LINE = (
    Fault(
        "cable unplugged",
        "carrier",
        ("network_cable",),
        lambda rig: rig.network.unit.unplug(),
        lambda rig: rig.network.unit.replug(),
    ),
    Fault(
        "no address",
        "address removed",
        ("network_address",),
        lambda rig: rig.flush_address(),
        lambda rig: rig.network.unit.plug("cable"),
    ),
    _process("name service is silent", "names", "name_service", "process stopped"),
    _process("broker is silent", "broker", "region", "process stopped"),
    _process("region's service is silent", "region", "region", "process stopped"),
    Fault(
        "broker 1 s late",
        "TCP relay",
        ("region_slow",),
        lambda rig: rig.late(1.0),
        lambda rig: rig.late(0.0),
    ),
    Fault(
        "TURN server is silent",
        "process stopped",
        ("turn",),
        lambda rig: rig.turn.hold_still(),
        lambda rig: rig.turn.wake(),
    ),
    Fault(
        "firewall takes UDP",
        "nftables",
        ("turn_partly",),
        lambda rig: rig.filter(NO_UDP),
        lambda rig: rig.filter(""),
    ),
    Fault(
        "8 % loss",
        "nftables",
        ("line_loss",),
        lambda rig: rig.filter(LOSS),
        lambda rig: rig.filter(""),
    ),
    Fault(
        "320 kbit/s",
        "nftables",
        ("line_narrow",),
        lambda rig: rig.filter(NARROW),
        lambda rig: rig.filter(""),
    ),
)
HEALTHY = (
    Fault("nothing", "-", (), _nothing, _nothing),
    Fault("nothing, after all faults", "-", (), _nothing, _nothing),
)
ALL: tuple[Fault, ...] = (HEALTHY[0], *CAMERA, *SOUND, *MACHINE, *PANEL, *SCREEN, *LINE, HEALTHY[1])
