"""What one build works with: recipe, folders, version and time."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from firmware.image.recipe import Recipe, load_recipe, part_files

_VERSION = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Job:
    """One build."""

    recipe: Recipe
    tree: Path
    """The repository."""
    out: Path
    version: str
    epoch_s: int
    """SOURCE_DATE_EPOCH: the commit's time."""

    @property
    def cache(self) -> Path:
        """What is kept from one build to the next."""
        return self.out / "cache"

    @property
    def work(self) -> Path:
        """This board's folder; emptied first."""
        return self.out / self.recipe.board

    @property
    def root(self) -> Path:
        """The root file system while it is laid down."""
        return self.work / "root"

    @property
    def image(self) -> Path:
        """The disk."""
        return self.out / f"halsorum-{self.recipe.board}.img"

    def run(self, *words: object, **more: str) -> str:
        """A command that has to succeed; its output. The same language and hour for all."""
        environment = {
            **os.environ,
            "SOURCE_DATE_EPOCH": str(self.epoch_s),
            "LC_ALL": "C",
            "TZ": "UTC",
            **more,
        }
        command = [str(word) for word in words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command)[:200]} failed:\n{done.stderr[-2000:] or done.stdout[-2000:]}"
            )
        return done.stdout


def prepare(board: str, repository: Path, out: Path) -> Job:
    """Read recipe, version and commit's time. Raises RecipeError."""
    recipe = load_recipe(board, parts=part_files(repository / "firmware"))
    version = _VERSION.search((repository / "agent/__init__.py").read_text(encoding="utf-8"))
    if version is None:
        raise ValueError("agent/__init__.py has no VERSION")
    return Job(recipe, repository, out, version[1], _epoch_s(repository))


def _epoch_s(repository: Path) -> int:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(repository), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def say(text: str) -> None:
    """One line of progress."""
    print(f"image: {text}", flush=True)
