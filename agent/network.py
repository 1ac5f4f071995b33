"""Notices that this machine's addresses, routes or carriers have changed (rtnetlink(7)); the event loop's own."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

log = logging.getLogger(__name__)

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
RTMGRP_IPV4_ROUTE = 0x40
RTMGRP_IPV6_IFADDR = 0x100
RTMGRP_IPV6_ROUTE = 0x400
GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE
SETTLE_S = 0.05
"""A cable that is plugged in brings a carrier, an address and some routes: told as one change."""
MESSAGES_BYTES_MAX = 64 * 1024


def netlink_socket() -> socket.socket:
    """Hears of all that changes. OSError where there is none, or not for us."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    try:
        opened.bind((0, GROUPS))
    except OSError:
        opened.close()
        raise
    return opened


class NetworkWatch:
    """Calls on_change on the event loop, soon after anything has changed. Says not what: look at it anew.

    Where the kernel gives no such socket nothing is ever told, and everything takes its usual time.
    """

    def __init__(
        self, on_change: Callable[[], None], open_socket: Callable[[], socket.socket] = netlink_socket
    ) -> None:
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None
        try:
            self._socket = open_socket()
        except OSError as error:
            log.warning("changes of the network are not noticed at once: %s", error.strerror)
            return
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            while self._socket.recv(MESSAGES_BYTES_MAX):
                pass
        except BlockingIOError:
            pass
        except OSError:
            pass  # ENOBUFS: more has changed than fits, which is a change too
        if self._timer is None:
            self._timer = self._loop.call_later(SETTLE_S, self._settled)

    def _settled(self) -> None:
        self._timer = None
        self._on_change()

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
