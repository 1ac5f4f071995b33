"""The wire to the broker: MQTT v5 over mutual TLS, for unit and region alike. The only user of paho.

One thread of ours connects and waits; paho's own thread is, while connected, the only one to touch the
socket (OpenSSL's connections bear no second one). Callbacks are called on either: hand over to a queue there.
"""

from __future__ import annotations

import ipaddress
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import socks
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.contract import CHANNELS, MAX_BODY_BYTES, Topic
from agent.link_figures import LinkFigures
from agent.link_tls import KnownTime, TlsContext, own_clock, what_went_wrong

log = logging.getLogger(__name__)

KEEPALIVE_S = 20
SESSION_EXPIRY_S = 0xFFFF_FFFF
"""Sessions do not end by time (MQTT 5, section 3.1.2.11.2). Mosquitto keeps a list of those that will; when it
reads its access rules again it enters each client that is away anew, and once that one has come back the list
names what is gone: living sessions end, or the broker does (2.0.11 of Debian 12). What never ends is not in it."""
BACKOFF_MIN_S = 1.0
BACKOFF_MAX_S = 60.0
BACKOFF_IN_CALL_S = 1.0
CONNECT_TIMEOUT_S = 8.0
CONNECT_TIMEOUT_IN_CALL_S = 2.0
"""For each wait within connecting. A lost SYN is repeated after one second, then after two more (RFC 6298)."""
WATCH_S = 0.25
ANSWER_WITHIN_S = 1.5
"""A broker in doubt that says nothing for so long is taken for unreachable."""
NOT_AUTHORIZED = 0x87
"""Reason code of a message that the broker's rules deny (MQTT 5, section 3.4.2.1)."""
RETAINED, NO_RETAINED = 0, 2
"""Retain handling (MQTT 5, section 3.8.3.1): on every connect all that is kept; what only asks for a sign of life
brings nothing."""


Transport = Literal["tls", "alpn", "websocket"]
_ALPN: dict[Transport, list[str]] = {"tls": [], "alpn": ["mqtt"], "websocket": ["http/1.1"]}
"""Protocols named in the handshake (RFC 7301): by `mqtt` a port 443 that is shared knows us from a browser."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the broker is and who we are; the names in certificate and client id are the same.

    transport: TLS; TLS that says by ALPN that it carries MQTT; or a WebSocket over TLS at `path`. proxy: host and
    port of an HTTP proxy, which is asked to CONNECT (RFC 9110, section 9.3.6) and sees TLS alone. extra_ca: PEM of
    authorities that are trusted besides those in ca_file. leave_when_denied: go, and
    come back later, when the broker's rules let us say nothing, as for a unit that is revoked.
    """

    host: str
    port: int
    client_id: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    filters: tuple[str, ...]
    backoff_max_s: float = BACKOFF_MAX_S
    clean_start: bool = False
    """What the broker still keeps for us from before the first connection is dropped."""
    transport: Transport = "tls"
    path: str = "/mqtt"
    proxy: tuple[str, int] | None = None
    extra_ca: str = field(default="", repr=False)
    leave_when_denied: bool = False


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says of us, retained, when we are lost."""

    topic: Topic
    payload: bytes


LinkProblem = Literal["", "unreached", "untrusted", "refused"]
"""Nobody answers; what answers is not to be trusted as the broker; the broker does not let us in."""


def backoff_s(attempt: int, ceiling_s: float, jitter: float) -> float:
    """Full jitter: a random share of 1, 2, 4 … seconds, never above ceiling_s. jitter is in [0, 1)."""
    return float(min(ceiling_s, BACKOFF_MIN_S * 2 ** min(attempt, 10)) * jitter)


class Link:
    """A connection that comes back by itself, subscribes on every connect and keeps the broker's session.

    on_message(topic, payload) and on_connection(up) are called on the link's threads, and on_connection(False)
    also on the thread that tells of a changed network. known_time() judges the broker's certificate, on every
    connect and while connected.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        on_message: Callable[[str, bytes], None],
        on_connection: Callable[[bool], None],
        will: Will | None = None,
        known_time: Callable[[], KnownTime] = own_clock,
    ) -> None:
        self._settings = settings
        self._on_message = on_message
        self._on_connection = on_connection
        self._in_call = False
        self._up = threading.Event()
        self._gone = threading.Event()
        self._accepted = False
        self._ever_accepted = False
        self._unreached = False  # and said so: an outage fills no log
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._attempt = 0
        self._heard_at = 0.0
        self.moved_at = time.monotonic()
        """When the link's thread last had a connection that lives, or began to make one (time.monotonic())."""
        self._problem: LinkProblem = ""
        self._denied = False
        self._doubted_at: float | None = None
        self.figures = LinkFigures()
        self._tls = TlsContext.of(settings.ca_file, settings.certificate_file, settings.key_file, known_time)
        if settings.extra_ca:
            self._tls.load_verify_locations(cadata=settings.extra_ca)
        if _ALPN[settings.transport]:
            self._tls.set_alpn_protocols(_ALPN[settings.transport])
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._client = self._make_client(will)

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us and not gone since."""
        return self._up.is_set()

    @property
    def problem(self) -> LinkProblem:
        """Why the last attempt to connect did not succeed; empty when it did, or none has ended."""
        return self._problem

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect in order (the Last Will is not sent) and join the thread."""
        self._stop.set()
        self._wake.set()
        self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(timeout=CONNECT_TIMEOUT_S)

    def publish(self, topic: Topic, payload: bytes, *, qos: Literal[0, 1] = 1) -> bool:
        """Send with QoS 1 as the channel's row in the contract says. False: not connected, nothing is queued.

        An empty payload clears a retained message. With QoS 0 a broker queues nothing for who is away; what is
        retained awaits them all the same.
        """
        if not self.up:
            return False
        if len(payload) > MAX_BODY_BYTES:
            # A broker ends the connection over it, and again over each try after that.
            log.error("a message on %s of %d bytes is too large and is not sent", topic.channel, len(payload))
            return False
        channel = CHANNELS[topic.channel]
        properties = Properties(PacketTypes.PUBLISH)
        if channel.expiry_s is not None:
            properties.MessageExpiryInterval = channel.expiry_s
        sent = self._client.publish(
            str(topic), payload, qos=qos, retain=channel.retained, properties=properties
        )
        if qos:
            self.figures.published(sent.mid)
        return bool(sent.rc == mqtt.MQTT_ERR_SUCCESS)

    def hurry(self, in_call: bool) -> None:
        """In a call, wait at most a second between attempts; also tries again at once."""
        self._in_call = in_call
        self._try_now()

    def doubt(self) -> None:
        """Media has stopped: ask the broker for a sign of life, and connect anew if none comes in time.

        A connection whose other end has vanished looks alive until TCP gives up, which takes minutes.
        """
        if self.up and self._doubted_at is None:
            self._doubted_at = time.monotonic()
            self._subscribe(NO_RETAINED)
        self._try_now()

    def network_changed(self, addresses: Collection[str]) -> None:
        """This machine's addresses are these now: leave a connection that is bound to none of them."""
        bound_to = self._tls.local_address()
        if self.up and bound_to is not None and not _is_among(bound_to, addresses):
            log.info("broker's connection left: its address is gone")
            self._leave()
        else:
            self.doubt()

    def _leave(self) -> None:
        self._set_up(False)
        self._try_now()
        self._tls.cut()

    def _try_now(self) -> None:
        self._attempt = 0
        self._wake.set()

    def _make_client(self, will: Will | None) -> mqtt.Client:
        s = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=s.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
            transport="websockets" if s.transport == "websocket" else "tcp",
        )
        if s.transport == "websocket":
            client.ws_set_options(path=s.path)
        if s.proxy is not None:
            client.proxy_set(proxy_type=socks.HTTP, proxy_addr=s.proxy[0], proxy_port=s.proxy[1])
        client.tls_set_context(self._tls)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_subscribe = self._heard
        client.on_publish = self._acknowledged
        if will is not None:
            client.will_set(str(will.topic), will.payload, qos=1, retain=True)
        return client

    def _run(self) -> None:
        while not self._stop.is_set():
            self.moved_at = time.monotonic()
            if self._connect_once() and not self._denied:
                self._attempt = 0
            ceiling_s = BACKOFF_IN_CALL_S if self._in_call else self._settings.backoff_max_s
            if not self._stop.is_set():
                self._wake.wait(backoff_s(self._attempt, ceiling_s, random.random()))  # noqa: S311
            self._wake.clear()
            self._attempt += 1

    def _connect_once(self) -> bool:
        """Connect and stay until the connection ends; True if the broker had accepted us."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.MaximumPacketSize = MAX_BODY_BYTES + 1024
        self._accepted = self._denied = False
        self._gone.clear()
        self._doubted_at = None
        self._client.disconnect()  # of what has ended already: paho takes another timeout only then
        self._client.connect_timeout = CONNECT_TIMEOUT_IN_CALL_S if self._in_call else CONNECT_TIMEOUT_S
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                keepalive=KEEPALIVE_S,
                clean_start=self._settings.clean_start and not self._ever_accepted,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            level = logging.DEBUG if self._unreached else logging.INFO
            log.log(level, "broker not reached: %s", what_went_wrong(error))
            self._unreached = True
            self._problem = "untrusted" if isinstance(error, ssl.SSLCertVerificationError) else "unreached"
            return False
        # Without its thread paho would write to the socket on whichever thread publishes.
        self._client.loop_start()
        while not self._gone.wait(WATCH_S):
            self._client.loop_start()  # does nothing while the thread lives, and it should
            if self.up:
                self.moved_at = time.monotonic()
            if self._stop.is_set():
                self._client.disconnect()
            self._judge()
        self._client.loop_stop()
        return self._accepted

    def _judge(self) -> None:
        wrong = self._tls.what_is_wrong()  # a unit may learn the time only after it has connected
        if wrong and self.up:
            log.warning("broker's connection left: %s", wrong)
            self._leave()
        doubted_at = self._doubted_at
        if doubted_at is None:
            return
        if self._heard_at > doubted_at:
            self._doubted_at = None
        elif time.monotonic() - doubted_at > ANSWER_WITHIN_S:
            log.info("broker's connection left: no sign of life")
            self._leave()

    def _subscribe(self, retain_handling: int) -> None:
        options = SubscribeOptions(qos=1, retainHandling=retain_handling)
        self._client.subscribe([(text, options) for text in self._settings.filters])

    def _connected(
        self, _client: mqtt.Client, _user: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            log.warning("broker refused us: %s", code)
            return
        self._problem = ""
        self._subscribe(RETAINED)
        self._accepted = self._ever_accepted = True
        self._unreached = False
        self.figures.connected()
        self._set_up(True)

    def _disconnected(self, *_args: object) -> None:
        if not self._accepted:
            self._problem = "refused"  # in TLS 1.3 a server judges our certificate only after the handshake
        self._set_up(False)
        self._gone.set()

    def _heard(self, *_args: object) -> None:
        self._heard_at = time.monotonic()

    def _acknowledged(
        self, _client: mqtt.Client, _user: object, mid: int, code: ReasonCode, _props: object
    ) -> None:
        self._heard()
        self.figures.acknowledged(mid)
        if code.value == NOT_AUTHORIZED and self._settings.leave_when_denied and not self._denied:
            # While connected nobody would tell us that the rules are others again.
            log.warning("broker's connection left: its rules let us say nothing")
            self._denied, self._problem = True, "refused"
            self._set_up(False)
            self._tls.cut()

    def _received(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        self._heard()
        try:
            self._on_message(message.topic, bytes(message.payload))
        except Exception as error:
            # A handler's fault must not end the connection. Its text may repeat the payload: only its kind.
            log.error("a message was not handled: %s", type(error).__name__)  # noqa: TRY400

    def _set_up(self, up: bool) -> None:
        if up == self._up.is_set():
            return
        if up:
            self._up.set()
        else:
            self._up.clear()
        state = "connected" if up else "gone"
        log.info("broker %s", state, extra={"halsorum_part": "link", "halsorum_state": state})
        self._on_connection(up)


def _is_among(address: str, addresses: Collection[str]) -> bool:
    return address in addresses or ipaddress.ip_address(address).is_loopback
