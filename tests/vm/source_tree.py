"""A working tree on its way into the machine: packed with bytecode, laid over what the image brought."""

from __future__ import annotations

import compileall
import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

APP = "/opt/halsorum/app"
FOLDERS = ("agent", "web", "firmware", "provisioning", "systemd")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "README.md", "*.png", "node_modules")


def packed(tree: Path) -> bytes:
    """The tree's programs as a compressed archive, compiled for the same Python as the machine's."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in FOLDERS:
            if (tree / name).is_dir():
                shutil.copytree(tree / name, copy / name, ignore=LEFT_OUT)
        # By hash and unchecked: times of files change on the way.
        compileall.compile_dir(
            copy,
            quiet=2,
            stripdir=str(copy),
            prependdir=APP,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=3) as tar:
            for each in sorted(copy.iterdir()):
                tar.add(each, each.name, filter=_by_root)
        return archive.getvalue()


def take_over(archive: str, app: str) -> str:
    """What the machine does with the archive: a tmpfs over the app's folder, its units in place of the image's."""
    return f"""set -e
mountpoint -q {app} && umount -l {app}
new=$(mktemp -d /run/lab-tree-XXXX)
mount -t tmpfs -o mode=755,size=200m lab-tree "$new"
tar -xzf {archive} -C "$new"
mount --move "$new" {app} 2>/dev/null || mount --bind "$new" {app}
mkdir -p /run/systemd/system
for unit in {app}/systemd/*.service {app}/systemd/*.path {app}/systemd/*.timer {app}/systemd/*.socket; do
  [ -e "$unit" ] || continue
  of_image=/etc/systemd/system/${{unit##*/}}
  # /etc goes before /run, and is read-only.
  if [ -f "$of_image" ]; then mount --bind "$unit" "$of_image"; else cp "$unit" /run/systemd/system/; fi
done
# Named otherwise, since /etc's drop-in of the same name goes before /run's.
for drop_in in {app}/firmware/image/root_vm/etc/systemd/system/*.service.d; do
  mkdir -p /run/systemd/system/"${{drop_in##*/}}"
  for file in "$drop_in"/*.conf; do cp "$file" /run/systemd/system/"${{drop_in##*/}}"/tree-"${{file##*/}}"; done
done
systemctl daemon-reload
"""


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
