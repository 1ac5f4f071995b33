"""A finger on the machine's glass and hands on its keyboard: devices of the guest's own kernel (uinput).

udev, libinput, the compositor and the browser take them as they take real ones.
"""

from __future__ import annotations

from tests.vm.machine import Machine

KEYS = {"ESC": 1, "TAB": 15, "T": 20, "L": 38, "W": 17, "I": 23, "N": 49, "LEFTCTRL": 29, "LEFTSHIFT": 42}
KEYS |= {
    "LEFTALT": 56,
    "F1": 59,
    "F2": 60,
    "F4": 62,
    "F5": 63,
    "F11": 87,
    "F12": 88,
    "SYSRQ": 99,
    "DELETE": 111,
}
KEYS |= {"LEFTMETA": 125, "B": 48, "POWER": 116, "SLEEP": 142, "HOMEPAGE": 172, "S": 31}
"""linux/input-event-codes.h."""
FIFO, UNIT = "/run/lab-hands", "lab-hands.service"

SCRIPT = r"""
import fcntl, os, struct, time
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3
SET_EV, SET_KEY, SET_ABS, SET_PROP = 0x40045564, 0x40045565, 0x40045567, 0x4004556E
SETUP, ABS_SETUP, CREATE = 0x405C5503, 0x401C5504, 0x5501
SLOT, X, Y, TRACKING_ID, TOUCH, DIRECT, MOST = 0x2F, 0x35, 0x36, 0x39, 0x14A, 1, 4095

def device(name, product, events, keys, axes=(), prop=None):
    made = os.open("/dev/uinput", os.O_WRONLY)
    for event in events:
        fcntl.ioctl(made, SET_EV, event)
    for key in keys:
        fcntl.ioctl(made, SET_KEY, key)
    if prop is not None:
        fcntl.ioctl(made, SET_PROP, prop)
    for axis, most, resolution in axes:
        fcntl.ioctl(made, SET_ABS, axis)
        fcntl.ioctl(made, ABS_SETUP, struct.pack("HxxiiiiiI", axis, 0, 0, most, 0, 0, resolution))
    fcntl.ioctl(made, SETUP, struct.pack("HHHH80sI", 3, 0x1234, product, 1, name, 0))
    fcntl.ioctl(made, CREATE)
    return made

def send(to, *events):
    now = time.time()
    for kind, code, value in (*events, (EV_SYN, 0, 0)):
        os.write(to, struct.pack("qqHHi", int(now), 0, kind, code, value))

places = ((0, MOST, 12), (1, MOST, 20), (SLOT, 9, 0), (TRACKING_ID, 65535, 0), (X, MOST, 12), (Y, MOST, 20))
glass = device(b"Lab glass", 1, (EV_SYN, EV_KEY, EV_ABS), (TOUCH,), places, DIRECT)
keyboard = device(b"Lab keyboard", 2, (EV_SYN, EV_KEY), range(1, 195))
touches = 0

def tap(x, y, seconds):
    global touches
    touches += 1
    x, y = round(x * MOST), round(y * MOST)
    send(glass, (EV_ABS, SLOT, 0), (EV_ABS, TRACKING_ID, touches), (EV_ABS, X, x), (EV_ABS, Y, y),
         (EV_KEY, TOUCH, 1), (EV_ABS, 0, x), (EV_ABS, 1, y))
    time.sleep(seconds)
    send(glass, (EV_ABS, SLOT, 0), (EV_ABS, TRACKING_ID, -1), (EV_KEY, TOUCH, 0))

def press(seconds, codes):
    for code in codes:
        send(keyboard, (EV_KEY, code, 1))
        time.sleep(0.05)
    time.sleep(seconds)
    for code in reversed(codes):
        send(keyboard, (EV_KEY, code, 0))

os.mkfifo("FIFO")
while True:
    with open("FIFO") as lines:
        for line in lines:
            kind, *words = line.split()
            if kind == "tap":
                tap(*map(float, words))
            else:
                press(float(words[0]), [int(word) for word in words[1:]])
"""


class Hands:
    """Makes the devices, which stay until the machine goes off."""

    def __init__(self, vm: Machine) -> None:
        self._vm = vm
        vm.run(f"systemctl stop {UNIT}; rm -f {FIFO}")
        vm.put("/run/lab-hands.py", SCRIPT.replace("FIFO", FIFO).encode())
        vm.check("modprobe uinput")
        vm.check(f"systemd-run --unit={UNIT} --collect python3 /run/lab-hands.py")
        vm.wait_for(lambda: vm.run(f"test -p {FIFO}").status == 0, "the devices", 30)

    def tap(self, x: float, y: float, seconds: float = 0.15) -> None:
        """A finger on a place of the glass, 0 to 1 each."""
        self._vm.check(f"echo tap {x} {y} {seconds} > {FIFO}")

    def press(self, *names: str, seconds: float = 0.1) -> None:
        """Keys down one after the other, held, and up again."""
        codes = " ".join(str(KEYS[name]) for name in names)
        self._vm.check(f"echo press {seconds} {codes} > {FIFO}")
