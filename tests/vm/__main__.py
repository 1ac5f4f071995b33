"""`make vm-test`: boots the image in QEMU, holds a call, breaks things, and prints a table of what came of it."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from rich.console import Console

from tests.system.network import Network, why_not
from tests.system.stack import Stack
from tests.vm import scenes
from tests.vm.lab import KIOSK, Lab
from tests.vm.plan import Scene, plan
from tests.vm.report import Row, as_json, is_ok, print_table
from tests.vm.selftests import lacks

CONSOLE = Console(highlight=False, width=160)
IMAGE = Path("build/halsorum-vm.img")


def main() -> int:
    """Play the scenes chosen; 1 if one did not go as expected, 2 if nothing could be played."""
    options = _options()
    if reason := _why_not(options.image):
        sys.stderr.write(f"The laboratory cannot run: {reason}.\n")
        return 2
    try:
        chosen = plan(found(), options.scenes.split(), everything=options.all)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halsorum-vm-") as folder:
        rows = play(chosen, options.out or Path(folder), options.image, options.tree)
    print_table(rows, CONSOLE)
    took_s = time.monotonic() - began
    CONSOLE.print(f"{len(rows)} trials, {sum(not row.ok for row in rows)} failed, {took_s / 60:.1f} minutes")
    if options.json is not None:
        about = {"image": options.image.name, "accelerator": "tcg", "seconds": round(took_s)}
        options.json.write_text(json.dumps(as_json(rows, about), indent=1, ensure_ascii=False) + "\n")
    return 0 if is_ok(rows) else 1


def play(chosen: Sequence[Scene], folder: Path, image: Path, tree: Path | None) -> list[Row]:
    """All of them in one region; those that share a machine come first, and share it."""
    with Network() as network:
        stack = Stack(folder / "state", options=["--without-unit"], network=network)
        with stack:
            lab = Lab(folder, image, stack, tree)
            try:
                for scene in chosen:
                    _play_one(lab, scene)
            finally:
                lab.close()
    return lab.rows


def _play_one(lab: Lab, scene: Scene) -> None:
    lab.scene = scene.name
    if scene.fresh:
        lab.power_off()
    elif not lab.is_on and not _share_machine(lab):
        return
    count = len(lab.rows)
    try:
        scene.play(lab)
    except Exception as error:
        traceback.print_exc()
        with lab.trial("the scene", "is played to its end"):
            raise error
    if scene.fresh or any(not row.ok for row in lab.rows[count:]):
        # What failed may have left the machine in any state: the next scene gets one that is well.
        lab.close_office()
        lab.power_off()


def _share_machine(lab: Lab) -> bool:
    """Power on the machine that scenes share; without it there is nothing to play them on."""
    did = "power on, with the identity of a unit that was let in"
    with lab.trial(did, "the region holds it as well") as trial:
        lab.power_on("shared", hardware=lab.quick(*KIOSK))
        up_s = lab.vm.on_for_s()
        lab.wait_until_ready()
        lacking = ", ".join(lacks(lab)) or "nothing"
        trial.seen = (
            f"takes commands after {up_s:.0f} s, well after {lab.vm.on_for_s():.0f} s; lacks: {lacking}"
        )
    if not lab.rows[-1].ok:
        lab.power_off()
    return lab.rows[-1].ok


def found() -> list[Scene]:
    """Every module in tests/vm/scenes."""
    names = sorted(each.name for each in pkgutil.iter_modules(scenes.__path__))
    return [_scene(name, importlib.import_module(f"{scenes.__name__}.{name}")) for name in names]


def _scene(name: str, module: ModuleType) -> Scene:
    return Scene(name, module.play, short=module.SHORT, fresh=module.FRESH, rank=getattr(module, "RANK", 50))


def _why_not(image: Path) -> str:
    if reason := why_not():
        return reason
    if not image.exists():
        return f"{image} is not there; build it with make image BOARD=vm, or name another with IMAGE="
    return ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make vm-test", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--image", type=Path, default=IMAGE, help=f"the vm board's image ({IMAGE})")
    parser.add_argument("--scenes", default="", help="only these, by name")
    parser.add_argument("--all", action="store_true", help="also those that the short form leaves out")
    parser.add_argument("--tree", type=Path, help="a working tree to lay over the image's programs")
    parser.add_argument("--out", type=Path, help="folder for logs, journals and screens of what failed")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
