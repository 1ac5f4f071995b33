"""The unit's own voice, for visitors who do not see the screen: text in, a WAV file out.

espeak-ng runs as a child process with fixed arguments and gets the text on its standard input, so that no word of
it can be an option or a command. Nothing is written to disk, and no text reaches a log.
"""

from __future__ import annotations

import logging
import struct
import subprocess
import threading
from typing import Protocol

log = logging.getLogger(__name__)

PROGRAM = "espeak-ng"
VOICES = {"sv": "sv", "en": "en-gb", "fi": "fi", "ar": "ar"}
"""Language to espeak-ng's voice. It has none for Northern Sami, and its Somali has never been judged by ear."""
WORDS_PER_MINUTE = 150
"""A little slower than its 175: it is heard once, in an unfamiliar room."""
SPEAK_WITHIN_S = 5.0
WAV_HEADER_BYTES = 44


class CannotSpeak(RuntimeError):
    """The text could not be made into sound; says why, never what it was."""


class Voice(Protocol):
    """What can speak. `say` may be called on any thread, and blocks until the sound is made."""

    @property
    def languages(self) -> tuple[str, ...]:
        """In which it can speak on this machine."""

    def say(self, language: str, text: str) -> bytes:
        """The text as a WAV file; raises CannotSpeak."""


class Espeak:
    """espeak-ng. Which languages work is tried once, when it is made."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._program = program
        self._one_at_a_time = threading.Lock()
        self.languages: tuple[str, ...] = tuple(code for code in VOICES if self._works(code))
        if not self.languages:
            log.warning(
                "the screen cannot speak: %s does not work here; install the package espeak-ng", program
            )

    def say(self, language: str, text: str) -> bytes:
        """The text as a WAV file of one channel, 22 050 Hz, 16 bits; raises CannotSpeak."""
        voice = VOICES.get(language)
        if voice is None:
            raise CannotSpeak(f"there is no voice for {language}")
        # Between double brackets espeak-ng reads phonemes instead of words.
        words = text.replace("[", " ").replace("]", " ").encode()
        command = [self._program, "-v", voice, "-s", str(WORDS_PER_MINUTE), "-b", "1", "--stdin", "--stdout"]
        try:
            with self._one_at_a_time:
                done = subprocess.run(
                    command,
                    input=words,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    timeout=SPEAK_WITHIN_S,
                    check=True,
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotSpeak(f"{self._program}: {type(error).__name__}") from None
        if len(done.stdout) <= WAV_HEADER_BYTES:
            raise CannotSpeak(f"{self._program} made no sound")
        return with_lengths(done.stdout)

    def _works(self, language: str) -> bool:
        try:
            return bool(self.say(language, "1"))
        except CannotSpeak:
            return False


def with_lengths(wav: bytes) -> bytes:
    """A WAV file whose header tells its true lengths: a program that writes to a pipe cannot know them."""
    whole = bytearray(wav)
    struct.pack_into("<I", whole, 4, len(wav) - 8)
    struct.pack_into("<I", whole, WAV_HEADER_BYTES - 4, len(wav) - WAV_HEADER_BYTES)
    return bytes(whole)
