"""What the touchscreen's web app is told once, at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MIN_SECRET_CHARACTERS = 22
"""128 bits in URL-safe base64."""


@dataclass(frozen=True, slots=True)
class RoomWebSettings:
    """Port, the browser's secret and the screen's real size.

    `browser_secret` is made anew at each boot (`secrets.token_urlsafe(32)`) and given to the kiosk browser in
    its first address, `/enter?key=…`. Keep it where it outlives the agent but not the boot (a folder in
    `/run`): the browser must be let in again after the agent has restarted.
    Sizes are the screen's own: millimetres of the glass and CSS pixels, from the board profile.

    Raises ValueError for a secret that is too short or a size that no screen has.
    """

    port: int
    browser_secret: str = field(repr=False)
    screen_width_mm: float = 217.0
    screen_height_mm: float = 136.0
    screen_width_px: int = 1280
    screen_height_px: int = 800
    size_mm: Callable[[], tuple[float, float]] | None = None
    """Where the size can be changed while the pages are served: width and height, asked for each page."""
    max_streams: int = 4
    """Open state feeds; each holds a web thread, and a reload may leave one behind for a moment."""
    time_zone: str = "Europe/Stockholm"
    """The zone in which times are shown (IANA name)."""

    def __post_init__(self) -> None:
        if len(self.browser_secret) < MIN_SECRET_CHARACTERS:
            raise ValueError("browser_secret must hold at least 128 bits: use secrets.token_urlsafe(32)")
        if min(self.screen_width_mm, self.screen_height_mm) <= 0:
            raise ValueError("the screen's size in mm must be above zero: see the board profile")
        if self.max_streams < 1:
            raise ValueError("max_streams must be at least 1, or the screen never learns the state")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The only host names the app answers to."""
        return frozenset({f"localhost:{self.port}", f"127.0.0.1:{self.port}"})

    @property
    def cookie_name(self) -> str:
        """Cookies do not tell ports apart, so that the name must: two units may run on one machine."""
        return f"room_{self.port}"

    @property
    def px_per_mm(self) -> float:
        """CSS pixels to a millimetre, by the denser side, so that no target comes out too small."""
        width_mm, height_mm = (
            self.size_mm() if self.size_mm else (self.screen_width_mm, self.screen_height_mm)
        )
        across = self.screen_width_px / width_mm
        down = self.screen_height_px / height_mm
        return max(across, down)
