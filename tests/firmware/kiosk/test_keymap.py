"""The kiosk's keymap as the compositor's own library reads it: no key leads out of the page."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3] / "firmware/kiosk/root"
LIBRARY = ctypes.util.find_library("xkbcommon")
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libxkbcommon is not installed")
EVDEV_OFFSET = 8
KEYS = {"Escape": 1, "1": 2, "Tab": 15, "Return": 28, "a": 30, "s": 31, "space": 57, "Up": 103, "5": 76}
"""linux/input-event-codes.h."""
CONTROL, ALT, SHIFT = 29, 56, 42
WAYS_OUT = (
    *("Control", "Alt", "Meta", "Super", "Hyper", "ISO_Level", "Menu", "Print", "Sys_Req", "Delete"),
    *("F1", "F5", "F11", "XF86", "Home", "Terminate"),
)


@pytest.fixture(scope="module")
def names() -> Iterator[dict[tuple[int, int], str]]:
    """Key code and level to the key symbol's name, for every key that gives one."""
    assert LIBRARY is not None
    xkb = ctypes.CDLL(LIBRARY)
    for function in ("xkb_context_new", "xkb_keymap_new_from_names"):
        getattr(xkb, function).restype = ctypes.c_void_p
    context = ctypes.c_void_p(xkb.xkb_context_new(1))
    for folder in (ROOT / "etc/xkb", Path("/usr/share/X11/xkb")):
        xkb.xkb_context_include_path_append(context, str(folder).encode())
    rules = (ctypes.c_char_p * 5)(b"halsorum", b"", b"", b"", b"")
    keymap = xkb.xkb_keymap_new_from_names(context, rules, 0)
    assert keymap, "the keymap is not understood"
    found = {}
    for code in range(256 + EVDEV_OFFSET):
        for level in range(xkb.xkb_keymap_num_levels_for_key(ctypes.c_void_p(keymap), code, 0)):
            symbols = ctypes.POINTER(ctypes.c_uint32)()
            count = xkb.xkb_keymap_key_get_syms_by_level(
                ctypes.c_void_p(keymap), code, 0, level, ctypes.byref(symbols)
            )
            name = ctypes.create_string_buffer(64)
            for index in range(count):
                xkb.xkb_keysym_get_name(symbols[index], name, 64)
                found[code - EVDEV_OFFSET, level] = name.value.decode()
    yield found


def test_the_keys_of_the_page_work(names: dict[tuple[int, int], str]) -> None:
    assert {key: names[code, 0] for key, code in KEYS.items()} == {key: key for key in KEYS}
    assert (names[KEYS["Tab"], 1], names[SHIFT, 0]) == ("ISO_Left_Tab", "Shift_L")


def test_no_key_leads_out(names: dict[tuple[int, int], str]) -> None:
    assert [name for name in names.values() if name.startswith(WAYS_OUT)] == []
    assert not {code for code, _level in names} & {
        CONTROL,
        ALT,
        *range(59, 69),
        87,
        88,
        97,
        100,
        125,
        126,
        127,
    }
    assert (KEYS["Escape"], 1) not in names  # with Shift the browser's task manager
