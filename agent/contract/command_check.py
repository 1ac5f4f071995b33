"""What is wrong with a command's arguments, in words: the region asks before it sends, the unit before it does.

| command | arguments |
|---|---|
| `restart` | `what`: `agent` (as it is without), `browser`, `machine` |
| `selftest`, `renew-certificate`, `rotate-bootstrap`, `repair-data` | none |
| `collect-diagnostics` | `url`: where the bundle is put; the region makes one where none is given |
| `set-clock-source` | `source`: `ntp`, with `servers` (up to four, comma between), `network` or `region` |
| `show-message` | `text`, and `until` (RFC 3339) or `minutes`; an empty text takes the one shown away |
| `wipe` | `bootstrap`: `keep` (as it is without) or `remove` |
| `locate` | `seconds`: 5 to 300, 60 as it is without |
| `update` | of a signed bundle: `url` (https), `sha256`, `size` in bytes, `version`, `compatible`; \
`allow_downgrade`: `yes` lets an older version in |

>>> what_is_wrong("restart", {"what": "world"})
'what: is agent, browser or machine'
>>> what_is_wrong("locate", {})
''
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from urllib.parse import urlsplit

MAX_MESSAGE_CHARACTERS = 200
"""Three lines on the smallest screen."""
MAX_MESSAGE_MINUTES = 7 * 24 * 60
MAX_SERVERS = 4
LOCATE_S = range(5, 301)
BUNDLE_BYTES = range(4096, 4 * 1024**3 + 1)
"""Of an update; more than any slot holds."""

_DIGITS = re.compile(r"(?<!\d)(?:19|20)?(\d{2})(\d{2})(\d{2})[ +–-]?\s?\d{4}(?!\d)")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?")
_VERSION = re.compile(
    r"(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){1,3}(-[A-Za-z0-9]{1,20}(\.[A-Za-z0-9]{1,20}){0,3})?"
)
_COMPATIBLE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COORDINATION = 60
"""Added to the day in a samordningsnummer (coordination number; Folkbokföringslag 1991:481, section 18 a)."""

Arguments = Mapping[str, str]


def what_is_wrong(name: str, arguments: Arguments) -> str:
    """The first fault, as `argument: why`; empty if there is none. An unknown name is a fault."""
    known = _ARGUMENTS.get(name)
    if known is None:
        return "name: is no command this version knows"
    for given in arguments:
        if given not in known:
            return f"{given if given.isidentifier() else 'an argument'}: {name} has no such argument"
    for argument, check in known.items():
        fault = check(arguments)
        if fault:
            return f"{argument}: {fault}"
    return ""


def servers_of(arguments: Arguments) -> tuple[str, ...]:
    """The NTP servers that `set-clock-source` names."""
    return tuple(arguments.get("servers", "").replace(",", " ").split())


def looks_like_personnummer(text: str) -> bool:
    """Whether six or eight digits that are a date, and four more, stand in a text, however they are joined."""
    return any(_is_date(*map(int, found.groups())) for found in _DIGITS.finditer(text))


def _is_date(_year: int, month: int, day: int) -> bool:
    try:
        date(2000, month, day - _COORDINATION if day > _COORDINATION else day)
    except ValueError:
        return False
    return True


def _one_of(argument: str, *values: str, required: bool = False) -> Callable[[Arguments], str]:
    words = f"is {', '.join(values[:-1])} or {values[-1]}"

    def check(arguments: Arguments) -> str:
        given = arguments.get(argument)
        return "" if given in values or (given is None and not required) else words

    return check


def _number(argument: str, low: int, high: int) -> Callable[[Arguments], str]:
    def check(arguments: Arguments) -> str:
        given = arguments.get(argument)
        fits = given is None or (given.isascii() and given.isdigit() and low <= int(given[:12]) <= high)
        return "" if fits else f"is a whole number from {low} to {high}"

    return check


def _servers(arguments: Arguments) -> str:
    servers = servers_of(arguments)
    if arguments.get("source") != "ntp":
        return "go with source=ntp only" if servers else ""
    if not 1 <= len(servers) <= MAX_SERVERS:
        return f"are one to {MAX_SERVERS} names or addresses, comma between"
    return "" if all(_HOST.fullmatch(server) for server in servers) else "are names or addresses"


def _text(arguments: Arguments) -> str:
    text = arguments.get("text")
    if text is None or len(text) > MAX_MESSAGE_CHARACTERS:
        return f"is the message, 1 to {MAX_MESSAGE_CHARACTERS} characters"
    if not text.isprintable() or "<" in text:
        return "is plain text, in one line"
    if looks_like_personnummer(text):
        return "holds what looks like a personnummer; whoever stands in the room would read it"
    return ""


def _until(arguments: Arguments) -> str:
    if not arguments.get("text"):
        return ""
    if ("until" in arguments) == ("minutes" in arguments):
        return "or minutes is needed: say one of them"
    try:
        at = datetime.fromisoformat(arguments.get("until", "2026-01-01T00:00:00Z"))
    except ValueError:
        return "is a time such as 2026-11-22T17:00:00+01:00"
    return "" if at.tzinfo is not None else "needs its offset from UTC"


def _url(arguments: Arguments) -> str:
    url = arguments.get("url", "")
    return (
        ""
        if url.startswith(("https://", "http://localhost:", "http://127.0.0.1:"))
        else "is an https address"
    )


def _bundle_url(arguments: Arguments) -> str:
    """A signature protects the bundle, and TLS who fetches which one, and when."""
    url = arguments.get("url", "")
    if len(url) > 1000 or not url.isascii() or not url.isprintable() or " " in url:
        return "is an https address"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is an https address"
    if parts.scheme != "https" or not parts.hostname:
        return "is an https address"
    return "holds no name and password" if parts.username or parts.password else ""


def _form(argument: str, form: re.Pattern[str], words: str) -> Callable[[Arguments], str]:
    return lambda arguments: "" if form.fullmatch(arguments.get(argument, "")) else words


def _bytes(arguments: Arguments) -> str:
    in_range = _number("size", BUNDLE_BYTES.start, BUNDLE_BYTES.stop - 1)
    return in_range(arguments) if "size" in arguments else "is missing: the bundle's bytes"


_ARGUMENTS: Mapping[str, Mapping[str, Callable[[Arguments], str]]] = {
    "restart": {"what": _one_of("what", "agent", "browser", "machine")},
    "selftest": {},
    "collect-diagnostics": {"url": _url},
    "renew-certificate": {},
    "rotate-bootstrap": {},
    "repair-data": {},
    "set-clock-source": {
        "source": _one_of("source", "ntp", "network", "region", required=True),
        "servers": _servers,
    },
    "show-message": {"text": _text, "until": _until, "minutes": _number("minutes", 1, MAX_MESSAGE_MINUTES)},
    "wipe": {"bootstrap": _one_of("bootstrap", "keep", "remove")},
    "update": {
        "url": _bundle_url,
        "sha256": _form("sha256", _SHA256, "is 64 hexadecimal digits"),
        "size": _bytes,
        "version": _form("version", _VERSION, "is a version such as 1.2.3"),
        "compatible": _form("compatible", _COMPATIBLE, "is a board's word such as halsorum-pi5"),
        "allow_downgrade": _one_of("allow_downgrade", "yes", "no"),
    },
    "locate": {"seconds": _number("seconds", LOCATE_S.start, LOCATE_S.stop - 1)},
}
