"""What the region sets on a unit: `dn/config`, and what became of it: `up/config`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agent.contract.body import Body, Kind, LongText, ShortText

PortRangeText = Annotated[str, StringConstraints(pattern=r"^([0-9]{4,5}-[0-9]{4,5})?$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$")]
"""A name in the domain name service, or an address."""
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""`03:30`, on the clocks of the room's time zone."""
DeviceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/][A-Za-z0-9/._: -]{0,119}$")]
Pem = Annotated[str, StringConstraints(max_length=16_384)]
"""Certificates in PEM (RFC 7468), one or several."""
Pin = Annotated[int, Field(ge=0, le=27)]
"""Broadcom numbering."""


class StaffMember(Body):
    """One who may unlock the room's screen. `label` is what they choose themselves by: initials, or a first
    name that they agree to have shown."""

    id: ShortText
    label: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    pin_digest: LongText = Field(description="argon2id in PHC string format", repr=False)


class Named(Body):
    """Another room of the centre, or a clinic's queue: its id and its name for screens."""

    id: ShortText
    name: ShortText


SoundOutput = Literal["loudspeaker", "headphones", "hearing_loop"]


class BrokerAddress(Body):
    """Where the broker is, and how it is reached through what stands between."""

    host: HostName
    port: int = Field(8883, ge=1, le=65535)
    transport: Literal["tls", "alpn", "websocket"] = Field(
        "tls", description="Over port 443: TLS with the ALPN protocol `mqtt`, or WebSocket with TLS."
    )
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/_-]{0,60}$")] = Field(
        "/mqtt", description="Of the WebSocket."
    )


class Devices(Body):
    """Which devices a unit takes in place of its board profile's; what is left out stays the profile's."""

    camera: DeviceName | None = None
    hand_camera: DeviceName | None = None
    microphone: DeviceName | None = None
    loudspeaker: DeviceName | None = None


class ScreenSize(Body):
    """The touchscreen's real size, from which targets for fingers are laid out."""

    width_mm: float = Field(gt=50, le=2000)
    height_mm: float = Field(gt=50, le=2000)


class SelftestPlan(Body):
    """When the room checks itself besides at its start."""

    before_minutes: int | None = Field(None, ge=5, le=120, description="Before each session.")
    at: tuple[TimeOfDay, ...] | None = Field(
        None, max_length=12, description="Each day; left out: once a night, each unit at a minute of its own."
    )


class PanelPins(Body):
    """The panel's pins; 0 to 27, or -1 for a part that is not there. What is left out stays the profile's."""

    chip: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:/-]{1,31}$")] | None = Field(
        None, description="Label of the GPIO chip, such as cp2112_gpio for a USB adapter."
    )
    camera_lamp: int | None = Field(None, ge=-1, le=27)
    door_lamp: int | None = Field(None, ge=-1, le=27, description="Of one colour; or the next three.")
    door_red: int | None = Field(None, ge=-1, le=27)
    door_green: int | None = Field(None, ge=-1, le=27)
    door_blue: int | None = Field(None, ge=-1, le=27)
    start_button: int | None = Field(None, ge=-1, le=27)
    help_button: int | None = Field(None, ge=-1, le=27)
    help_lamp: int | None = Field(None, ge=-1, le=27)
    mute_button: int | None = Field(None, ge=-1, le=27)
    mute_lamp: int | None = Field(None, ge=-1, le=27)
    buzzer: int | None = Field(None, ge=-1, le=27)
    shutter: int | None = Field(None, ge=-1, le=27, description="High opens it.")
    shutter_open: int | None = Field(None, ge=-1, le=27, description="Its switch, to ground when it is open.")
    presence: int | None = Field(None, ge=-1, le=27, description="A motion sensor, high when somebody moves.")


class WiredNetwork(Body):
    """The unit's wired network. A change that cuts the unit off is rolled back by the unit itself."""

    method: Literal["dhcp", "static"] = "dhcp"
    interface: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,15}$")] = "eth0"
    address: ShortText | None = Field(None, description="With its prefix, such as 192.0.2.10/24.")
    gateway: ShortText | None = None
    dns: tuple[ShortText, ...] = Field((), max_length=4)
    ntp: tuple[HostName, ...] = Field((), max_length=4)
    vlan: int | None = Field(None, ge=1, le=4094)
    eap_tls: ShortText | None = Field(
        None, description="IEEE 802.1X with the unit's own certificate, under this identity."
    )
    proxy: ShortText | None = Field(None, description="HTTP CONNECT proxy to the broker: http://host:port.")


class Config(Body):
    """`dn/config`: the whole of what the region wants; what is left out is as in the unit's own settings again.

    Its revision is the envelope's `rev`; of two, the one with the later (`epoch`, `rev`) holds. A part of several
    fields, such as `devices`, replaces the one before it whole; an empty one is the board profile's again.
    """

    epoch: int = Field(1, ge=0, description="Grows when the region has begun to count anew.")
    attempt: int = Field(
        0,
        ge=0,
        description="Grown by IT, a unit tries again what it has rolled back: it never does by itself.",
    )
    room_name: ShortText | None = None
    phone: ShortText | None = None
    languages: tuple[str, ...] | None = None
    staff_pin_digest: LongText | None = Field(None, description="argon2id in PHC string format")
    staff: tuple[StaffMember, ...] | None = Field(None, max_length=60)
    rooms: tuple[Named, ...] | None = Field(None, description="The centre's other rooms.", max_length=60)
    queues: tuple[Named, ...] | None = Field(
        None, description="Where a clinician can be asked for now.", max_length=20
    )
    sound_output: SoundOutput | None = Field(None, description="Which a session begins with.")
    volume: int | None = Field(None, ge=1, le=5, description="Which a session begins with.")
    high_contrast: bool | None = Field(None, description="Whether the screen begins so.")
    ice_transport_policy: Literal["all", "relay"] | None = Field(
        None, description="W3C RTCIceTransportPolicy"
    )
    media_ports: PortRangeText | None = Field(
        None, description='UDP ports as in "50000-50099"; empty: any of the operating system\'s choosing'
    )
    dscp: int | None = Field(None, ge=0, le=63, description="Mark of the media's packets; 0: none")
    devices: Devices | None = None
    screen: ScreenSize | None = None
    selftest: SelftestPlan | None = None
    panel: PanelPins | None = None
    network: WiredNetwork | None = None
    broker: BrokerAddress | None = None
    region_ca: Pem | None = Field(
        None, description="Authorities that the broker's certificate may come from, besides those now known."
    )


ConfigState = Literal["applied", "deferred", "trial", "rejected", "rolled_back"]


class ConfigReport(Body):
    """`up/config`: the revision that is in force (the envelope's `rev`), and what became of a newer one.

    `deferred`: some of it waits for the room to be free. `trial`: it is in force until the unit has shown itself
    well with it, and is rolled back otherwise. `rejected`: nothing of it was taken. `rolled_back`: all of it is in
    force but `fields`, which keep what was there before.
    """

    applied: bool
    errors: tuple[LongText, ...] = ()
    epoch: int = Field(1, ge=0)
    state: ConfigState | None = None
    wanted_rev: int | None = Field(
        None, ge=0, description="The newer one that `state` and `errors` are about."
    )
    wanted_epoch: int | None = Field(None, ge=0)
    fields: tuple[Kind, ...] = Field(
        (), description="Which fields of the newer one wait, are on trial, were rolled back or are wrong."
    )
