"""What the numbers of a second of pictures say: the one thing that is wrong with the camera. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.media.camera_probe import Watched
from agent.media.picture_look import BRIGHT, DARK, NOTHING_SEEN, PictureLook
from agent.media.usual_view import agreement
from agent.verdict import Verdict, found, well

LOWEST_RATE_RATIO = 0.6
"""Many cameras slow down in poor light; below this it is not the camera that was asked for."""
WINDOW = 1 / 20
"""Share of white blocks, from which a dark picture is one against a window."""
WASHED_OUT = 0.4
"""Share of blocks that are white."""
BLURRED = 0.33
"""Sharpness: a smooth ramp has 0.15 and noise adds to it; footage of 640x272 that was made large has 0.41."""
MOVED_SHARE = 0.01
"""Somebody is there: in such a room it is not judged where the camera points."""
TURNED_BELOW = 0.57
"""Agreement with the usual view: with other light, noise or an empty chair it is above 0.8, with a person who
keeps still in it and a nudge above 0.57; turned by a third of the picture mostly below 0.5."""


def judge(seen: Watched, asked_rate: float, usual: Sequence[float] | None, *, at_night: bool) -> Verdict:
    """The one thing that is wrong, if anything is. usual: the view that this camera has had. at_night: nobody has
    to have the light on, so that a dark picture says nothing."""
    picture = seen.look
    is_dark = picture.light < DARK and picture.bright < WINDOW
    is_nothing = picture.structure < NOTHING_SEEN
    if seen.stands_still and not (is_dark and is_nothing):  # black is the same each time from some cameras
        reason = "all pictures are the same to the last bit"
        return found("camera_frozen", seen.rate, "frames/s", reason=reason)
    if at_night and is_dark:
        return well("camera", seen.rate, "frames/s")
    if seen.rate < asked_rate * LOWEST_RATE_RATIO and not is_dark:  # in the dark they expose for longer
        reason = f"{seen.rate:.0f} of {asked_rate:.0f} frames/s"
        return found("camera_slow", seen.rate, "frames/s", reason=reason)
    return _of_light(picture) or _of_sight(seen, usual) or well("camera", seen.rate, "frames/s")


def _of_light(picture: PictureLook) -> Verdict | None:
    if picture.structure < NOTHING_SEEN:
        reason = f"nothing is to be seen (edges of {picture.structure:.1f} at a luma of {picture.light:.0f})"
        return found("camera_covered", picture.structure, "luma", reason=reason)
    if picture.light < DARK and picture.bright < WINDOW:
        return found("camera_dark", picture.light, "luma", reason=f"mean luma {picture.light:.0f}")
    if picture.light > BRIGHT or picture.bright > WASHED_OUT:
        reason = f"mean luma {picture.light:.0f}, {picture.bright:.0%} white"
        return found("camera_bright", picture.light, "luma", reason=reason)
    return None


def _of_sight(seen: Watched, usual: Sequence[float] | None) -> Verdict | None:
    sharp = seen.look.sharpness
    if sharp is None or sharp < BLURRED:
        reason = "there is no clear edge" if sharp is None else f"edges are climbed by {sharp:.2f} at once"
        return found("camera_blurred", sharp or 0.0, "of an edge", reason=reason)
    same = 1.0 if usual is None or seen.moved > MOVED_SHARE else agreement(usual, seen.view)
    if same < TURNED_BELOW:
        return found("camera_turned", same, "agreement", reason=f"agrees by {same:.2f} with the usual view")
    return None
