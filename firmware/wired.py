"""A wired network as systemd-networkd, -resolved, -timesyncd and wpa_supplicant are told of it. Pure.

What is rendered here is read by root, and what it is rendered from was written by an unprivileged service: every
value is parsed into what it must be before it stands in a file. Sources: systemd.network(5), systemd.netdev(5),
resolved.conf(5), timesyncd.conf(5), wpa_supplicant.conf(5).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)


class WiredError(ValueError):
    """A network that cannot be set; its text names the fields."""


def _interface(text: str) -> str:
    return str(ipaddress.ip_interface(_unscoped(text)))


def _ip(text: str) -> str:
    return str(ipaddress.ip_address(_unscoped(text)))


def _unscoped(text: str) -> str:
    """Python takes anything for a zone (RFC 4007, section 11), a line break too, and writes it out again."""
    if "%" in text:
        raise ValueError("an address with a zone")
    return text


Prefixed = Annotated[str, AfterValidator(_interface)]
Ip = Annotated[str, AfterValidator(_ip)]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$")]


class Wired(BaseModel):
    """One wired interface, by DHCP or with addresses of its own, on a VLAN or not, behind IEEE 802.1X or not."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    method: Literal["dhcp", "static"] = "dhcp"
    interface: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,15}$")] = "eth0"
    address: Prefixed | None = None
    gateway: Ip | None = None
    dns: tuple[Ip, ...] = Field((), max_length=4)
    ntp: tuple[Host, ...] = Field((), max_length=4)
    vlan: int | None = Field(None, ge=1, le=4094)
    eap_tls: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@._-]{1,120}$")] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Wired:
        if self.method == "static" and (self.address is None or self.gateway is None):
            raise ValueError("a static network needs address and gateway")
        return self


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files by which the unit shows itself to the network (EAP-TLS, RFC 5216), and knows the network; relative to
    the credentials of halsorum-wired@.service (systemd.exec(5), LoadCredential=)."""

    certificate: Path
    key: Path
    authorities: Path
    fingerprint: str = ""
    """Of the certificate: another one is taken into use although its file has the same name."""


def parse(text: str) -> Wired:
    """Raises WiredError, which names the fields and repeats no value."""
    try:
        return Wired.model_validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        raise WiredError(
            "; ".join(f"{'.'.join(map(str, one['loc'])) or 'network'}: {one['type']}" for one in wrong)
        ) from None


def render(wired: Wired, credentials: Credentials) -> dict[str, str]:
    """The files, by their path below /run."""
    files = {
        "systemd/network/05-halsorum.network": _on_the_wire(wired),
        "systemd/timesyncd.conf.d/halsorum.conf": _conf("Time", {"NTP": wired.ntp, "FallbackNTP": ()})
        if wired.ntp
        else "",
        "systemd/resolved.conf.d/halsorum.conf": _conf("Resolve", {"DNS": wired.dns, "FallbackDNS": ()})
        if wired.dns
        else "",
    }
    if wired.vlan is not None:
        name = f"{wired.interface}.{wired.vlan}"
        files["systemd/network/05-halsorum-vlan.netdev"] = (
            f"[NetDev]\nName={name}\nKind=vlan\n\n[VLAN]\nId={wired.vlan}\n"
        )
        files["systemd/network/06-halsorum-vlan.network"] = _addressed(wired, name)
    if wired.eap_tls is not None:
        files[f"halsorum-network/8021x-{wired.interface}.conf"] = _supplicant(
            wired.eap_tls, credentials, Path(f"/run/credentials/halsorum-wired@{wired.interface}.service")
        )
    return {path: text for path, text in files.items() if text}


def _on_the_wire(wired: Wired) -> str:
    if wired.vlan is None:
        return _addressed(wired, wired.interface)
    return (
        f"[Match]\nName={wired.interface}\n\n[Network]\nVLAN={wired.interface}.{wired.vlan}\n"
        "DHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
    )


def _addressed(wired: Wired, name: str) -> str:
    lines = [f"[Match]\nName={name}\n", "[Network]", "LLMNR=no", "MulticastDNS=no"]
    lines += [f"DNS={server}" for server in wired.dns] + [f"NTP={server}" for server in wired.ntp]
    if wired.method == "static":
        lines += ["DHCP=no", "IPv6AcceptRA=no", f"Address={wired.address}", f"Gateway={wired.gateway}"]
    else:
        lines.append("DHCP=yes")
        for section in ("DHCPv4", "DHCPv6"):
            lines += [f"\n[{section}]", f"UseDNS={_yes(not wired.dns)}", f"UseNTP={_yes(not wired.ntp)}"]
        lines += ["\n[IPv6AcceptRA]", f"UseDNS={_yes(not wired.dns)}"]
    return "\n".join(lines) + "\n"


def _conf(section: str, values: dict[str, tuple[str, ...]]) -> str:
    return f"[{section}]\n" + "".join(f"{name}={' '.join(each)}\n" for name, each in values.items())


def _supplicant(identity: str, credentials: Credentials, folder: Path) -> str:
    return (
        f"# certificate {credentials.fingerprint}\n"
        "eapol_version=2\nap_scan=0\n"
        "network={\n\tkey_mgmt=IEEE8021X\n\teap=TLS\n\teapol_flags=0\n"
        f'\tidentity="{identity}"\n\tca_cert="{folder / credentials.authorities}"\n'
        f'\tclient_cert="{folder / credentials.certificate}"\n\tprivate_key="{folder / credentials.key}"\n}}\n'
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
