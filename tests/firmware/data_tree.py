"""A machine for the tests of the data partition: sysfs, procfs and devices as files."""

from __future__ import annotations

from firmware.data_partition import Folder, Places

ROOT = "254:2"


def machine(folder, *partitions, root=ROOT, disk_size=1 << 21):
    """Places below `folder`. partitions: (number, name, start, size, is_read_only), the root's being number 2."""
    places = Places(
        data=folder / "data",
        run=folder / "run",
        sys=folder / "sys",
        proc=folder / "proc",
        dev=folder / "dev",
        units=folder / "units",
        folders=(
            Folder("agent", folder / "var/lib/halsorum", 0o700, "nobody-here"),
            Folder("journal", folder / "var/log/journal", 0o2755),
            Folder("update", folder / "data/update", 0o700),
        ),
    )
    (places.proc / "self").mkdir(parents=True)
    (places.proc / "self/mountinfo").write_text(f"26 1 {root} / / ro,relatime shared:1 - ext4 /dev/vda2 ro\n")
    disk = places.sys / "devices/virtio/block/vda"
    disk.mkdir(parents=True)
    (disk / "size").write_text(f"{disk_size}\n")
    (places.sys / "dev/block").mkdir(parents=True)
    places.dev.mkdir()
    places.data.mkdir()
    for number, name, start, size, is_read_only in partitions:
        inner = disk / f"vda{number}"
        inner.mkdir()
        for file, value in (
            ("partition", number),
            ("start", start),
            ("size", size),
            ("ro", int(is_read_only)),
        ):
            (inner / file).write_text(f"{value}\n")
        (inner / "uevent").write_text(
            f"DEVTYPE=partition\nPARTN={number}\n" + (f"PARTNAME={name}\n" if name else "")
        )
        (places.sys / "dev/block" / f"254:{number}").symlink_to(inner)
    return places
