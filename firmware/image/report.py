"""What goes beside an image: its bill of materials, a manifest, and the sizes on screen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from firmware.image import layout, sbom, sizes, wheels
from firmware.image.job import Job, say


class _Checksums(Mapping[str, str]):
    """SHA-256 of files, made when asked for."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def __getitem__(self, name: str) -> str:
        return sbom.sha256_of(self._files[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def components(job: Job) -> list[sbom.Component]:
    """All packages. dpkg's list is read and then leaves the image, which is never changed but replaced whole."""
    architecture, root = job.recipe.architecture, job.root
    documents = {
        file.parent.name: file.read_text("utf-8", "replace")
        for file in root.glob("usr/share/doc/*/copyright")
    }
    debs = {unquote(file.name): file for file in (job.cache / f"debs-{architecture}").glob("*.deb")}
    dpkg = root / "var/lib/dpkg"
    found = sbom.debian_components((dpkg / "status").read_text(encoding="utf-8"), documents, _Checksums(debs))
    shutil.rmtree(dpkg)
    installed = sorted(root.glob("opt/halsorum/venv/lib/*/site-packages/*.dist-info/METADATA"))
    by_name = {
        wheels.name_version(each.name): each for each in (job.cache / f"wheels-{architecture}").glob("*.whl")
    }
    metadata = (file.read_text(encoding="utf-8") for file in installed)
    return found + sbom.python_components(metadata, _Checksums(by_name))


def tell(job: Job, found: list[sbom.Component]) -> None:
    """Write both files and say the sizes."""
    image, root_sha256 = job.image, sbom.sha256_of(job.work / "root.ext4")
    told = sbom.document(job.recipe.board, job.version, job.epoch_s, found, root_sha256)
    _write(image.with_suffix(".sbom.json"), told)
    parts = sizes.by_part(sizes.file_sizes(job.root))
    manifest = {
        "board": job.recipe.board,
        "version": job.version,
        "note": job.recipe.note,
        "source_date_epoch": job.epoch_s,
        "root_sha256": root_sha256,
        "bytes_by_part": parts,
    }
    _write(image.with_suffix(".json"), manifest)
    for name, size in parts.items():
        say(f"{size / layout.MIB:7.1f} MiB {name}")
    say(
        f"{sum(parts.values()) / layout.MIB:7.1f} MiB in all; {len(found)} packages in {image.stem}.sbom.json"
    )
    if job.recipe.note:
        say(f"mind: {job.recipe.note}")
    say(f"{image} is made")


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
