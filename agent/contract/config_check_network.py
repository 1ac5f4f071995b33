"""What is wrong with a unit's network, its broker's address or a region's authorities. Pure.

Most of this cannot be put right from afar once a unit has it: a unit rolls back what cuts it off, but only what
can be seen beforehand is told to IT at once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from agent.contract.unit_config import BrokerAddress, WiredNetwork

Wrong = Iterator[tuple[str, str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

INTERFACE_NAME_MAX = 15
"""IFNAMSIZ less its final zero: a VLAN's interface is named after the one it lies on."""
PLAIN_MQTT_PORT = 1883
AUTHORITIES_MAX = 8
RSA_BITS_MIN = 2048
CURVE_BITS_MIN = 256
_EAP_IDENTITY = re.compile(r"[A-Za-z0-9@._-]{1,120}")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def what_is_wrong_with_network(name: str, network: WiredNetwork) -> Wrong:
    """The wired network, by itself."""
    if network.interface == "lo":
        yield f"{name}.interface", "lo is the machine itself; name the wired interface, such as eth0"
    if network.method == "static":
        yield from _static(name, network)
    else:
        for field in ("address", "gateway"):
            if getattr(network, field) is not None:
                yield f"{name}.{field}", "goes with the method static; with dhcp the network says it"
    yield from _dns(f"{name}.dns", network.dns)
    for host in network.ntp:
        if not is_host(host):
            yield f"{name}.ntp", f"{host[:60]!r} is neither a name nor an address"
    if network.vlan is not None and len(f"{network.interface}.{network.vlan}") > INTERFACE_NAME_MAX:
        yield f"{name}.interface", "is too long a name to lay a VLAN on: 10 characters at most"
    if network.eap_tls is not None and not _EAP_IDENTITY.fullmatch(network.eap_tls):
        yield f"{name}.eap_tls", "an identity has letters, digits and @ . _ - only"
    if network.proxy is not None:
        yield from _proxy(f"{name}.proxy", network.proxy)


def what_is_wrong_with_broker(name: str, broker: BrokerAddress) -> Wrong:
    """Where the broker is, by itself."""
    if not is_host(broker.host):
        yield f"{name}.host", "is neither a name nor an address"
    elif (address := _address(broker.host)) and (address.is_unspecified or address.is_multicast):
        yield f"{name}.host", "is no machine's address"
    if broker.port == PLAIN_MQTT_PORT:
        yield f"{name}.port", "1883 is MQTT without TLS; units speak TLS only, usually on 8883 or 443"
    if broker.transport != "websocket" and broker.path != BrokerAddress.model_fields["path"].default:
        yield f"{name}.path", "goes with the transport websocket"


def what_is_wrong_with_ca(name: str, pem: str) -> Wrong:
    """A region's own authorities; an empty text means none."""
    if not pem.strip():
        return
    if _PRIVATE_KEY.search(pem):
        yield name, "holds a private key, which must never leave its authority; give the certificate alone"
        return
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        yield name, "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)"
        return
    if len(certificates) > AUTHORITIES_MAX:
        yield name, f"holds more than {AUTHORITIES_MAX} certificates"
    for number, certificate in enumerate(certificates, 1):
        reason = _no_authority(certificate)
        if reason:
            yield name, f"certificate {number}: {reason}"


def is_host(text: str) -> bool:
    """A name in the domain name service (RFC 1123, section 2.1), or an address."""
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        return _address(text) is not None
    labels = text.removesuffix(".").split(".")
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def proxy_address(url: str) -> tuple[str, int]:
    """Host and port of `http://host:port`; ValueError says what is wrong."""
    parts = urlsplit(url)
    port = parts.port  # raises by itself where it is no number
    if parts.scheme != "http":
        raise ValueError("only a proxy reached by http:// is known; TLS to the broker goes through it")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a proxy that asks for a password is not known, and none is sent over the wire")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("has more than a host and a port: http://host:port")
    if not parts.hostname or not is_host(parts.hostname) or not port:
        raise ValueError("is written as http://host:port")
    return parts.hostname, port


def _static(name: str, network: WiredNetwork) -> Wrong:
    interface = _interface(network.address or "")
    if interface is None:
        yield f"{name}.address", "is written with its prefix, such as 192.0.2.10/24"
        return
    wrong = _not_a_hosts(interface.ip, interface)
    if wrong:
        yield f"{name}.address", wrong
    yield from _gateway(f"{name}.gateway", network.gateway, interface)
    if not network.dns:
        yield f"{name}.dns", "a unit with a static address needs at least one name server"


def _gateway(name: str, text: str | None, interface: Interface) -> Wrong:
    gateway = _address(text or "")
    if gateway is None:
        yield name, "is the router's address, and a static address needs it to leave its network"
    elif gateway == interface.ip:
        yield name, "is the unit's own address"
    elif gateway.version == 6 and gateway.is_link_local:
        return
    elif gateway not in interface.network:
        yield name, f"is not in the address's network {interface.network}"
    elif _not_a_hosts(gateway, interface):
        yield name, _not_a_hosts(gateway, interface)


def _not_a_hosts(address: Address, interface: Interface) -> str:
    """Why no machine can have this address in this network; empty if one can."""
    network = interface.network
    if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
        return "is no address for a machine in a network"
    if network.prefixlen < network.max_prefixlen - 1:  # RFC 3021: a line between two has neither
        if address == network.network_address:
            return f"is the address of the network {network} itself"
        if address.version == 4 and address == network.broadcast_address:
            return f"is the broadcast address of the network {network}"
    return ""


def _dns(name: str, servers: tuple[str, ...]) -> Wrong:
    for server in servers:
        address = _address(server)
        if address is None:
            yield name, f"{server[:60]!r} is not an address; a name server cannot be found by its name"
        elif address.is_multicast or address.is_unspecified or address.is_loopback:
            yield name, f"{server[:60]!r} is no machine's address"
    if len(set(servers)) < len(servers):
        yield name, "names a server twice"


def _proxy(name: str, url: str) -> Wrong:
    try:
        proxy_address(url)
    except ValueError as error:
        yield name, str(error)


def _no_authority(certificate: x509.Certificate) -> str:
    """Why this is not an authority's certificate; empty if it is one."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usages = [one.value for one in certificate.extensions if isinstance(one.value, x509.KeyUsage)]
        key = certificate.public_key()
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return "is no authority (it has no basic constraints that say CA)"
    if not basic.ca or any(not usage.key_cert_sign for usage in usages):
        return "is no authority: it may not sign certificates"
    if isinstance(key, RSAPublicKey) and key.key_size < RSA_BITS_MIN:
        return f"its RSA key is shorter than {RSA_BITS_MIN} bits"
    if isinstance(key, EllipticCurvePublicKey) and key.key_size < CURVE_BITS_MIN:
        return f"its key is shorter than {CURVE_BITS_MIN} bits"
    return ""


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, ipaddress.IPv6Address) and address.scope_id else address


def _interface(text: str) -> Interface | None:
    if "/" not in text or "%" in text:  # a zone may hold anything, and is of no use here
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        return None
