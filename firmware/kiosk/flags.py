"""How Chromium is started: every flag with its reason. What policies can say is said there, not here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from firmware.kiosk.settings import KioskSettings

CHROMIUM = "/usr/lib/chromium/chromium"
"""Debian's program itself: its shell wrapper adds flags of its own and takes time."""
DRM = Path("/sys/class/drm")
INPUT = Path("/sys/class/input")
TOUCH_FRAME = Path("/usr/lib/halsorum/touch_frame.so")
"""Made of touch_frame.c with the image; without it a finger does nothing."""
GPU_DRIVERS = frozenset({"v3d", "vc4", "i915", "xe", "amdgpu", "radeon", "nouveau", "panfrost", "lima"})
"""Kernel drivers of graphics that draw by themselves; all others (virtio, bochs, simpledrm) only show pictures."""

FLAGS: tuple[tuple[str, str], ...] = (
    ("--kiosk", "the page fills the screen, without tabs, address or buttons of the browser"),
    ("--ozone-platform=wayland", "cage speaks Wayland; there is no X server"),
    ("--lang=sv", "what Chromium itself may have to say is said in Swedish"),
    ("--force-device-scale-factor=1", "the page lays itself out in millimetres from the board's real pixels"),
    ("--no-first-run", "no welcome page: every start is a first one"),
    ("--no-default-browser-check", "nobody is there to answer"),
    ("--noerrdialogs", "a dialog of the browser would lie over the page for ever"),
    ("--hide-crash-restore-bubble", "likewise, after a crash"),
    ("--deny-permission-prompts", "nobody is asked for what the policies refuse anyway"),
    ("--disable-notifications", "no other window than the page"),
    ("--disable-extensions", "there are none, and Debian's are not loaded"),
    ("--disable-component-extensions-with-background-pages", "less memory, less to go wrong"),
    ("--disable-background-networking", "it speaks with the agent, and with nobody else"),
    ("--disable-component-update", "what is installed is what the image has"),
    ("--disable-domain-reliability", "no reports to the maker"),
    ("--disable-sync", "there is no account"),
    ("--no-pings", "nobody is told of clicks"),
    ("--disable-breakpad", "a crash dump would hold what was seen"),
    ("--log-level=3", "only what ends it: page addresses and texts stay out of the journal"),
    ("--password-store=basic", "no keyring is asked, and none waited for"),
    ("--disable-pinch", "two fingers zoom nothing: buttons stay where they are"),
    ("--overscroll-history-navigation=0", "a swipe leads nowhere"),
    ("--disable-background-timer-throttling", "the page is always in front, whatever Chromium believes"),
    ("--disable-renderer-backgrounding", "likewise"),
    ("--disable-backgrounding-occluded-windows", "likewise"),
    (
        "--ipc-connection-timeout=240",
        "a process of the browser's that waits longer for the first word ends itself: 15 s are too few for a slow "
        "machine, and what is left is a white screen",
    ),
    ("--disk-cache-size=1048576", "the profile lies in memory, and the pages come from this machine"),
    (
        "--disable-features=PressAndHoldEscToExitBrowserFullscreen,TouchpadOverscrollHistoryNavigation,"
        "MediaRouter,Translate,OptimizationHints,GlobalMediaControls,HardwareMediaKeyHandling",
        "a held Escape must not end the full screen; the others look for networks, keys and pages",
    ),
)
BROWSER_ENVIRONMENT = {
    "WAYLAND_DISPLAY": "wayland-0",
    # There is nobody to speak with on D-Bus, and none to be started for it.
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
    "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere",
}
WITHOUT_GPU: tuple[tuple[str, str], ...] = (
    ("--disable-gpu", "Chromium's own software drawing is faster than OpenGL in software"),
)


def has_gpu(drm: Path = DRM) -> bool:
    """Whether a graphics card of this machine draws by itself."""
    return any(driver.resolve().name in GPU_DRIVERS for driver in drm.glob("renderD*/device/driver"))


def browser_command(settings: KioskSettings, *, gpu: bool, more: Iterable[str] = ()) -> list[str]:
    """The whole command. The page's address with its secret is in the starting page: all may read this."""
    flags = FLAGS if gpu else (*FLAGS, *WITHOUT_GPU)
    page = (settings.start_folder / "index.html").as_uri()
    return [CHROMIUM, f"--user-data-dir={settings.profile}", *(flag for flag, _why in flags), *more, page]


def compositor_command() -> list[str]:
    """cage shows one window in full. No -s: no key changes the console. Its own program is a sleep that ends with
    it, so that the browser can be started again without the screen going dark. (With `-m last` cage 0.1.4 ends by
    a segmentation fault before the first window has come.)
    """
    return ["cage", "-d", "--", "sleep", "infinity"]


def has_input(folder: Path = INPUT) -> bool:
    """Whether this machine has a glass, a keyboard or a button."""
    return any(folder.glob("event*"))


def compositor_environment(*, gpu: bool, without_input: bool = False) -> dict[str, str]:
    """For cage and wlroots. without_input: start also where there is no glass and no keyboard."""
    return {
        # A keyboard without a way out: firmware/kiosk/root/etc/xkb.
        "XKB_DEFAULT_RULES": "halsorum",
        # wlroots wants an X server's program to be there, and starts it for X clients only: there are none.
        "WLR_XWAYLAND": "/bin/false",
        # A unit whose keyboard and glass are unplugged shows its page all the same. Only there: with it
        # wlroots 0.15 looks at its devices when the first of them stirs, and that finger is lost.
        **({"WLR_LIBINPUT_NO_DEVICES": "1"} if without_input else {}),
        **({"LD_PRELOAD": str(TOUCH_FRAME)} if TOUCH_FRAME.exists() else {}),
        # The agent's pages hide the pointer themselves; no cursor theme is installed.
        **({} if gpu else {"WLR_RENDERER": "pixman"}),
    }
