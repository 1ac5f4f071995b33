"""What a region owes a unit's events and its certificates."""

from __future__ import annotations

import time

from agent.contract import Topic
from agent.contract.enrolment import CertificateRequest, EnrolRequest
from agent.contract.events import GENESIS, Event
from provisioning.conformance.checks import Broken, Check, NotApplicable
from provisioning.conformance.peer import Peer
from provisioning.conformance.region_checks import PlayedUnit
from provisioning.conformance.unit_keys import SigningRequest

OTHER_NAME = "region"
"""Whom a hostile request would like to be."""


def _send(unit: PlayedUnit, event: Event) -> tuple[int, int]:
    """Up to where the region says that events are kept, after this one."""
    mark = unit.peer.mark()
    unit.peer.say(unit.topic("up/event", event.kind), event)
    ack = unit.peer.after(mark, "dn/ack")
    if ack is None:
        raise Broken(f"event {event.seq} was not answered by dn/ack")
    return ack.data.epoch, ack.data.seq


def _events_are_acknowledged(unit: PlayedUnit) -> str:
    epoch = int(time.time())
    first = unit.keys.event(epoch, 1, GENESIS)
    second = unit.keys.event(epoch, 2, first.hash)
    third = unit.keys.event(epoch, 3, second.hash)
    expected = (
        (first, 1, "a new event"),
        (first, 1, "one that came twice"),
        (third, 1, "one that came too early"),
    )
    for event, seq, what in (*expected, (second, 2, "the one between"), (third, 3, "the one sent again")):
        if (got := _send(unit, event)) != (epoch, seq):
            raise Broken(f"after {what}, dn/ack said {got[1]} of the chain, not {seq}")
    forged = unit.keys.event(epoch, 4, third.hash).model_copy(update={"signature": first.signature})
    if _send(unit, forged) != (epoch, 3):
        raise Broken("an event whose signature does not fit was acknowledged")
    return "each once and in order; one too early and a forged one were not"


def _renewal(unit: PlayedUnit, request: SigningRequest) -> str:
    mark = unit.peer.mark()
    unit.peer.say(unit.topic("up/renewal"), CertificateRequest(csr=request.pem))
    reply = unit.peer.after(mark, "dn/renewal", lambda message: message.data.request == request.sha256)
    if reply is None:
        raise Broken("up/renewal was not answered under the request's digest")
    if reply.data.state != "issued" or reply.data.certificate is None:
        raise Broken(f"the request was rejected: {reply.data.reason}")
    return str(reply.data.certificate)


def _renewal_is_issued(unit: PlayedUnit) -> str:
    request = SigningRequest(OTHER_NAME)
    certificate = _renewal(unit, request)
    if wrong := request.what_is_wrong_with(certificate, unit.name):
        raise Broken(f"the certificate {wrong}")
    if _renewal(unit, request) != certificate:
        raise Broken("the same request was given another certificate")
    return "issued for the unit's name, whatever the request called itself"


def _bad_request(unit: PlayedUnit) -> str:
    mark = unit.peer.mark()
    unit.peer.say(unit.topic("up/renewal"), CertificateRequest(csr="no request at all"))
    reply = unit.peer.after(mark, "dn/renewal", within_s=unit.peer.patience.silence_s)
    if reply is not None and reply.data.state == "issued":
        raise Broken("what is no signing request was given a certificate")
    if unit.greet() is None:
        raise Broken("after a request that is none, up/status was not answered any more")
    return "not signed"


def _bootstrap(unit: PlayedUnit) -> tuple[str, Peer]:
    door = unit.bootstrap()
    if door is None:
        raise NotApplicable("give a bootstrap: --bootstrap-certificate, --bootstrap-key, --bootstrap-port")
    return door


def _enrolment_is_answered(unit: PlayedUnit) -> str:
    serial, peer = _bootstrap(unit)
    request = SigningRequest(OTHER_NAME)
    states = []
    for _ in range(2):
        mark = peer.mark()
        peer.say(Topic(serial, "up/enrol"), EnrolRequest(csr=request.pem, software="conformance"))
        reply = peer.after(mark, "dn/enrol", lambda message: message.data.request == request.sha256)
        if reply is None:
            raise Broken("up/enrol was not answered under the request's digest")
        states.append(reply.data.state)
    if "approved" in states:
        raise Broken("a request was approved though nobody can have compared its key")
    if states[0] != states[1]:
        raise Broken("the same request was answered differently the second time")
    return f"answered twice: {states[0]}"


CHAIN: tuple[Check[PlayedUnit], ...] = (
    Check(
        "events", "Events are kept in order, each once, and acknowledged when kept.", _events_are_acknowledged
    ),
    Check(
        "renewal",
        "The region chooses the subject; same request, same certificate.",
        _renewal_is_issued,
    ),
    Check(
        "bad request",
        "What is no request with its own key's signature is not signed.",
        _bad_request,
    ),
    Check("enrolment", "b/{serial}/dn/enrol answers under the request's SHA-256.", _enrolment_is_answered),
)
