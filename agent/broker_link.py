"""The link to the broker where the configuration says it is, built anew when that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import replace

from agent.config import Settings
from agent.contract import Topic, down_filter
from agent.contract.config_check_network import proxy_address
from agent.contract.unit_config import Config
from agent.link import Link, LinkProblem, LinkSettings
from agent.link_figures import LinkFigures

MakeLink = Callable[[LinkSettings], Link]


def first_link(settings: Settings, unit: str) -> LinkSettings:
    """The settings file's broker, under this name."""
    return LinkSettings(
        host=settings.broker_host,
        port=settings.broker_port,
        transport=settings.broker_transport,
        path=settings.broker_path,
        client_id=unit,
        ca_file=settings.ca_file,
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
        filters=(down_filter(unit),),
    )


def on_the_way(first: LinkSettings, values: Config) -> LinkSettings:
    """With the proxy and the authorities that the region has set: for whatever broker it is."""
    proxy = values.network.proxy if values.network is not None else None
    return replace(first, proxy=proxy_address(proxy) if proxy else None, extra_ca=values.region_ca or "")


def link_settings(first: LinkSettings, values: Config) -> LinkSettings:
    """The settings file's, with what the region has set laid over them."""
    settings, broker = on_the_way(first, values), values.broker
    if broker is None:
        return settings
    return replace(settings, host=broker.host, port=broker.port, transport=broker.transport, path=broker.path)


class BrokerLink:
    """One link at a time, to the wire (agent/wire.py, Sender) always the same. Used on the event loop.

    A link that is replaced is ended first, so that the broker never takes the two for rivals.
    """

    def __init__(self, settings: LinkSettings, make: MakeLink) -> None:
        self._make = make
        self.settings = settings
        self._link = make(settings)
        self.figures: LinkFigures = self._link.figures
        """Of all links since the start."""
        self._one_at_a_time = threading.Lock()
        self._started = self._stopped = False
        self._in_call = False

    @property
    def up(self) -> bool:
        """Whether the broker has accepted us and not gone since."""
        return self._link.up

    @property
    def problem(self) -> LinkProblem:
        """See Link.problem."""
        return self._link.problem

    def start(self) -> None:
        """Begin to connect."""
        self._started = True
        self._link.start()

    def use(self, settings: LinkSettings, *, anew: bool = False) -> None:
        """Connect by these settings from now on; `anew`: even if they are those in use.

        Raises OSError when they cannot be used (ssl.SSLError is one); the link stays as it is then.
        """
        if settings == self.settings and not anew:
            return
        link = self._make(settings)
        link.hurry(self._in_call)
        link.figures = self.figures
        old, self._link, self.settings = self._link, link, settings
        if self._started:
            threading.Thread(target=self._switch, args=(old, link), name="link switch", daemon=True).start()

    def stop(self) -> None:
        """Disconnect in order. May be called on any thread; waits for a link that is being replaced."""
        self._stopped = True
        with self._one_at_a_time:
            self._link.stop()

    def publish(self, topic: Topic, payload: bytes) -> bool:
        """See Link.publish."""
        return self._link.publish(topic, payload)

    def hurry(self, in_call: bool) -> None:
        """See Link.hurry."""
        self._in_call = in_call
        self._link.hurry(in_call)

    def doubt(self) -> None:
        """See Link.doubt."""
        self._link.doubt()

    def network_changed(self, addresses: Collection[str]) -> None:
        """See Link.network_changed."""
        self._link.network_changed(addresses)

    def _switch(self, old: Link, new: Link) -> None:
        with self._one_at_a_time:
            old.stop()
            if new is self._link and not self._stopped:
                new.start()
