"""The panel's pins: which part hangs on which line, checked for what no board can mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

ID_EEPROM = (0, 1)
"""ID_SD and ID_SC of a Raspberry Pi's header, read by its firmware at boot (Raspberry Pi HAT specification)."""
USB_LINES = 8
"""A CP2112 has eight lines, 0 to 7, and no identification EEPROM among them (data sheet, section 2)."""

Line = Annotated[int, Field(ge=0, le=27)]
ChipLabel = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.,:/-]{1,31}$")]
PartName = Literal[
    "camera_lamp",
    "door_lamp",
    "door_red",
    "door_green",
    "door_blue",
    "start_button",
    "help_button",
    "help_lamp",
    "mute_button",
    "mute_lamp",
    "buzzer",
    "shutter",
    "shutter_open",
    "presence",
]
PART_NAMES: tuple[PartName, ...] = get_args(PartName)


class PinsProfile(BaseModel):
    """The panel's pins in Broadcom numbering (lines, on a USB adapter). mock takes gpiozero's mock pins, for
    boards without a header.

    chip: label of the GPIO chip, as `halsorum board` lists it; without one the header's of a Raspberry Pi.
    `cp2112_gpio` is a USB adapter with eight lines. reserved: lines that something else on this board has.
    door_lamp is a lamp of one colour; door_red, door_green and door_blue a lamp of two or three.
    shutter: high is open; shutter_open: a switch to ground when it is open. presence: high when somebody moves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mock: bool = False
    chip: ChipLabel | None = None
    reserved: list[Line] = Field(default_factory=list)
    camera_lamp: Line | None = None
    door_lamp: Line | None = None
    door_red: Line | None = None
    door_green: Line | None = None
    door_blue: Line | None = None
    start_button: Line | None = None
    help_button: Line | None = None
    help_lamp: Line | None = None
    mute_button: Line | None = None
    mute_lamp: Line | None = None
    buzzer: Line | None = None
    shutter: Line | None = None
    shutter_open: Line | None = None
    presence: Line | None = None

    @property
    def by_part(self) -> dict[PartName, int]:
        """The pins that are in use, by the part that hangs on them."""
        lines: dict[PartName, int | None] = {name: getattr(self, name) for name in PART_NAMES}
        return {name: line for name, line in lines.items() if line is not None}

    @property
    def given(self) -> list[int]:
        """Those that are in use."""
        return list(self.by_part.values())

    @property
    def is_header(self) -> bool:
        """Whether they are those of a Raspberry Pi's header."""
        return self.chip is None or self.chip.startswith("pinctrl-")

    @model_validator(mode="after")
    def _can_be_meant(self) -> PinsProfile:
        wrong = [*self._twice(), *self._taken_lines(), *self._halves()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _twice(self) -> list[str]:
        owners: dict[int, list[str]] = {}
        for name, line in self.by_part.items():
            owners.setdefault(line, []).append(name)
        return [
            f"one pin is given to two things: {line} to {' and '.join(names)}"
            for line, names in owners.items()
            if len(names) > 1
        ]

    def _taken_lines(self) -> list[str]:
        wrong = []
        for name, line in self.by_part.items():
            if self.is_header and line in ID_EEPROM:
                wrong.append(
                    f"{name}: pin {line} is the header's identification EEPROM; take one from 2 to 27"
                )
            elif line in self.reserved:
                wrong.append(f"{name}: pin {line} is among the reserved ones of this board; take another")
            elif self.chip == "cp2112_gpio" and line >= USB_LINES:
                wrong.append(f"{name}: pin {line} is not there; a CP2112 has the lines 0 to {USB_LINES - 1}")
        return wrong

    def _halves(self) -> list[str]:
        colours = [self.door_red, self.door_green, self.door_blue]
        wrong = []
        if any(each is not None for each in colours) and (self.door_red is None or self.door_green is None):
            wrong.append("door_red and door_green go together: with one alone, give it as door_lamp")
        if self.door_lamp is not None and self.door_red is not None:
            wrong.append("the door has one lamp: door_lamp, or door_red and door_green")
        if self.mute_lamp is not None and self.mute_button is None:
            wrong.append("mute_lamp without mute_button: who sees that it is muted cannot undo it here")
        if self.shutter_open is not None and self.shutter is None:
            wrong.append("shutter_open is the switch of a shutter, and none is given")
        return wrong


def lines_of(values: PinsProfile | dict[str, Any]) -> dict[str, int]:
    """The parts with their lines, of a profile or of one that is only written down."""
    given = values.model_dump() if isinstance(values, PinsProfile) else values
    return {name: given[name] for name in PART_NAMES if isinstance(given.get(name), int)}
