"""Why the fleet refuses something, in the reader's language.

The region gives its reasons in English. Those it is known to give have texts of our own; any other is shown as it
came, after how the field is written.
"""

from __future__ import annotations

import re

from web.clinic.fleet.settings_form import ALL
from web.clinic.refusals import refusal_words
from web.clinic.services import Refused
from web.clinic.texts import Texts

KNOWN = (
    ("exists and is another box", "name_taken"),
    ("is a serial number;", "name_is_serial"),
    ("is revoked; take that back", "name_revoked"),
    ("is revoked already", "revoked_already"),
    ("is not revoked", "not_revoked"),
    ("is not armed", "not_armed"),
    ("has never been seen", "serial_unknown"),
    ("is armed already", "armed_already"),
    ("is blocked already", "blocked_already"),
    ("is revoked and gets no commands", "no_commands"),
    ("commands waiting", "many_commands"),
    ("is on in", "session_on"),
    ("looks like a personnummer", "personnummer"),
    ("is plain text", "plain_text"),
    ("minutes is needed", "minutes"),
    ("is a whole number from", "minutes"),
    ("one to 4 names or addresses", "servers"),
    ("are names or addresses", "servers"),
    ("goes with the method static", "static_only"),
    ("needs at least one name server", "needs_dns"),
    ("is the router's address", "needs_gateway"),
    ("is the unit's own address", "own_address"),
    ("is not in the address's network", "other_network"),
    ("is MQTT without TLS", "no_tls"),
    ("goes with the transport websocket", "websocket_only"),
    ("holds a private key", "private_key"),
    ("must be another camera", "other_camera"),
    ("two self-tests must be", "tests_apart"),
    ("is given to", "pin_taken"),
    ("is not known", "unknown"),
    ("is a function or a person", "recipient_name"),
    ("or webhook is needed", "recipient_way"),
    ("is no address such as", "recipient_email"),
    ("is an address such as", "recipient_webhook"),
    ("carries a user or password", "recipient_user"),
    ("begins with https://", "recipient_https"),
)
"""What a reason holds, and the key of our text."""
NOT_SENT = (
    ("no mail server is set", "no_mail_server"),
    ("no webhooks are set", "no_webhooks"),
    ("refuses the recipient", "refuses"),
    ("the mail server", "mail_server"),
    ("the receiver says", "receiver_says"),
    ("the receiver cannot", "receiver_away"),
    ("webhook.secret_file", "secret"),
)
"""What a reason why a notice did not go holds, and the key of our text."""


OUTCOMES = (
    (r"(?P<failed>\d+) of the (?P<begun>\d+) units in the stages begun have failed", "threshold"),
    (r"no unit of stage (?P<stage>\d+) has succeeded", "stage_failed"),
    (r"no answer within (?P<seconds>\d+) s", "no_answer"),
    (r"did not end within (?P<seconds>\d+) s", "too_slow"),
    (r"not connected", "not_connected"),
    (r"revoked", "was_revoked"),
    (r"deferred for a day", "deferred_a_day"),
    (r"aborted", "aborted"),
    (r"interrupted by a restart", "restarted"),
    (r"too many commands at once; .*", "too_many"),
    (r"the disk is full, .*", "disk_full"),
    (r"downloading, (?P<percent>\d+) %", "downloading"),
    (r"installing, (?P<percent>\d+) %", "installing"),
    (r"(downloading, waits|waits to install|installed, waits to restart): .*", "update_waits"),
    (r"restarting", "update_restarts"),
    (r"proving.*", "proving"),
    (r"goes back.*", "goes_back"),
    (r"the new system has not proven itself.*", "not_proven"),
)
"""What units and rollouts say of how something ended, and the key of our text."""


def outcome_words(reason: str, t: Texts) -> str:
    """How something ended, in the reader's language; as it came where we have no words for it."""
    for pattern, key in OUTCOMES:
        if found := re.fullmatch(pattern, reason):
            return t.of("fleet.outcome", key).format(**found.groupdict())
    return reason


def reason_words(reason: str, t: Texts) -> str:
    """A reason in the reader's language, or empty where we have no words for it."""
    return next((t.of("fleet.refused", key) for part, key in KNOWN if part in reason), "")


def refused_words(refused: Refused, t: Texts) -> str:
    """Why not: in our words, else how its field is written and the reason as it came."""
    if said := reason_words(refused.reason, t):
        return said
    if refused.field_name in ALL:
        return f"{setting_words(refused.field_name, '', t)} ({refused.reason})"
    return refusal_words(refused, t)


def notice_words(reason: str, t: Texts) -> str:
    """Why a notice did not go: in our words, with the reason as it came for who runs the region."""
    for part, key in NOT_SENT:
        if part in reason:
            return f"{t.of('fleet.not_sent', key)} ({reason})"
    return reason


def setting_words(path: str, reason: str, t: Texts) -> str:
    """What is wrong with a setting: the reason, or else how it is written."""
    said = reason_words(reason, t)
    how = t("fleet.wrong.field", how=t.of("fleet.hint", path))
    return said or (f"{how} ({reason})" if reason else how)
