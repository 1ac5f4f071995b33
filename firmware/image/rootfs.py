"""The root file system: Debian's packages, then ours over them, then what is not needed away."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

from firmware.image import debian, filesystems, tree, wheels
from firmware.image.job import Job, say
from firmware.image.recipe import HERE
from firmware.kiosk.flags import TOUCH_FRAME

COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
KEPT_TARS = 2
"""Of each architecture: a board's and the laboratory's."""
# What is made anew at every start or never used; the first kernel's own names are given by `initial_ram_disk`.
_TRIMMED = (
    *(
        "etc/apt",
        "etc/dpkg",
        "var/cache/*",
        "var/lib/apt",
        "var/log/*",
        "tmp/*",
        "run/*",
        "usr/share/doc-base",
        "etc/*-",
    ),
    *("usr/share/icons/Adwaita/[0-9]*", "usr/share/icons/Adwaita/s*"),
    "usr/lib/chromium/libVkLayer_khronos_validation.so",
    *("vmlinuz*", "initrd.img*", "boot/*.old", "boot/initrd.img*", "boot/System.map-*"),
)
_MOUNT_POINTS = ("efi", "data")


def packages(job: Job) -> None:
    """Unpacked Debian packages, from the cache if the recipe has not changed."""
    cache, recipe = job.cache, job.recipe
    name = f"packages-{recipe.architecture}-{debian.cache_key(recipe, _snapshot())}"
    tar = next(iter(cache.glob(f"{name}-*.tar")), cache / f"{name}-{job.epoch_s}.tar")
    if not tar.exists():
        say(f"{len(recipe.packages)} packages and what they need, of Debian for {recipe.architecture}")
        _bootstrap(job, tar)
        kept = sorted(
            cache.glob(f"packages-{recipe.architecture}-*.tar"), key=lambda each: each.stat().st_mtime
        )
        for old in kept[:-KEPT_TARS]:
            old.unlink()
    job.root.mkdir(parents=True)
    job.run("tar", "-C", job.root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", tar)
    status = job.root / "var/lib/dpkg/status"
    try:
        debian.check_pins(recipe.pinned, status.read_text(encoding="utf-8"))
    except debian.WrongVersion:
        tar.unlink()  # the next try asks the archive anew
        raise
    # What was made while the packages were unpacked is as old as the commit of that day; now as old as this one.
    filesystems.change_time(job.root, int(tar.stem.rsplit("-", 1)[-1]), job.epoch_s)


def _snapshot() -> str:
    """The time of the archives to build of, where one is given; today's otherwise."""
    return os.environ.get("DEBIAN_SNAPSHOT", "")


def _bootstrap(job: Job, tar: Path) -> None:
    debs = job.cache / f"debs-{job.recipe.architecture}"
    debs.mkdir(parents=True, exist_ok=True)
    etc, source = Path("/etc/apt"), job.work / "debian.sources"
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("debian.*"))]
    mirror = debian.archives(file.read_text() for file in files if file.exists())
    if snapshot := _snapshot():
        mirror = debian.of_time(snapshot)
    source.write_text(debian.sources(*mirror, job.recipe.components))
    partial, log = tar.with_suffix(".part"), job.work / "packages.log"
    # INITRD: the initial RAM disk is made later, once its own files are there.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(job.epoch_s), "INITRD": "No"}
    with log.open("w") as output:
        command = debian.mmdebstrap(job.recipe, source, debs, partial)
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"mmdebstrap failed; its messages are in {log}")
    partial.rename(tar)


def ours(job: Job) -> None:
    """Programs, settings and units of the tree."""
    say("programs, settings and units of this tree")
    root, recipe, firmware = job.root, job.recipe, job.tree / "firmware"
    site, found = tree.inside(root, tree.SITE_PACKAGES), _wheels(job)
    job.run(*wheels.pip_install(recipe.architecture, found[0].parent, site, found))
    tree.programs(job.tree, root)
    tree.settings(root, recipe.board, job.version)
    parts = [each for each in sorted(firmware.glob("*/root")) if each.parent != HERE]
    own = [each for each in (HERE / f"root_{recipe.board}",) if each.exists()]
    tree.lay(root, [HERE / "root", *parts, *own], tree.unit_places(job.tree / "systemd") | dict(recipe.files))
    _compiled(job)
    if recipe.boot == "grub":
        _updates(job)
    job.run("systemd-sysusers", f"--root={root}")
    job.run("systemctl", f"--root={root}", "preset-all")


def _compiled(job: Job) -> None:
    """The one program of ours that is not Python: what cage leaves out of a touch."""
    library = tree.inside(job.root, PurePosixPath(TOUCH_FRAME))
    library.parent.mkdir(parents=True, exist_ok=True)
    source = job.tree / "firmware/kiosk/touch_frame.c"
    words = ("-shared", "-fPIC", "-Os", "-Wall", "-Werror", "-nostdlib", "-s", "-Wl,--build-id=none")
    job.run(COMPILERS[job.recipe.architecture], *words, "-o", library, source)
    library.chmod(0o755)


def _wheels(job: Job) -> list[Path]:
    architecture = job.recipe.architecture
    folder = job.cache / f"wheels-{architecture}"
    lock = (job.tree / ".ci/requirements.lock").read_text(encoding="utf-8")
    project = (job.tree / "pyproject.toml").read_text(encoding="utf-8")
    stamp, entries = folder / "for", wheels.locked(lock)
    if not stamp.exists() or stamp.read_text() != lock + project:
        say(f"Python packages for {architecture}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        constraints, wanted = folder / "constraints.txt", folder / "wanted.txt"
        constraints.write_text("\n".join(entries) + "\n")
        wanted.write_text("\n".join(wheels.wanted(project)) + "\n")
        job.run(*wheels.pip_download(architecture, wanted, constraints, folder))
        stamp.write_text(lock + project)
    found = sorted(folder.glob("*.whl"))
    wheels.check(found, entries)
    return found


def _updates(job: Job) -> None:
    """RAUC's settings, and the certificate that bundles are signed under: the maker's, or one of this machine."""
    keys = job.out / "keys"
    module = [sys.executable, "-m"]
    job.run(*module, "firmware.update.keys", keys, PYTHONPATH=str(job.tree))
    settings = job.run(
        *module, "firmware.update.system_conf", "--board", job.recipe.board, PYTHONPATH=str(job.tree)
    )
    tree.write(job.root, "/etc/rauc/system.conf", settings)
    keyring = Path(os.environ.get("UPDATE_KEYRING") or keys / "update.pem")
    tree.write(job.root, "/etc/rauc/keyring.pem", keyring.read_text(encoding="utf-8"))


def bytecode(job: Job) -> None:
    """Of programs and packages: the root is read-only, so that none could be written later (PEP 552)."""
    command = [
        "chroot",
        str(job.root),
        "python3",
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(job.epoch_s)}
    # Not checked: some packages carry files for other versions of Python, which do not compile.
    words = [*command, str(tree.SITE_PACKAGES), str(tree.APP)]
    subprocess.run(words, check=False, env=environment, stdout=subprocess.DEVNULL)
    if not list(tree.inside(job.root, tree.APP).glob("agent/__pycache__/*.pyc")):
        raise RuntimeError(
            f"Python for {job.recipe.architecture} does not run here: install qemu-user-static"
        )


def trim(job: Job) -> None:
    """Away with what nobody needs, and folders made for what is mounted."""
    for pattern in _TRIMMED:
        for path in job.root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for name in _MOUNT_POINTS:
        (job.root / name).mkdir(exist_ok=True)
    (modules,) = (job.root / "usr/lib/modules").iterdir()
    for name in job.recipe.modules_removed:
        if not (modules / "kernel" / name).is_dir():
            raise ValueError(f"boards.toml: modules_removed has {name}, which Linux {modules.name} has not")
        shutil.rmtree(modules / "kernel" / name)
    job.run("chroot", job.root, "depmod", modules.name)


def initial_ram_disk(job: Job) -> None:
    """Made of the board's short list of modules; both get names without a version, for the boot loader."""
    boot, place = job.root / "boot", job.root / "etc/initramfs-tools"
    tree.copy(HERE / "initramfs", place)
    (place / "modules").write_text("\n".join(job.recipe.initramfs_modules) + "\n")
    (kernel,) = boot.glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    job.run("chroot", job.root, "mkinitramfs", "-o", "/boot/initrd.img", version)
    kernel.rename(boot / "vmlinuz")
