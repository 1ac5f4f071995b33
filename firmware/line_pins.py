"""gpiozero's pins over libgpiod: lines of the kernel's GPIO character device (linux/gpio.h, version 2).

In place of gpiozero's own over lgpio, whose thread polls every 0.5 ms while one button is armed, and writes errors
without end once the chip was pulled out. Here nothing wakes until a line changes; a line that is gone is given up.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import gpiod
from gpiod.line import Bias, Direction, Edge, Value
from gpiozero.exc import PinFixedPull, PinInvalidFunction, PinInvalidPull, PinPWMUnsupported, PinSetInput
from gpiozero.pins.local import LocalPiFactory, LocalPiPin

CONSUMER = "halsorum"
ANY_PI = 0xC03115
"""Revision code of a Raspberry Pi 4B: by it gpiozero knows the lines 0 to 27 on a machine that is none."""
Function = Literal["input", "output"]
Pull = Literal["up", "down", "floating"]
_DIRECTIONS: dict[str, Direction] = {"input": Direction.INPUT, "output": Direction.OUTPUT}
_PULLS: dict[str, Bias] = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "floating": Bias.DISABLED}
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class EdgeWatch:
    """One thread that sleeps until a line changes; any thread may add and remove."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll.register(self._wake, select.POLLIN)
        self._lock = threading.Lock()
        self._changed: dict[int, Callable[[], None]] = {}
        self._stopping = False
        self._thread: threading.Thread | None = None

    def add(self, file: int, changed: Callable[[], None]) -> None:
        """Call this on the watch's thread when the file can be read; until it is removed or its device is gone."""
        with self._lock:
            self._changed[file] = changed
            self._poll.register(file, select.POLLIN)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gpio lines", daemon=True)
                self._thread.start()
        os.eventfd_write(self._wake, 1)  # a poll that is under way knows nothing of it

    def remove(self, file: int) -> None:
        """Before the file is closed; harmless twice."""
        with self._lock:
            if self._changed.pop(file, None) is not None:
                self._poll.unregister(file)

    def close(self) -> None:
        """End the thread."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)
        if self._thread is not threading.current_thread():
            if self._thread is not None:
                self._thread.join()
            os.close(self._wake)

    def _run(self) -> None:
        while not self._stopping:
            for file, flags in self._poll.poll():
                if file == self._wake:
                    with suppress(BlockingIOError):
                        os.eventfd_read(self._wake)
                    continue
                with self._lock:
                    changed = self._changed.get(file)
                try:
                    if changed is not None and flags & select.POLLIN:
                        changed()
                    elif flags & _GONE:
                        self.remove(file)
                except BlockingIOError:
                    pass  # another line by now, of the same number
                except OSError:
                    self.remove(file)


class LinePin(LocalPiPin):  # type: ignore[misc]  # gpiozero has no types
    """One line, requested for itself. Raises OSError where the chip or another program will not have it so."""

    def __init__(self, factory: LineFactory, info: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(factory, info)
        self._use_lock = threading.RLock()
        self._settings = gpiod.LineSettings(direction=Direction.INPUT)
        self._request = factory.request(self._number, self._settings)

    def close(self) -> None:
        """Give the line back; used again, it is requested again."""
        with self._use_lock:
            request, self._request = self._request, None
            if request is not None:
                self._factory.watch.remove(request.fd)
                request.release()

    def output_with_state(self, state: bool) -> None:
        """From now on an output, of this level from its first moment."""
        self._use(direction=Direction.OUTPUT, output_value=Value(bool(state)), edge_detection=Edge.NONE)

    def input_with_pull(self, pull: Pull) -> None:
        """From now on an input."""
        self._use(direction=Direction.INPUT, bias=_bias(pull, self))

    def _use(self, **changes: Any) -> None:  # noqa: ANN401 - as LineSettings has them
        settings = gpiod.LineSettings(
            direction=changes.get("direction", self._settings.direction),
            bias=changes.get("bias", self._settings.bias),
            edge_detection=changes.get("edge_detection", self._settings.edge_detection),
            output_value=changes.get("output_value", Value.INACTIVE),
        )
        with self._use_lock:
            if self._request is None:
                self._request = self._factory.request(self._number, settings)
            else:
                self._request.reconfigure_lines({self._number: settings})
            self._settings = settings

    def _asked_for(self) -> Any:  # noqa: ANN401 - as in LineFactory.request
        if self._request is None:
            self._use()
        return self._request

    def _get_function(self) -> Function:
        return "output" if self._settings.direction == Direction.OUTPUT else "input"

    def _set_function(self, value: str) -> None:
        if value not in _DIRECTIONS:
            raise PinInvalidFunction(f'invalid function "{value}" for pin {self!r}')
        self._use(direction=_DIRECTIONS[value], edge_detection=Edge.NONE)

    def _get_state(self) -> int:
        with self._use_lock:
            return int(self._asked_for().get_value(self._number) == Value.ACTIVE)

    def _set_state(self, value: float) -> None:
        if self._get_function() == "input":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        with self._use_lock:
            self._asked_for().set_value(self._number, Value(bool(value)))

    def _get_pull(self) -> Pull:
        return {Bias.PULL_UP: "up", Bias.PULL_DOWN: "down"}.get(self._settings.bias, "floating")  # type: ignore[return-value]

    def _set_pull(self, value: str) -> None:
        if self._get_function() != "input":
            raise PinFixedPull(f"cannot set pull on non-input pin {self!r}")
        self._use(bias=_bias(value, self))

    def _get_frequency(self) -> None:
        return None

    def _set_frequency(self, value: float | None) -> None:
        if value is not None:
            raise PinPWMUnsupported(f"PWM is not supported on pin {self!r}")

    def _get_bounce(self) -> None:
        return None

    def _set_bounce(self, value: float | None) -> None:
        """firmware/debounce.py does that, alike for every kind of pin."""

    def _get_edges(self) -> str:
        return "both"

    def _set_edges(self, value: str) -> None:
        """Both are told."""

    def _enable_event_detect(self) -> None:
        with self._use_lock:
            self._use(edge_detection=Edge.BOTH)
            self._factory.watch.add(self._asked_for().fd, self._tell)

    def _disable_event_detect(self) -> None:
        with self._use_lock:
            if self._request is not None:
                self._factory.watch.remove(self._request.fd)
                self._use(edge_detection=Edge.NONE)

    def _tell(self) -> None:
        with self._use_lock:
            events = self._request.read_edge_events() if self._request is not None else []
        for event in events:
            rising = event.event_type == gpiod.EdgeEvent.Type.RISING_EDGE
            self._call_when_changed(event.timestamp_ns / 1e9, int(rising))


def _bias(pull: str, pin: LinePin) -> Bias:
    if pull not in _PULLS:
        raise PinInvalidPull(f'invalid pull "{pull}" for pin {pin!r}')
    return _PULLS[pull]


class LineFactory(LocalPiFactory):  # type: ignore[misc]  # as above
    """The pins of one chip. Raises OSError where it may not be opened."""

    def __init__(self, chip: Path, *, is_header: bool) -> None:
        super().__init__()
        self._chip, self._is_header = chip, is_header
        self._number = chip.stat().st_ino
        self.pin_class = LinePin
        self.watch = EdgeWatch()

    @property
    def is_gone(self) -> bool:
        """Whether the chip was pulled out; plugged in again, it is another."""
        try:
            return self._chip.stat().st_ino != self._number
        except OSError:
            return True

    def request(self, line: int, settings: gpiod.LineSettings) -> Any:  # noqa: ANN401 - LineRequest, or a test's own
        """Have a line for ourselves."""
        request = gpiod.request_lines(str(self._chip), consumer=CONSUMER, config={line: settings})
        os.set_blocking(request.fd, False)
        return request

    def close(self) -> None:
        """Give all lines back."""
        super().close()
        self.watch.close()

    def _get_revision(self) -> int:  # to be overridden, gpiozero.pins.pi.PiFactory says
        return int(super()._get_revision()) if self._is_header else ANY_PI
