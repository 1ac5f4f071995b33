import itertools

from firmware.image import layout
from firmware.image.layout import MIB, UEFI, Partition


def test_partitions_follow_each_other_on_whole_mebibytes() -> None:
    found = layout.placed("vm", UEFI)
    assert [each.partition.label for each in found] == ["esp", "root-a", "root-b", "identity", "data"]
    assert found[0].start == MIB
    for one, other in itertools.pairwise(found):
        assert other.start == one.start + one.partition.size
    assert layout.disk_size(UEFI) == found[-1].start + found[-1].partition.size + MIB


def test_names_are_the_same_at_every_build_and_differ_between_boards() -> None:
    one, again, other = (layout.placed(board, UEFI) for board in ("vm", "vm", "x86"))
    assert one == again
    assert not {each.guid for each in one} & {each.guid for each in other}


def test_sfdisk_script() -> None:
    text = layout.sfdisk_script("vm", [Partition("esp", 64 * MIB, "TYPE"), Partition("data", 2 * MIB)])
    lines = text.splitlines()
    assert lines[0] == "label: gpt"
    assert lines[-2].startswith("start=2048, size=131072, type=TYPE, uuid=")
    assert lines[-1].startswith("start=133120, size=4096, ")
    assert lines[-1].endswith('name="data"')
