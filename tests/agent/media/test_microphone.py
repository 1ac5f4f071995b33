"""Microphones: PipeWire through a stand-in for pw-record, films in step, speech in a loop."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from agent.media import microphone as microphone_module
from agent.media.device import DeviceError, Pace
from agent.media.footage import Footage, looped_sound
from agent.media.microphone import (
    FRAME_SAMPLES,
    LOOK_AFTER_FRAMES,
    FileMicrophone,
    MicrophoneSettings,
    PipeWireMicrophone,
    SpeechMicrophone,
    canceller_hears,
    make_microphone,
    pcm_start,
    pw_record_arguments,
)


def stand_in(folder: Path, body: str) -> str:
    """A program in pw-record's place."""
    path = folder / "pw-record"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_pw_record_is_asked_for_mono_s16_at_48_khz_from_the_target_and_no_other() -> None:
    arguments = pw_record_arguments("echo-cancel-source")
    assert arguments[0] == "pw-record"
    assert arguments[-1] == "-"
    pairs = dict(zip(arguments[1:-1:2], arguments[2:-1:2], strict=True))
    assert pairs == {
        "--target": "echo-cancel-source",
        "-P": "{ node.dont-reconnect = true }",
        "--format": "s16",
        "--rate": "48000",
        "--channels": "1",
        "--media-role": "Communication",
        "--latency": "20ms",
    }
    assert "--target" not in pw_record_arguments(None)


def test_samples_are_found_with_and_without_a_header() -> None:
    header = b".snd" + (24).to_bytes(4, "big") + bytes(16)
    assert pcm_start(b"") is None
    assert pcm_start(b"\x01\x00\x02\x00") == (0, False)
    assert pcm_start(b".snd\x00") is None
    assert pcm_start(header[:20]) is None
    assert pcm_start(header + b"\x00\x01") == (24, True)


def test_pipewire_sound_arrives_in_pieces_of_20_ms_and_the_program_ends_with_close(tmp_path: Path) -> None:
    wave = np.arange(-2 * FRAME_SAMPLES, 2 * FRAME_SAMPLES, dtype="<i2")
    (tmp_path / "sound").write_bytes(wave.tobytes())
    microphone = PipeWireMicrophone("source", stand_in(tmp_path, f"cat {tmp_path}/sound; exec sleep 60"))
    microphone.open()
    pieces = [microphone.read() for _ in range(4)]
    process = microphone._process
    microphone.close()
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), wave)
    # Four pieces came at once: each is as much older as there is sound after it.
    assert pieces[3].captured_at - pieces[0].captured_at == pytest.approx(0.06, abs=0.03)
    assert process is not None
    assert process.returncode is not None


def test_big_endian_sound_behind_a_header_is_turned_round(tmp_path: Path) -> None:
    wave = np.arange(FRAME_SAMPLES, dtype=">i2")
    (tmp_path / "sound").write_bytes(b".snd" + (24).to_bytes(4, "big") + bytes(16) + wave.tobytes())
    microphone = PipeWireMicrophone(None, stand_in(tmp_path, f"cat {tmp_path}/sound; exec sleep 60"))
    microphone.open()
    assert np.array_equal(microphone.read().samples, wave.astype(np.int16))
    microphone.close()


def test_what_goes_wrong_with_pipewire_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="Install pipewire-bin"):
        PipeWireMicrophone("source", str(tmp_path / "nowhere")).open()
    ended = PipeWireMicrophone("source", stand_in(tmp_path, "echo 'Host is down' >&2; exit 1"))
    with pytest.raises(DeviceError, match=r"microphone source: .*Host is down.*Check that PipeWire runs"):
        ended.open()
    dumb = PipeWireMicrophone("source", stand_in(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(microphone_module, "FIRST_SOUND_S", 0.05)
    with pytest.raises(DeviceError, match=r"gives no sound.*microphone\.target"):
        dumb.open()
    dumb.close()
    header = stand_in(tmp_path, "printf '.snd\\000\\000\\000\\0301234567890123456'; exec sleep 60")
    only_header = PipeWireMicrophone(None, header)
    with pytest.raises(DeviceError, match="gives no sound"):
        only_header.open()
    only_header.close()


def test_a_program_that_closes_its_output_and_does_not_end_is_a_fault_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone_module, "ENDS_WITHIN_S", 0.05)
    stuck = PipeWireMicrophone(None, stand_in(tmp_path, "exec >&-; exec sleep 60"))
    with pytest.raises(DeviceError, match="its output is closed"):
        stuck.open()
    process = stuck._process
    stuck.close()
    assert process is not None
    assert process.returncode is not None


def test_a_source_that_is_slow_to_wake_is_waited_for_and_one_that_falls_silent_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = b".snd" + (24).to_bytes(4, "big") + bytes(16)
    (tmp_path / "sound").write_bytes(header + bytes(1920))
    monkeypatch.setattr(microphone_module, "SILENT_PIPE_S", 0.02)
    microphone = PipeWireMicrophone(
        None, stand_in(tmp_path, f"sleep 0.1; cat {tmp_path}/sound; exec sleep 60")
    )
    microphone.open()
    assert not microphone.read().samples.any()
    with pytest.raises(DeviceError, match="gives no sound"):
        microphone.read()
    microphone.close()


def test_a_film_s_sound_is_as_long_as_its_picture_in_every_round(film: Path) -> None:
    sound = looped_sound(Footage(film), from_s=0.5)
    total, pieces = 0, []
    while total < 24_000 + 48_000:
        pieces.append(next(sound))
        total += len(pieces[-1])
    wave = np.concatenate(pieces)[: 24_000 + 48_000]
    # The tone has a whole number of periods in a second, so every round joins the one before it.
    expected = 8000 * np.sin(2 * np.pi * 440 * (np.arange(len(wave)) + 24_000) / 48_000)
    assert float(np.abs(wave - expected).max()) < 20


def test_sound_of_missed_ticks_is_left_out_so_that_it_stays_with_the_picture(film: Path) -> None:
    footage = Footage(film)
    microphone = FileMicrophone(footage)
    microphone.open()
    microphone.read()
    time.sleep(0.25)  # a processor busy with something else for longer than a device's buffer
    sounds = [microphone.read() for _ in range(3)]
    microphone.close()
    for sound in sounds:
        position = round((sound.captured_at - footage.started_at()) * 48_000) - FRAME_SAMPLES
        expected = 8000 * np.sin(2 * np.pi * 440 * (position + np.arange(FRAME_SAMPLES)) / 48_000)
        assert float(np.abs(sound.samples - expected).max()) < 1500  # within some samples of its place


def test_film_and_speech_microphones_keep_real_time(film: Path) -> None:
    footage = Footage(film)
    for microphone in (FileMicrophone(footage), SpeechMicrophone()):
        microphone.open()
        sounds = [microphone.read() for _ in range(4)]
        microphone.close()
        assert {len(sound.samples) for sound in sounds} == {FRAME_SAMPLES}
        assert all(sound.captured_at <= time.monotonic() for sound in sounds)
        steps = np.diff([sound.captured_at for sound in sounds]) / 0.02
        assert np.allclose(np.round(steps), steps, atol=1e-6)
    with pytest.raises(DeviceError, match="no film is given"):
        make_microphone(MicrophoneSettings(kind="file"))


def test_sound_of_a_reader_that_is_a_little_late_waits_for_it_as_in_a_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(
        "agent.media.device.time", SimpleNamespace(monotonic=lambda: now[0], sleep=now.append)
    )
    pace = Pace(0.02, buffer_s=0.2)
    now[0] += 0.1
    assert [round(pace.wait() - 100, 2) for _ in range(5)] == [0.0, 0.02, 0.04, 0.06, 0.08]
    now[0] += 0.3
    late, after = pace.wait(), pace.wait()
    assert after - late > 0.25


def test_an_unplugged_microphone_is_told_from_a_quiet_one_and_noticed_when_it_is_back(tmp_path: Path) -> None:
    silence, noise = np.zeros(FRAME_SAMPLES * LOOK_AFTER_FRAMES, "<i2"), np.ones(FRAME_SAMPLES, "<i2")
    (tmp_path / "sound").write_bytes(
        noise.tobytes() + silence.tobytes() + silence.tobytes() + noise.tobytes()
    )
    linked = iter([True, False])
    command = stand_in(tmp_path, f"cat {tmp_path}/sound; exec sleep 60")
    microphone = PipeWireMicrophone("echo-cancel-source", command, is_linked=lambda: next(linked))
    microphone.open()
    said = []
    for _ in range(2 + 2 * LOOK_AFTER_FRAMES):
        microphone.read()
        said.append(microphone.missing is not None)
    microphone.close()
    assert said == [False] * (2 * LOOK_AFTER_FRAMES) + [True, False]


@pytest.mark.parametrize(
    ("program", "hears"),
    [
        ("echo 'echo-cancel-capture:input_MONO'; echo '  |<- card:capture_MONO'", True),
        ("echo 'echo-cancel-source:capture_MONO'; echo '  |-> pw-record:input_MONO'", False),
        ("exit 1", True),
        (None, True),
    ],
)
def test_whether_the_canceller_hears_a_microphone_is_read_from_its_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, hears: bool
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if program else str(tmp_path))
    if program:
        Path(stand_in(tmp_path, program)).rename(tmp_path / "pw-link")
    assert canceller_hears() is hears
