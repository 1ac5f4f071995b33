"""GRUB's environment: no cut of power leaves less than the old or the new one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from firmware.update import grubenv
from firmware.update.grubenv import (
    BLOCK_BYTES,
    FIRST,
    EnvironmentBlockError,
    change,
    create,
    main,
    read,
    render,
)

STAND_IN = Path(grubenv.__file__).parent / "bin" / "grub-editenv"


@pytest.fixture
def file(tmp_path):
    create(tmp_path / "grubenv")
    return tmp_path / "grubenv"


def test_a_new_one_starts_from_slot_a_and_an_old_one_is_left_alone(file):
    assert read(file) == FIRST
    change(file, {"ORDER": "B A"})
    create(file)
    assert read(file)["ORDER"] == "B A"


def test_variables_are_set_and_removed_and_the_file_keeps_its_place_and_length(file):
    inode = file.stat().st_ino
    change(file, {"B_OK": "1", "PROVEN": None})
    assert read(file) == {**{k: v for k, v in FIRST.items() if k != "PROVEN"}, "B_OK": "1"}
    assert (file.stat().st_ino, file.stat().st_size) == (inode, BLOCK_BYTES)


def test_it_is_never_emptied_and_written_once(file, monkeypatch):
    written, opened, real_open = [], [], os.open
    monkeypatch.setattr(grubenv.os, "pwrite", lambda _file, block, place: written.append((len(block), place)))

    def note(path, flags, *more):
        opened.append(flags)
        return real_open(path, flags, *more)

    monkeypatch.setattr(grubenv.os, "open", note)
    change(file, {"A_OK": "0"})
    assert written == [(BLOCK_BYTES, 0)]
    assert not opened[-1] & os.O_TRUNC


@pytest.mark.parametrize("changes", [{"A\nB": "1"}, {"A": "1\nB=2"}, {"A": "x" * 600}, {"A": "${ORDER}"}])
def test_what_grub_would_read_otherwise_is_not_written(file, changes):
    with pytest.raises(EnvironmentBlockError):
        change(file, changes)
    assert read(file) == FIRST


@pytest.mark.parametrize("block", [b"", b"x" * BLOCK_BYTES, render({})[:-1]])
def test_no_block_is_said_to_be_none(tmp_path, block):
    (tmp_path / "grubenv").write_bytes(block)
    assert main([str(tmp_path / "grubenv"), "set", "A_OK=1"]) == 1
    assert (tmp_path / "grubenv").read_bytes() == block


def test_as_rauc_calls_it(file):
    def call(*words):
        return subprocess.run(
            [STAND_IN, str(file), *words], capture_output=True, text=True, check=True
        ).stdout

    call("set", "ORDER=B A", "B_OK=1", "B_TRY=0")
    call("unset", "PROVEN")
    assert call("list") == "ORDER=B A\nA_OK=1\nA_TRY=0\nB_OK=1\nB_TRY=0\n"


def test_a_wrong_call_is_said(capsys):
    assert main(["file"]) == 2
    assert "is needed" in capsys.readouterr().err
