"""What is wrong with a configuration, in words for IT: what would lock them out, or cannot work. Pure.

The region asks before it publishes, the unit before it applies; the same answer on both sides. What only the
unit can know (its board's pins and pixels) is asked in agent/config_on_board.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from agent.contract.config_check_network import (
    Wrong,
    what_is_wrong_with_broker,
    what_is_wrong_with_ca,
    what_is_wrong_with_network,
)
from agent.contract.unit_config import (
    Config,
    Devices,
    Named,
    PanelPins,
    ScreenSize,
    SelftestPlan,
    StaffMember,
)

_DIGEST = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,2})\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{8,}"
)
_NO_DIGEST = "must be an argon2id digest in PHC format, which begins with $argon2id$v=19$m="
DIGEST_MEMORY_MAX_KIB = 256 * 1024
"""A digest that asks for more is not checked on a small board before staff give up, or fells it."""
DIGEST_PASSES_MAX = 20
_LANGUAGE = re.compile(r"[a-z]{2,3}")
TESTS_APART_MIN = 10
"""A self-test takes up to half a minute and is tried again when it fails; two must not run into one another."""
SCREEN_RATIO_MAX = 4.0
DAY_MIN = 24 * 60


def what_is_wrong(config: Config) -> tuple[tuple[str, str], ...]:
    """Each field that cannot be meant, as `network.gateway`, with the reason; empty when all is well.

    The part of a field's name before the first dot is the field of Config.
    """
    return tuple(
        (field, reason)
        for name, check in _CHECKS.items()
        if (value := getattr(config, name)) is not None
        for field, reason in check(name, value)
    )


def what_is_wrong_with_ports(text: str) -> str:
    """Empty if this names a range of UDP ports, or none."""
    if not text:
        return ""
    first, _, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        return 'a port range is written as "50000-50099"'
    if not 1024 <= int(first) <= int(last) <= 65535:
        return "the ports must be 1024 to 65535, the lower first"
    return ""


def _line(name: str, text: str) -> Wrong:
    """A text on the screen."""
    if not text.isprintable():
        yield name, "must be one line of printable characters"


def _room_name(name: str, text: str) -> Wrong:
    yield from _line(name, text)
    if not text.strip():
        yield name, "must not be empty: the screen and the clinic's lists show it"


def _languages(name: str, codes: tuple[str, ...]) -> Wrong:
    if not codes:
        yield name, "at least one is needed"
    for code in codes:
        if not _LANGUAGE.fullmatch(code):
            yield name, f"{code[:20]!r} is no language; they are written as sv, en, fi"
    yield from _each_once(name, codes)


def _digest(name: str, digest: str) -> Wrong:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        yield name, _NO_DIGEST
    elif not 8 <= int(match[1]) <= DIGEST_MEMORY_MAX_KIB or not 1 <= int(match[2]) <= DIGEST_PASSES_MAX:
        yield (
            name,
            f"its cost must be at most m={DIGEST_MEMORY_MAX_KIB}, t={DIGEST_PASSES_MAX}: "
            "a unit would take too long over it",
        )


def _staff(name: str, staff: tuple[StaffMember, ...]) -> Wrong:
    yield from _each_once(f"{name}.id", (member.id for member in staff))
    if len({member.label.casefold() for member in staff}) < len(staff):
        # A label may be a first name, and what is written here is kept, told and put into bundles.
        yield f"{name}.label", "two of them have the same"
    for member in staff:
        yield from _line(f"{name}.label", member.label)
        yield from _digest(f"{name}.pin_digest", member.pin_digest)


def _named(name: str, each: tuple[Named, ...]) -> Wrong:
    yield from _each_once(f"{name}.id", (one.id for one in each))
    for one in each:
        yield from _room_name(f"{name}.name", one.name)


def _ports(name: str, text: str) -> Wrong:
    wrong = what_is_wrong_with_ports(text)
    if wrong:
        yield name, wrong


def _devices(name: str, devices: Devices) -> Wrong:
    for field in ("camera", "hand_camera"):
        device: str | None = getattr(devices, field)
        if device is not None and (not device.startswith("/dev/") or ".." in device):
            yield f"{name}.{field}", "a camera is named by its file, such as /dev/video0"
    for field in ("microphone", "loudspeaker"):
        node: str | None = getattr(devices, field)
        if node is not None and re.search(r"[/ ]", node):
            yield f"{name}.{field}", "is named by its PipeWire node, as `wpctl status -n` shows it"
    if devices.camera is not None and devices.camera == devices.hand_camera:
        yield f"{name}.hand_camera", "must be another camera than the room's"


def _screen(name: str, size: ScreenSize) -> Wrong:
    ratio = size.width_mm / size.height_mm
    if not 1 / SCREEN_RATIO_MAX <= ratio <= SCREEN_RATIO_MAX:
        yield (
            name,
            f"{size.width_mm:g} x {size.height_mm:g} mm is no screen's shape; measure it without its frame",
        )


def _selftest(name: str, plan: SelftestPlan) -> Wrong:
    times = sorted({int(at[:2]) * 60 + int(at[3:]) for at in plan.at or ()})
    yield from _each_once(f"{name}.at", plan.at or ())
    gaps = (
        (later - earlier for earlier, later in zip(times, [*times[1:], times[0] + DAY_MIN], strict=True))
        if (len(times) > 1)
        else ()
    )
    if any(gap < TESTS_APART_MIN for gap in gaps):
        yield f"{name}.at", f"two self-tests must be at least {TESTS_APART_MIN} minutes apart"


def _panel(name: str, pins: PanelPins) -> Wrong:
    given = [(field, pin) for field, pin in pins if isinstance(pin, int) and pin >= 0]
    taken: dict[int, str] = {}
    for field, pin in given:
        if pin in taken:
            yield f"{name}.{field}", f"pin {pin} is given to {taken[pin]} too"
        taken.setdefault(pin, field)


def _each_once(name: str, values: Iterable[str]) -> Wrong:
    for value, count in Counter(values).items():
        if count > 1:
            yield name, f"{value[:40]!r} is there {count} times"


_CHECKS: dict[str, Callable[..., Iterator[tuple[str, str]]]] = {
    "room_name": _room_name,
    "phone": _line,
    "languages": _languages,
    "staff_pin_digest": _digest,
    "staff": _staff,
    "rooms": _named,
    "queues": _named,
    "media_ports": _ports,
    "devices": _devices,
    "screen": _screen,
    "selftest": _selftest,
    "panel": _panel,
    "network": what_is_wrong_with_network,
    "broker": what_is_wrong_with_broker,
    "region_ca": what_is_wrong_with_ca,
}
