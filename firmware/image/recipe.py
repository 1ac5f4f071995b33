"""What an image of a board is made of: boards.toml, and what other parts of firmware/ add in their image.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

HERE = Path(__file__).parent
BOARDS_FILE = HERE / "boards.toml"
PART_FILE = "image.toml"
_LISTS = ("packages", "components", "command_line", "initramfs_modules", "modules_removed")
_PART_KEYS = {"boards", "packages", "files", "pinned"}


class RecipeError(ValueError):
    """A recipe that cannot be followed; the text names file and entry."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One board's image."""

    board: str
    architecture: str
    """Debian's name of it."""
    boot: Literal["grub", "raspberry"]
    packages: tuple[str, ...]
    components: tuple[str, ...]
    """Of Debian's archive, `main` first."""
    command_line: tuple[str, ...]
    """The kernel's, without root= and rauc.slot=."""
    initramfs_modules: tuple[str, ...]
    modules_removed: tuple[str, ...]
    """Folders below the kernel's modules."""
    note: str
    """What whoever builds it must know."""
    files: Mapping[PurePosixPath, Path] = field(default_factory=dict)
    """What parts ask for: place in the image → file or folder in the tree."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """Packages that must have a certain version, as Debian writes it."""


def load_recipe(board: str, boards_file: Path = BOARDS_FILE, parts: Iterable[Path] = ()) -> Recipe:
    """The recipe of a board. Raises RecipeError if it, or a part's file, cannot be meant."""
    table = tomllib.loads(boards_file.read_text(encoding="utf-8"))
    boards = sorted(name for name in table if name != "common")
    if board not in boards:
        raise RecipeError(f"{boards_file.name} knows no board {board!r}; it has {', '.join(boards)}")
    entries = _merged(table, board)
    packages, files = list(entries["packages"]), dict[PurePosixPath, Path]()
    pinned: dict[str, str] = {}
    for part in parts:
        added = _part(part, board)
        packages += added.get("packages", [])
        files |= _files(part, added.get("files", {}))
        pinned |= added.get("pinned", {})
    if unknown := set(pinned) - set(packages):
        raise RecipeError(f"pinned, but no package of {board}: {', '.join(sorted(unknown))}")
    if entries.get("boot") not in ("grub", "raspberry") or not entries.get("architecture"):
        raise RecipeError(f"{boards_file.name}: {board} needs architecture, and boot = grub or raspberry")
    return Recipe(
        board=board,
        architecture=entries["architecture"],
        boot=entries["boot"],
        packages=tuple(dict.fromkeys(packages)),
        components=("main", *entries["components"]),
        command_line=tuple(entries["command_line"]),
        initramfs_modules=tuple(entries["initramfs_modules"]),
        modules_removed=tuple(entries["modules_removed"]),
        note=entries.get("note", ""),
        files=files,
        pinned=pinned,
    )


def part_files(firmware: Path) -> list[Path]:
    """The image.toml of every part that has one."""
    return sorted(firmware.glob(f"*/{PART_FILE}"))


def _merged(table: Mapping[str, Any], board: str) -> dict[str, Any]:
    chain = [board]
    while (like := table[chain[-1]].get("like")) is not None:
        if like not in table or like in chain:
            raise RecipeError(f"{chain[-1]}: like = {like!r} is no other board")
        chain.append(like)
    merged: dict[str, Any] = {name: [] for name in _LISTS}
    for name in ["common", *reversed(chain)]:
        for key, value in table.get(name, {}).items():
            merged[key] = merged[key] + value if key in _LISTS else value
    return merged


def _part(file: Path, board: str) -> Mapping[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{file}: {error}") from error
    if unknown := set(table) - _PART_KEYS:
        raise RecipeError(
            f"{file}: unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(_PART_KEYS))}"
        )
    return table if board in table.get("boards", [board]) else {}


def _files(part: Path, table: Mapping[str, str]) -> dict[PurePosixPath, Path]:
    files = {}
    for source, place in table.items():
        if not (part.parent / source).exists():
            raise RecipeError(f"{part}: {source} is not there")
        if not place.startswith("/") or ".." in PurePosixPath(place).parts:
            raise RecipeError(f"{part}: {place!r} is no place in the image (an absolute path)")
        files[PurePosixPath(place)] = part.parent / source
    return files
