"""The root file system's own part: programs, settings and units from this tree, laid over Debian's packages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

PROGRAMS = ("agent", "web", "firmware", "provisioning")
APP = PurePosixPath("/opt/halsorum/app")
VENV = PurePosixPath("/opt/halsorum/venv")
SITE_PACKAGES = VENV / "lib/python3.11/site-packages"
UNIT_SUFFIXES = (".service", ".path", ".timer", ".socket", ".target", ".mount", ".slice")
_UNITS = PurePosixPath("/usr/lib/systemd/system")
_PLACES = {
    "sysusers.conf": PurePosixPath("/usr/lib/sysusers.d/halsorum.conf"),
    "tmpfiles.conf": PurePosixPath("/usr/lib/tmpfiles.d/halsorum.conf"),
}
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc", "*.md", "*.c", "image.toml")
UNIT_FILE = Path(__file__).parent / "unit.toml"
COMMAND = f"""#!{VENV}/bin/python
import sys

from agent.console import main

sys.exit(main())
"""


def inside(root: Path, place: PurePosixPath) -> Path:
    """A place in the image, as a path of this machine."""
    return root / place.relative_to("/")


def write(root: Path, place: str, text: str, mode: int = 0o644) -> None:
    """A file of the image, its folders too."""
    file = inside(root, PurePosixPath(place))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def copy(source: Path, target: Path) -> None:
    """A file, or all of a folder, for root; executable stays executable, links stay links."""
    if source.is_symlink():
        target.unlink(missing_ok=True)
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for each in sorted(source.iterdir()):
            copy(each, target / each.name)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def unit_places(systemd: Path) -> dict[PurePosixPath, Path]:
    """Where the files of systemd/ belong in the image."""
    places: dict[PurePosixPath, Path] = {}
    for file in sorted(systemd.iterdir()):
        if file.suffix in UNIT_SUFFIXES or (file.is_dir() and file.suffix == ".d"):
            places[_UNITS / file.name] = file
        elif file.suffix == ".preset":
            places[PurePosixPath("/usr/lib/systemd/system-preset") / file.name] = file
        elif file.suffix == ".rules":
            places[PurePosixPath("/usr/lib/udev/rules.d") / file.name] = file
        elif file.name in _PLACES:
            places[_PLACES[file.name]] = file
    return places


def programs(tree: Path, root: Path) -> None:
    """The source tree as it runs, the venv around Debian's Python, and the command."""
    app = inside(root, APP)
    app.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copytree(tree / name, app / name, ignore=_NOT_COPIED, copy_function=_copy_plain)
    venv = inside(root, VENV)
    site = inside(root, SITE_PACKAGES)
    (venv / "bin").mkdir(parents=True)
    site.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        (venv / "bin" / name).symlink_to("/usr/bin/python3")
    write(
        root, f"{VENV}/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n"
    )
    write(root, f"{SITE_PACKAGES}/halsorum.pth", f"{APP}\n")
    for name in ("systemd", "gpiod"):
        debians = PurePosixPath("/usr/lib/python3/dist-packages") / name
        if inside(root, debians).exists():
            (site / name).symlink_to(debians)
    write(root, "/usr/bin/halsorum", COMMAND, 0o755)


def _copy_plain(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    return target


def lay(root: Path, folders: Iterable[Path], places: Mapping[PurePosixPath, Path]) -> None:
    """Folders that look like the image's root, then single files; the later replaces the earlier."""
    for folder in folders:
        copy(folder, root)
    for place, source in places.items():
        copy(source, inside(root, place))


def settings(root: Path, board: str, version: str) -> None:
    """Names by which the unit, RAUC and people know the image (os-release(5))."""
    release = inside(root, PurePosixPath("/usr/lib/os-release"))
    kept = [
        line for line in release.read_text().splitlines() if not line.startswith(("IMAGE_", "PRETTY_NAME="))
    ]
    own = [
        f'PRETTY_NAME="Hälsorum {version} ({board})"',
        f"IMAGE_ID=halsorum-{board}",
        f"IMAGE_VERSION={version}",
    ]
    release.write_text("\n".join(kept + own) + "\n", encoding="utf-8")
    unit = UNIT_FILE.read_text(encoding="utf-8") + f'board = "{board}"\n'
    of_board = UNIT_FILE.with_stem(f"{UNIT_FILE.stem}_{board}")
    if of_board.exists():
        unit += of_board.read_text(encoding="utf-8")
    write(root, "/etc/halsorum/unit.toml", unit)
    write(root, "/etc/hostname", "halsorum\n")
    write(root, "/etc/hosts", "127.0.0.1 localhost halsorum\n::1 localhost\n")
    write(root, "/etc/machine-id", "", 0o444)
    resolv = inside(root, PurePosixPath("/etc/resolv.conf"))
    resolv.unlink(missing_ok=True)
    resolv.symlink_to("../run/systemd/resolve/stub-resolv.conf")
