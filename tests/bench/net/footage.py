"""The bench's film once more, with what a receiver needs to know a picture and a moment of sound again.

- Along the bottom of each picture stands its number in the film, in the cells of agent/media/clock_pattern.py,
  whose reader reads it. (The clock itself stands along the top and is drawn by the senders.)
- In the sound, which is turned down, a loud tone of TONE_S begins every TONE_EVERY_PICTURES pictures.

The clip is encoded anew for this, at a quality well above anything a line here carries, and its sound is PCM,
which no decoder shifts in time. Both senders decode the same packets.
"""

from __future__ import annotations

import base64
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from agent.media.clock_pattern import ROWS_IN_HEIGHT, draw_clock
from agent.media.pixels import copied, planes
from tests.bench.film import AUDIO_RATE_HZ, FRAME_RATE, clip_path

FILM_S = 66  # longer than any run, so that neither sender comes to the seam
TONE_EVERY_PICTURES = 33  # the clip's 132 pictures are four times that: each round of it sounds alike
TONE_AT_PICTURE = 16  # the first of them
TONE_HZ = 1000.0
TONE_S = 0.04
TONE_LEVEL, FILM_LEVEL = 0.9, 0.15  # of full scale; the receiver hears the tone by its level alone
SOURCE_CRF = "16"
SOURCE_KEYFRAMES_EVERY = 33

Luma = NDArray[np.uint8]
Sound = NDArray[np.int16]


class Film:
    """The prepared film: the file that the unit plays, and the luma of each of its pictures by number."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "film.mov"
        one_round = folder / "round.mov"
        _encode(_numbered(), one_round)
        with av.open(str(one_round)) as film:
            self.lumas = [planes(frame)[0].copy() for frame in film.decode(video=0)]
        self.sound = film_sound(len(self.lumas))
        self.for_page = _write(one_round, self.sound, self.path)
        """The same packets and sound as JSON, for a page that decodes them with WebCodecs."""


def film_sound(pictures: int) -> Sound:
    """One round of the film's sound, mono, as long as so many pictures, with its tones."""
    length = pictures * AUDIO_RATE_HZ // FRAME_RATE
    film = np.zeros(length)
    with av.open(str(clip_path())) as clip:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=AUDIO_RATE_HZ)
        pieces = [
            part.to_ndarray().reshape(-1)
            for frame in clip.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    found = np.concatenate(pieces)[:length].astype(float)
    film[: len(found)] = found / max(1.0, float(np.abs(found).max())) * FILM_LEVEL
    times = np.arange(round(TONE_S * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    tone = np.sin(2 * np.pi * TONE_HZ * times) * TONE_LEVEL
    for picture in range(TONE_AT_PICTURE, pictures, TONE_EVERY_PICTURES):
        begin = picture * AUDIO_RATE_HZ // FRAME_RATE
        film[begin : begin + len(tone)] = tone
    sound: Sound = (film * 32767).astype(np.int16)
    return sound


def bottom_rows(height: int) -> int:
    """How many rows at the bottom of a picture carry its number; even, since chroma has half as many."""
    return height // ROWS_IN_HEIGHT // 2 * 2


def with_number(frame: av.VideoFrame, number: int) -> av.VideoFrame:
    """A copy of the picture with its number along the bottom."""
    ours = copied(frame.reformat(format="yuv420p"))
    luma, blue, red = planes(ours)
    rows, width = bottom_rows(luma.shape[0]), luma.shape[1]
    # A clock is drawn along the top of a picture: of one that has it alone, its top is taken.
    whole = [np.zeros((rows * ROWS_IN_HEIGHT // part, width // part), np.uint8) for part in (1, 2, 2)]
    draw_clock(whole[0], whole[1], whole[2], unix_ms=number)
    for plane, strip, count in zip((luma, blue, red), whole, (rows, rows // 2, rows // 2), strict=True):
        plane[-count:] = strip[:count]
    return ours


def _numbered() -> list[av.VideoFrame]:
    with av.open(str(clip_path())) as clip:
        return [with_number(frame, number) for number, frame in enumerate(clip.decode(video=0))]


def _encode(frames: list[av.VideoFrame], target: Path) -> None:
    with av.open(str(target), "w") as film:
        stream: Any = film.add_stream("libx264", rate=FRAME_RATE)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        stream.codec_context.max_b_frames = 0
        stream.codec_context.gop_size = SOURCE_KEYFRAMES_EVERY
        stream.options = {"crf": SOURCE_CRF, "preset": "veryfast"}
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            frame.pict_type = PictureType.NONE  # as the encoder likes it
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def _write(one_round: Path, sound: Sound, target: Path) -> bytes:
    """Repeat the round's packets and the sound, unchanged, FILM_S long; returns what a page gets."""
    per_picture = AUDIO_RATE_HZ // FRAME_RATE
    with av.open(str(one_round)) as source, av.open(str(target), "w") as film:
        video = film.add_stream_from_template(source.streams.video[0])
        audio: Any = film.add_stream("pcm_s16le", rate=AUDIO_RATE_HZ, layout="mono")
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number in range(FILM_S * FRAME_RATE):
            place = number % len(packets)
            piece = sound[place * per_picture : (place + 1) * per_picture].tobytes()
            for stream, data, key in (
                (video, bytes(packets[place]), packets[place].is_keyframe),
                (audio, piece, True),
            ):
                packet = av.Packet(data)
                packet.stream, packet.is_keyframe, packet.time_base = stream, key, Fraction(1, AUDIO_RATE_HZ)
                packet.pts = packet.dts = number * per_picture
                packet.duration = per_picture
                film.mux(packet)
        description = source.streams.video[0].codec_context.extradata or b""
    return _for_page(packets, description, sound)


def _for_page(packets: list[Any], description: bytes, sound: Sound) -> bytes:
    fields = {
        "codec": "avc1." + description[1:4].hex(),  # ISO/IEC 14496-15: profile, compatibility, level
        "description": base64.b64encode(description).decode(),
        "frameRate": FRAME_RATE,
        "pictures": [
            {"key": packet.is_keyframe, "data": base64.b64encode(bytes(packet)).decode()}
            for packet in packets
        ],
        "sound": base64.b64encode(sound.tobytes()).decode(),
        "soundRate": AUDIO_RATE_HZ,
    }
    return json.dumps(fields).encode()
