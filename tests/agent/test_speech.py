"""The unit's own voice: a child process that is told the text on its standard input alone."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from agent.speech import VOICES, WAV_HEADER_BYTES, CannotSpeak, Espeak

SCRIPT = """#!/bin/sh
echo "$@" >> {folder}/arguments
cat > {folder}/heard
grep -q unspeakable {folder}/heard && exit 1
case "$2" in {broken}) exit 1;; esac
printf 'RIFF----WAVEfmt 0123456789012345678901234567'
printf sound
"""


@pytest.fixture
def make_voice(tmp_path):
    def make(broken: str = "none") -> Espeak:
        program = tmp_path / "espeak-ng"
        program.write_text(SCRIPT.format(folder=tmp_path, broken=broken))
        program.chmod(0o755)
        return Espeak(str(program))

    return make


def test_the_text_goes_in_as_input_and_is_no_part_of_the_command(make_voice, tmp_path):
    voice = make_voice()
    assert voice.languages == ("sv", "en", "fi", "ar")
    wav = voice.say("sv", "--path=/etc [[h@l'oU]] $(reboot)")
    assert (tmp_path / "heard").read_text() == "--path=/etc   h@l'oU   $(reboot)"
    assert (tmp_path / "arguments").read_text().splitlines()[-1] == "-v sv -s 150 -b 1 --stdin --stdout"
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8
    assert struct.unpack_from("<I", wav, WAV_HEADER_BYTES - 4)[0] == len(b"sound")


def test_a_language_whose_voice_does_not_work_is_not_offered(make_voice):
    voice = make_voice(broken="fi")
    assert voice.languages == ("sv", "en", "ar")
    with pytest.raises(CannotSpeak, match="no voice for se"):
        voice.say("se", "Bures")


def test_a_machine_without_the_program_says_so_once_and_speaks_nothing(tmp_path, caplog):
    assert Espeak(str(tmp_path / "nothing")).languages == ()
    assert "install the package espeak-ng" in caplog.text


def test_what_went_wrong_is_told_without_the_text(make_voice):
    with pytest.raises(CannotSpeak) as raised:
        make_voice().say("sv", "unspeakable Anna")
    assert "Anna" not in str(raised.value)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_real_one_speaks_every_language_of_ours(tmp_path: Path):
    voice = Espeak()
    assert voice.languages == tuple(VOICES)
    short, long = voice.say("ar", "نعم"), voice.say("ar", "تم تسجيل وصولك. لا تحتاج إلى فعل أي شيء آخر.")
    assert 10_000 < len(short) < len(long)
    assert list(tmp_path.iterdir()) == []
