"""From what was heard in a room to what is wrong with its sound. Pure.

The limits were found with rooms made by code and the shipped canceller (firmware/audio/README.md has the figures).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.media.chirp import Echo, echo, last_chirp
from agent.media.device import Samples
from agent.media.heard import Devices, Heard
from agent.media.sound_look import FLOOR_DBFS, FRAME_SAMPLES, QUIET_SHARE, dbfs, decibels, look
from agent.probes.sound_usual import UsualSound
from agent.verdict import Verdict, found, well

DEAD_DBFS = -85.0
"""The noise of any real microphone lies above, and 16 bits end below."""
CLIPPED, CLIPPED_FOR = 0.005, 0.1
"""Share of samples, and of the 20 ms that have some: a door that slams is neither."""
HUM_DBFS, HUM_DB = -50.0, 6.0
"""Louder than this it is heard in a call, and it stands out of all else in the room."""
QUIETER_DB = 12.0
"""Than usual: a chair or a person on the way makes 3 dB."""
QUIET_DB = -50.0
"""The loudspeaker's sound in the microphone, before anything is usual: speech is lost in a room's noise."""
NO_ROOM_DBFS = -73.0
"""Quieter than any room through a microphone that is set well."""
DULLER_DB = 6.0
"""Above 1.5 kHz against below, than usual: something stands in front of the microphone."""
ECHO_DB = 4.0
"""By how much the canceller makes the last chirp quieter. Seen: 12 to 56 where it works, less than 0 where not."""
ECHO_FROM_DB = -40.0
"""What comes back more quietly is lost in the room's noise, and no echo that anybody hears."""
ECHO_CLEAR_DB = 18.0
"""So clear the last chirp is in a room where nobody speaks; with less what is left of it cannot be told."""
SAME_WAY_MS = 5.0
"""One chirp against all three: what is found elsewhere is a knock or a word that fell in between."""
AS_IF_AFTER = 1920  # samples, 40 ms
REACH_MS = 35.0
"""The canceller finds an echo up to so much after what it is told was played."""
LATE_MS = 250.0
"""Who speaks begins to fall into the other's words (ITU-T G.114)."""
FAINTER_DB = 12.0
"""Than usual: so faint it would still have to be found, before its absence tells anything."""
SILENT_DBFS = -60.0
"""Of what was played: no more than noise went to the output."""
ONLY_PLAYED = "dBFS played"
"""The figure's unit where the room is not to be heard: what went to the output is all that is known."""


@dataclass(frozen=True, slots=True)
class Way:
    """What the chirp has told; `found` is what may become usual, None where it was not found."""

    verdicts: tuple[Verdict, ...]
    found: UsualSound | None = None


def microphone_verdict(heard: Heard) -> Verdict:
    """By listening alone; a microphone that is silent until something is played has a gate, and lives."""
    quiet, loud = look(heard.quiet), look(heard.raw)
    if max(quiet.level_dbfs, loud.level_dbfs) < DEAD_DBFS:
        what = (
            "nothing but digital silence"
            if quiet.is_digital_silence
            else "less noise than any microphone has"
        )
        return found("microphone_dead", quiet.level_dbfs, "dBFS", reason=what)
    for each in (quiet, loud):
        if each.clipped > CLIPPED and each.clipped_for > CLIPPED_FOR:
            reason = f"{each.clipped:.1%} of the samples are at full scale"
            return found("microphone_clipping", 100 * each.clipped, "% clipped", reason=reason)
    if quiet.hum_dbfs > HUM_DBFS and quiet.hum_db > HUM_DB:
        reason = f"{quiet.hum_hz} Hz and its harmonics, {quiet.hum_db:.0f} dB above all else"
        return found("microphone_hum", quiet.hum_dbfs, "dBFS", reason=reason)
    return well("microphone", quiet.level_dbfs, "dBFS")


def output_verdict(devices: Devices) -> Verdict | None:
    """What is wrong with the loudspeaker without a sound being played."""
    if not devices.output:
        return found("loudspeaker", reason="no output is plugged in")
    if devices.output_volume <= 0:
        return found("loudspeaker", reason="the output is muted")
    return None


def chirp_verdicts(heard: Heard, usual: UsualSound | None, is_heard: bool) -> Way:
    """is_heard: what is played comes out of a loudspeaker in the room, and no canceller but ours takes it away."""
    played = look(heard.played)
    if played.peak_dbfs < SILENT_DBFS:
        return Way((found("loudspeaker", played.peak_dbfs, "dBFS", reason="nothing reached the output"),))
    way = echo(heard.raw, heard.played)
    only_played = Way((well("loudspeaker", played.peak_dbfs, ONLY_PLAYED),))
    if not way.is_found:
        if not is_heard or _too_loud(heard, usual):
            return only_played
        reason = f"the chirp is not heard: {way.clear_db:.0f} dB above noise"
        return Way((found("loudspeaker", way.clear_db, "dB", reason=reason),))
    if not is_heard:
        # What a speakerphone's own canceller leaves of it tells nothing of levels.
        return only_played
    verdicts = [each for each in (_quiet(heard, way, usual), _late(heard, way)) if each is not None]
    if not any(each.probe == "loudspeaker" for each in verdicts):
        verdicts.append(well("loudspeaker", way.gain_db, "dB"))
    return Way(tuple(verdicts), _as_found(heard, way) if way.is_measured else None)


def _as_found(heard: Heard, way: Echo) -> UsualSound:
    devices = heard.devices or Devices("")
    return UsualSound(
        gain_db=way.gain_db,
        treble_db=way.treble_db,
        hiss_dbfs=hiss_dbfs(heard.quiet),
        output_volume_db=2 * decibels(devices.output_volume, 1.0),
        microphone_volume_db=2 * decibels(devices.microphone_volume, 1.0),
    )


def hiss_dbfs(samples: Samples) -> float:
    """The noise floor of the highest pitches, which are a microphone's own and those of no ventilation or street:
    two differences, each of which adds 6 dB an octave."""
    wave = np.diff(samples.astype(np.float64), n=2)
    frames = wave[: len(wave) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return dbfs(float(np.quantile(np.mean(frames**2, axis=1), QUIET_SHARE))) if len(frames) else FLOOR_DBFS


def _too_loud(heard: Heard, usual: UsualSound | None) -> bool:
    """Whether somebody makes so much noise that the chirp could not be heard as loud as it usually is."""
    gain_db = (usual.gain_db if usual is not None else QUIET_DB + QUIETER_DB) - FAINTER_DB
    late = np.roll(heard.played, AS_IF_AFTER)
    would_be = heard.raw + 10 ** (gain_db / 20) * late
    return not echo(would_be, heard.played).is_found


def _quiet(heard: Heard, way: Echo, usual: UsualSound | None) -> Verdict | None:
    """Too quiet, and by which of the two: the room's noise goes down with a microphone, not with a loudspeaker."""
    seen = _as_found(heard, way)
    if usual is None:
        if way.gain_db >= QUIET_DB:
            return None
        which = "microphone_quiet" if look(heard.quiet).noise_dbfs < NO_ROOM_DBFS else "loudspeaker_quiet"
        return found(which, way.gain_db, "dB", reason=f"the chirp comes back at {way.gain_db:.0f} dB")
    less_db = usual.gain_db - way.gain_db
    if less_db < QUIETER_DB:
        return None
    half = less_db / 2
    by_volume = usual.output_volume_db - seen.output_volume_db >= half
    by_microphone = (
        usual.microphone_volume_db - seen.microphone_volume_db >= half
        or usual.hiss_dbfs - seen.hiss_dbfs >= half
        or usual.treble_db - seen.treble_db >= DULLER_DB
    )
    which = "microphone_quiet" if by_microphone and not by_volume else "loudspeaker_quiet"
    return found(
        which, way.gain_db, "dB", reason=f"the chirp comes back {less_db:.0f} dB more quietly than usual"
    )


def _late(heard: Heard, way: Echo) -> Verdict | None:
    """What delay and canceller are to blame for."""
    late = f"what is played is heard after {way.delay_ms:.0f} ms"
    if way.delay_ms > LATE_MS:
        return found("sound_delay", way.delay_ms, "ms", reason=late)
    if heard.cancelled is None or way.gain_db < ECHO_FROM_DB:
        return None
    less_db = taken_out_db(heard, way)
    if less_db is None or less_db >= ECHO_DB:
        return None
    reach_ms = (heard.devices.play_delay_ms if heard.devices else 0.0) + REACH_MS
    if way.delay_ms > reach_ms:
        reason = f"{late}, the canceller reaches {reach_ms:.0f} ms"
        return found("sound_delay", way.delay_ms, "ms", reason=reason)
    return found("echo", less_db, "dB", reason=f"the canceller makes it {less_db:.0f} dB quieter")


def taken_out_db(heard: Heard, way: Echo) -> float | None:
    """By how much the last chirp is quieter behind the canceller, which learns from those before; None where it
    was not heard on the way that all three have told, but somebody speaks in between."""
    if heard.cancelled is None:
        return None
    start = last_chirp(heard.played)
    before, behind = (echo(each[start:], heard.played[start:]) for each in (heard.raw, heard.cancelled))
    if before.clear_db < ECHO_CLEAR_DB or not _is_near(before, way, SAME_WAY_MS):
        return None
    less_db = before.gain_db - behind.gain_db
    # What does not stand out any more has gone down into the noise, however loud that is.
    whole = echo(heard.cancelled, heard.played)
    is_same = whole.is_found and _is_near(behind, whole, SAME_WAY_MS) and 2 * behind.bands >= before.bands
    return less_db if behind.is_found and behind.is_measured and is_same else max(ECHO_DB, less_db)


def _is_near(one: Echo, other: Echo, within_ms: float) -> bool:
    return abs(one.delay_ms - other.delay_ms) < within_ms
