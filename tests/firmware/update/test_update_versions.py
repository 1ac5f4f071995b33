"""Versions, slots and RAUC's configuration: all pure."""

from __future__ import annotations

import configparser

import pytest

from firmware.update.bundle import BundleError, manifest
from firmware.update.rauc import reason_of
from firmware.update.slots import slots
from firmware.update.system_conf import compatible, system_conf
from firmware.update.versions import is_older, is_version

IN_ORDER = [
    "0.1",
    "0.4.9",
    "0.5.0-rc1",
    "0.5.0-rc2.1",
    "0.5.0",
    "0.5.0.1",
    "0.10.0",
    "1.0.0-alpha",
    "1.0.0",
    "10.0",
]
RELEASE = {"IMAGE_ID": "halsorum-vm", "IMAGE_VERSION": "0.5.0"}


@pytest.mark.parametrize("place", range(1, len(IN_ORDER)))
def test_versions_have_an_order(place):
    older, newer = IN_ORDER[place - 1], IN_ORDER[place]
    assert is_older(older, newer)
    assert not is_older(newer, older)
    assert not is_older(newer, newer)


@pytest.mark.parametrize("text", ["", "1", "v1.2", "1.2/../3", "1.02", "1.2\n", "1.2-", "1.2.3.4.5", "1.2-ä"])
def test_what_is_no_version(text):
    assert not is_version(text)
    with pytest.raises(ValueError, match="is no version"):
        is_older(text, "1.0")


def test_the_slot_that_runs_is_said_by_the_kernels_line():
    found = slots("root=PARTLABEL=root-b rauc.slot=B quiet", RELEASE, {"PROVEN": "A", "FILLED": "A"})
    assert (found.booted, found.other, found.is_proven, found.filled) == ("B", "A", False, True)
    assert (found.compatible, found.version) == ("halsorum-vm", "0.5.0")


@pytest.mark.parametrize(
    ("variables", "tried"),
    [
        ({"B_OK": "1", "B_TRY": "1"}, True),
        ({"B_OK": "1", "B_TRY": "0"}, False),
        ({"B_OK": "0", "B_TRY": "1"}, False),
        ({}, False),
    ],
)
def test_the_other_slot_was_tried_in_vain_if_it_was_booted_and_is_not_marked(variables, tried):
    assert slots("rauc.slot=A", RELEASE, {"PROVEN": "A", **variables}).tried is tried


@pytest.mark.parametrize("line", ["", "quiet", "rauc.slot=C", "xrauc.slot=A", "rauc.slot=AB"])
def test_a_machine_without_slots_has_none(line):
    found = slots(line, {}, {})
    assert (found.booted, found.other, found.filled, found.tried) == ("", "", False, False)


def test_raucs_configuration_takes_verity_bundles_for_this_board_and_activates_nothing():
    read = configparser.ConfigParser()
    read.read_string(system_conf("vm"))
    assert read["system"]["compatible"] == compatible("vm") == "halsorum-vm"
    assert read["system"]["activate-installed"] == "false"
    assert read["system"]["bundle-formats"] == "-plain"
    assert {read[f"slot.rootfs.{n}"]["bootname"] for n in (0, 1)} == {"A", "B"}
    with pytest.raises(ValueError, match="no board"):
        system_conf("../vm\n[keyring]")


def test_a_manifest_says_for_whom_it_is_and_no_other_lines_get_in():
    read = configparser.ConfigParser()
    read.read_string(manifest("vm", "0.5.1"))
    assert (read["update"]["compatible"], read["bundle"]["format"]) == ("halsorum-vm", "verity")
    with pytest.raises(BundleError):
        manifest("vm", "0.5.1\n[hooks]")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (
            "rauc-Message: x\nsignature verification failed: Verify error: self-signed",
            "not one this unit trusts",
        ),
        ("Invalid bundle format: Signature size exceeds", "a broken one"),
        ("LastError: Installation error: Slot '/dev/x' is too small for image", "larger than the slot"),
        ("something else", "rauc: something else"),
        ("LastError: no /dev/mapper/control\n\nInstalling `b` failed", "rauc: no /dev/mapper/control"),
        ("rauc-Message: only this", "did not say why"),
    ],
)
def test_what_rauc_prints_is_told_in_words(output, told):
    assert told in reason_of(output)
