"""What the clinician's camera and microphone take in: real footage as the files that Chromium can capture from."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np

from tests.system.stack import footage

WIDTH, HEIGHT, FRAME_RATE, SECONDS = 640, 360, 25, 8
SOUND_RATE_HZ = 48_000


def write_camera(file: Path, name: str = "bigbuckbunny.mp4") -> Path:
    """A YUV4MPEG2 film of some seconds; Chromium plays it in a loop."""
    film = footage().parent / name
    with av.open(str(film)) as container, file.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FRAME_RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for index, frame in enumerate(container.decode(video=0)):
            if index >= SECONDS * FRAME_RATE:
                break
            picture = frame.reformat(WIDTH, HEIGHT, "yuv420p").to_ndarray()
            out.write(b"FRAME\n" + picture.tobytes())
    return file


def write_microphone(file: Path) -> Path:
    """The footage's sound as a mono WAV file."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE_HZ)
    pieces: list[bytes] = []
    with av.open(str(footage())) as container:
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                pieces.append(np.asarray(piece.to_ndarray(), np.int16).tobytes())
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SOUND_RATE_HZ)
        out.writeframes(b"".join(pieces))
    return file
