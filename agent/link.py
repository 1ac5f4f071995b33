"""The wire to the broker: MQTT v5 over mutual TLS, for unit and region alike. The only user of paho.

One thread of ours connects and waits; paho's own thread is, while connected, the only one to touch the
socket (OpenSSL's connections bear no second one). Callbacks are called on either: hand over to a queue there.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.contract import CHANNELS, MAX_BODY_BYTES, Topic

log = logging.getLogger(__name__)

KEEPALIVE_S = 20
SESSION_EXPIRY_S = 3600
BACKOFF_MIN_S = 1.0
BACKOFF_MAX_S = 60.0
BACKOFF_IN_CALL_S = 2.0
CONNECT_TIMEOUT_S = 8.0
WATCH_S = 1.0


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the broker is and who we are; the names in certificate and client id are the same."""

    host: str
    port: int
    client_id: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says of us, retained, when we are lost."""

    topic: Topic
    payload: bytes


def backoff_s(attempt: int, ceiling_s: float, jitter: float) -> float:
    """Full jitter: a random share of 1, 2, 4 … seconds, never above ceiling_s. jitter is in [0, 1)."""
    return float(min(ceiling_s, BACKOFF_MIN_S * 2 ** min(attempt, 10)) * jitter)


class Link:
    """A connection that comes back by itself, subscribes on every connect and keeps the broker's session.

    on_message(topic, payload) and on_connection(up) are called on the link's threads, one at a time.
    """

    def __init__(
        self,
        settings: LinkSettings,
        *,
        on_message: Callable[[str, bytes], None],
        on_connection: Callable[[bool], None],
        will: Will | None = None,
    ) -> None:
        self._settings = settings
        self._on_message = on_message
        self._on_connection = on_connection
        self._in_call = False
        self._up = threading.Event()
        self._gone = threading.Event()
        self._accepted = False
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._client = self._make_client(will)

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us and not gone since."""
        return self._up.is_set()

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

    def publish(self, topic: Topic, payload: bytes) -> bool:
        """Send with QoS 1 as the channel's row in the contract says. False: not connected, nothing is queued.

        An empty payload clears a retained message.
        """
        if not self.up:
            return False
        channel = CHANNELS[topic.channel]
        properties = Properties(PacketTypes.PUBLISH)
        if channel.expiry_s is not None:
            properties.MessageExpiryInterval = channel.expiry_s
        sent = self._client.publish(
            str(topic), payload, qos=1, retain=channel.retained, properties=properties
        )
        return bool(sent.rc == mqtt.MQTT_ERR_SUCCESS)

    def hurry(self, in_call: bool) -> None:
        """In a call, wait at most two seconds between attempts; also tries again at once."""
        self._in_call = in_call
        self._wake.set()

    def _make_client(self, will: Will | None) -> mqtt.Client:
        s = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=s.client_id,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(s.ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(s.certificate_file), str(s.key_file))
        client.tls_set_context(context)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        if will is not None:
            client.will_set(str(will.topic), will.payload, qos=1, retain=True)
        return client

    def _run(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            if self._connect_once():
                attempt = 0
            ceiling_s = BACKOFF_IN_CALL_S if self._in_call else BACKOFF_MAX_S
            self._wake.clear()
            if not self._stop.is_set():
                self._wake.wait(backoff_s(attempt, ceiling_s, random.random()))  # noqa: S311
            attempt += 1

    def _connect_once(self) -> bool:
        """Connect and stay until the connection ends; True if the broker had accepted us."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.MaximumPacketSize = MAX_BODY_BYTES + 1024
        self._accepted = False
        self._gone.clear()
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                keepalive=KEEPALIVE_S,
                clean_start=False,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            log.info("broker not reached: %s", type(error).__name__)
            return False
        # Without its thread paho would write to the socket on whichever thread publishes.
        self._client.loop_start()
        while not self._gone.wait(WATCH_S):
            self._client.loop_start()  # does nothing while the thread lives, and it should
            if self._stop.is_set():
                self._client.disconnect()
        self._client.loop_stop()
        return self._accepted

    def _connected(
        self, client: mqtt.Client, _user: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            log.warning("broker refused us: %s", code)
            return
        client.subscribe([(text, SubscribeOptions(qos=1)) for text in self._settings.filters])
        self._accepted = True
        self._set_up(True)

    def _disconnected(self, *_args: object) -> None:
        self._set_up(False)
        self._gone.set()

    def _received(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
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
        log.info("broker %s", "connected" if up else "gone")
        self._on_connection(up)
