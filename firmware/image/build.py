"""Builds an image from the recipe to the disk. Needs root: files of many owners are laid down, and chroot is called."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from firmware.image import debian, disk, filesystems, grub, layout, sbom, sizes, tree, wheels
from firmware.image.recipe import HERE, Recipe, load_recipe, part_files

_VERSION = re.compile(r'^VERSION = "([^"]+)"', re.MULTILINE)
AGENT_ID = "970:970"
"""User and group `halsorum` (systemd/sysusers.conf)."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of a build."""

    tree: Path
    cache: Path
    work: Path
    """For this board alone; emptied first."""
    image: Path


@dataclass(frozen=True, slots=True)
class Build:
    """What a build is told beside its recipe."""

    recipe: Recipe
    places: Places
    version: str
    epoch_s: int
    """SOURCE_DATE_EPOCH: the commit's time."""

    @property
    def root(self) -> Path:
        """The root file system while it is laid down."""
        return self.places.work / "root"


def prepare(board: str, repository: Path, out: Path) -> Build:
    """Read the recipe, version and commit's time. Raises RecipeError."""
    recipe = load_recipe(board, parts=part_files(repository / "firmware"))
    version = _VERSION.search((repository / "agent/__init__.py").read_text(encoding="utf-8"))
    if version is None:
        raise ValueError("agent/__init__.py has no VERSION")
    git = ["git", "-C", str(repository), "log", "-1", "--format=%ct"]
    epoch = (
        os.environ.get("SOURCE_DATE_EPOCH")
        or subprocess.run(git, check=True, capture_output=True, text=True).stdout
    )
    places = Places(repository, out / "cache", out / board, out / f"halsorum-{board}.img")
    return Build(recipe, places, version[1], int(epoch))


def say(text: str) -> None:
    """One line of progress."""
    print(f"image: {text}", flush=True)


def build(job: Build) -> Path:
    """All of it; returns the image."""
    os.environ["SOURCE_DATE_EPOCH"] = str(job.epoch_s)
    os.umask(0o022)
    shutil.rmtree(job.places.work, ignore_errors=True)
    job.root.mkdir(parents=True)
    _packages(job)
    _lay(job)
    _trim(job)
    _initramfs(job)
    components = _components(job)
    filesystems.clamp_times(job.root, job.epoch_s)
    image = _disk(job)
    _tell(job, components)
    return image


def _packages(job: Build) -> None:
    cache, recipe = job.places.cache, job.recipe
    tar = cache / f"packages-{recipe.board}-{debian.cache_key(recipe)}.tar"
    if not tar.exists():
        say(
            f"{len(recipe.packages)} packages and what they need, of Debian {debian.RELEASE} for {recipe.architecture}"
        )
        debs = cache / f"debs-{recipe.architecture}"
        debs.mkdir(parents=True, exist_ok=True)
        etc = Path("/etc/apt")
        files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("debian.*"))]
        source = job.places.work / "debian.sources"
        mirror = debian.archives(file.read_text() for file in files if file.exists())
        source.write_text(debian.sources(*mirror, recipe.components))
        partial = tar.with_suffix(".part.tar")
        log = job.places.work / "packages.log"
        with log.open("w") as output:
            command = debian.mmdebstrap(recipe, source, debs, partial)
            # INITRD: the initial RAM disk is made later, once its own files are there.
            environment = {**os.environ, "INITRD": "No"}
            if subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
            ).returncode:
                raise RuntimeError(f"mmdebstrap failed; its messages are in {log}")
        for old in cache.glob(f"packages-{recipe.board}-*.tar"):
            old.unlink() if old != partial else None
        partial.rename(tar)
    subprocess.run(
        ["tar", "-C", str(job.root), "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", str(tar)],
        check=True,
    )


def _wheels(job: Build) -> list[Path]:
    repository, architecture = job.places.tree, job.recipe.architecture
    folder = job.places.cache / f"wheels-{architecture}"
    lock = (repository / ".ci/requirements.lock").read_text(encoding="utf-8")
    project = (repository / "pyproject.toml").read_text(encoding="utf-8")
    stamp, entries = folder / "for", wheels.locked(lock)
    if not stamp.exists() or stamp.read_text() != lock + project:
        say(f"Python packages for {architecture}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "constraints.txt").write_text("\n".join(entries) + "\n")
        (folder / "wanted.txt").write_text("\n".join(wheels.wanted(project)) + "\n")
        files = (folder / "wanted.txt", folder / "constraints.txt", folder)
        subprocess.run(wheels.pip_download(architecture, *files), check=True)
        stamp.write_text(lock + project)
    found = sorted(folder.glob("*.whl"))
    wheels.check(found, entries)
    return found


def _lay(job: Build) -> None:
    say("programs, settings and units of this tree")
    repository, root, recipe = job.places.tree, job.root, job.recipe
    site = tree.inside(root, tree.SITE_PACKAGES)
    found = _wheels(job)
    subprocess.run(wheels.pip_install(recipe.architecture, job.places.cache, site, found), check=True)
    tree.programs(repository, root)
    overlays = [
        HERE / "root",
        *(each for each in sorted((repository / "firmware").glob("*/root")) if each != HERE / "root"),
    ]
    own = HERE / f"root_{recipe.board}"
    tree.settings(root, recipe.board, job.version)
    tree.lay(
        root, overlays + [own] * own.exists(), tree.unit_places(repository / "systemd") | dict(recipe.files)
    )
    if recipe.boot == "grub":
        _updates(job)
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True)
    subprocess.run(["systemctl", f"--root={root}", "preset-all"], check=True, capture_output=True)
    compiling = [
        "chroot",
        str(root),
        "python3",
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # Some packages carry files for other versions of Python, which do not compile.
    subprocess.run(
        [*compiling, str(tree.SITE_PACKAGES), str(tree.APP)],
        check=False,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def _updates(job: Build) -> None:
    """RAUC's settings, and the certificate that bundles must be signed under: the maker's, or one of this machine."""
    keys = job.places.cache.parent / "keys"
    for module, *words in (("keys", str(keys)), ("system_conf", "--board", job.recipe.board)):
        command = [sys.executable, "-m", f"firmware.update.{module}", *words]
        said = subprocess.run(command, check=True, cwd=job.places.tree, capture_output=True, text=True).stdout
    tree.write(job.root, "/etc/rauc/system.conf", said)
    keyring = Path(os.environ.get("UPDATE_KEYRING") or keys / "update.pem")
    tree.write(job.root, "/etc/rauc/keyring.pem", keyring.read_text(encoding="utf-8"))


def _trim(job: Build) -> None:
    root = job.root
    for pattern in (
        "var/cache/*",
        "var/lib/apt",
        "var/log/*",
        "tmp/*",
        "run/*",
        "usr/share/doc-base",
        "boot/*.old",
        "initrd.img*",
        "vmlinuz*",
        "etc/*-",
        "boot/System.map-*",
        "boot/initrd.img*",
    ):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in ("efi", "data"):
        (root / name).mkdir(exist_ok=True)


def _initramfs(job: Build) -> None:
    root, boot = job.root, job.root / "boot"
    place = root / "etc/initramfs-tools"
    tree.copy(HERE / "initramfs", place)
    (place / "modules").write_text("\n".join(job.recipe.initramfs_modules) + "\n")
    (kernel,) = boot.glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    subprocess.run(["chroot", str(root), "mkinitramfs", "-o", "/boot/initrd.img", version], check=True)
    kernel.rename(boot / "vmlinuz")


def _components(job: Build) -> list[sbom.Component]:
    """Of packages; dpkg's list is read and leaves the image, which is replaced whole."""
    root, cache, architecture = job.root, job.places.cache, job.recipe.architecture
    documents = {
        file.parent.name: file.read_text("utf-8", "replace")
        for file in root.glob("usr/share/doc/*/copyright")
    }
    debs = {unquote(file.name): file for file in (cache / f"debs-{architecture}").glob("*.deb")}
    status = root / "var/lib/dpkg/status"
    sums = _Checksums(debs)
    found = sbom.debian_components(status.read_text(encoding="utf-8"), documents, sums)
    shutil.rmtree(status.parent)
    metadata = (
        file.read_text(encoding="utf-8")
        for file in root.glob("opt/halsorum/venv/lib/*/site-packages/*.dist-info/METADATA")
    )
    by_name = {
        wheels.name_version(file.name): file for file in (cache / f"wheels-{architecture}").glob("*.whl")
    }
    return found + sbom.python_components(metadata, _Checksums(by_name))


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


def _tell(job: Build, components: list[sbom.Component]) -> None:
    """SBOM and manifest beside the image, and the sizes."""
    board, image = job.recipe.board, job.places.image
    root_sha256 = sbom.sha256_of(job.places.work / "root.ext4")
    told = sbom.document(board, job.version, job.epoch_s, components, root_sha256)
    image.with_suffix(".sbom.json").write_text(
        json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    parts = sizes.by_part(sizes.file_sizes(job.root))
    manifest = {
        "board": board,
        "version": job.version,
        "source_date_epoch": job.epoch_s,
        "root_sha256": root_sha256,
        "image_sha256": sbom.sha256_of(image),
        "bytes_by_part": parts,
    }
    image.with_suffix(".json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    for name, size in parts.items():
        say(f"{size / layout.MIB:7.1f} MiB {name}")
    say(
        f"{sum(parts.values()) / layout.MIB:7.1f} MiB in all; {len(components)} packages in {image.stem}.sbom.json"
    )
    say(f"{image} is made")


def _disk(job: Build) -> Path:
    work, recipe, epoch = job.places.work, job.recipe, job.epoch_s
    root = work / "root.ext4"
    size = -(-int(filesystems.used_bytes(job.root) * filesystems.SPARE) // layout.MIB) * layout.MIB
    say(f"root file system of {size // layout.MIB} MiB")
    key = (recipe.board, job.version)
    filesystems.make_ext4(root, size, "halsorum-root", (*key, "root"), job.root, epoch, journal=False)
    identity, data, esp = work / "identity.ext4", work / "data.ext4", work / "esp.fat"
    by_label = {each.label: each for each in layout.UEFI}
    filesystems.make_ext4(
        identity,
        by_label["identity"].size,
        "halsorum-id",
        (*key, "identity"),
        None,
        epoch,
        journal=True,
        owner=AGENT_ID,
    )
    filesystems.make_ext4(
        data, by_label["data"].size, "halsorum-data", (*key, "data"), None, epoch, journal=True
    )
    _esp(job, esp)
    parts = {"esp": esp, "root-a": root, "identity": identity, "data": data}
    fresh = job.places.image.with_suffix(".img.new")
    disk.write_disk(fresh, recipe.board, layout.UEFI, parts)
    fresh.rename(job.places.image)
    for each in (identity, data, esp):
        each.unlink()
    return job.places.image


def _esp(job: Build, target: Path) -> None:
    work = job.places.work
    files = {
        "EFI/BOOT/BOOTX64.EFI": work / "BOOTX64.EFI",
        "grub/grub.cfg": work / "grub.cfg",
        "grub/grubenv": work / "grubenv",
    }
    grub.make_program(files["EFI/BOOT/BOOTX64.EFI"])
    files["grub/grub.cfg"].write_text(grub.config(job.recipe.command_line), encoding="utf-8")
    first = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0", "PROVEN": "A"}
    files["grub/grubenv"].write_bytes(grub.environment(first))
    filesystems.make_fat(
        target,
        layout.UEFI[0].size,
        "HALSORUM",
        files,
        job.epoch_s,
        layout.fixed_uuid(job.recipe.board, "esp").hex[:8],
    )
