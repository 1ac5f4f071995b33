"""Names, codes and tokens made by chance, and the digests under which they are kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string

from agent.contract.schedule import CODE_DIGITS

ALPHABET = string.ascii_lowercase + string.digits
SID_LENGTH = 16
"""36^16 is 82 bits: not to be guessed."""
PEER_LENGTH = 16
TOKEN_BYTES = 16
SALT_BYTES = 16
REF_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXY"
"""Without I, O and Z, which are misread as digits."""

_PERSONAL_NUMBER = re.compile(r"(\d{2})?\d{6}\s?[-+]?\s?\d{4}(?!\d)")


def looks_personal(text: str) -> bool:
    """Whether a personnummer or samordningsnummer may stand in it, of ten or twelve digits."""
    return _PERSONAL_NUMBER.search(text) is not None


def new_id(length: int = SID_LENGTH) -> str:
    """Lowercase letters and digits that tell nothing."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_code() -> str:
    """A one-time code for check-in."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def new_token() -> str:
    """128 bits for a QR code, or for a booking system."""
    return secrets.token_hex(TOKEN_BYTES)


def new_salt() -> str:
    """A salt in hex."""
    return secrets.token_hex(SALT_BYTES)


def new_ref(taken: set[str]) -> str:
    """A short name for screens, such as A17, that is not taken; it tells no order and no person."""
    free = [f"{letter}{number}" for letter in REF_LETTERS for number in range(10, 100)]
    choice = [ref for ref in free if ref not in taken] or free
    return secrets.choice(choice)


def keyed_digest(secret: str, *parts: str) -> str:
    """HMAC-SHA-256 in hex: what is kept of a text that may itself tell something."""
    return hmac.new(bytes.fromhex(secret), "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def peer_id(secret: str, account_id: str, sid: str) -> str:
    """The party's name in one session: the same after a restart, another in every session."""
    number = int(keyed_digest(secret, "peer", account_id, sid), 16)
    letters = []
    for _ in range(PEER_LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(letters)
