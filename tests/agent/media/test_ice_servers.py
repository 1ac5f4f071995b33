"""The chooser: UDP first, a dead server is waited for once and briefly, one that comes back is used."""

import pytest

from agent.media.facts import IceServer
from agent.media.ice_servers import DEAD_FOR_S, FRESH_S, PATIENCE_S, Choice, ServerBook, ways

UDP_1, UDP_2 = "turn:one.example", "turn:two.example"
TCP, TLS = "turn:one.example?transport=tcp", "turns:one.example"
NOBODY_TO_COME: frozenset[str] = frozenset()


def servers(*urls: str):
    return ways([IceServer(urls, "user", "secret")])[0]


def choose(book: ServerBook, given, asked, *, waited_s: float = 0.0) -> Choice:
    return book.choose(given, {each.url for each in given if str(each.url) in asked}, since=0.0, now=waited_s)


def test_every_url_is_one_way_and_udp_goes_before_tcp_before_tls() -> None:
    given = [IceServer((TLS, "nonsense", TCP)), IceServer((UDP_2, UDP_1, TCP), "user", "secret")]
    found, wrong = ways(given)
    assert [str(each.url) for each in found] == [
        "turn:two.example:3478",
        "turn:one.example:3478",
        "turn:one.example:3478?transport=tcp",
        "turns:one.example:5349",
    ]
    assert (found[0].username, found[2].username) == ("user", ""), (
        "the first to name a way brings its credentials"
    )
    assert len(wrong) == 1
    assert "secret" not in repr(found) + repr(given)


def test_the_best_that_answers_wins_and_a_better_one_is_given_a_moment() -> None:
    first, second = given = servers(UDP_1, UDP_2)
    book = ServerBook()
    everyone = {str(each.url) for each in given}
    assert choose(book, given, everyone) == Choice(None, None, over=False)
    book.answered(second.url, "192.0.2.2", 0.05)
    choice = choose(book, given, {str(first.url)}, waited_s=0.05)
    assert (choice.server, choice.over) == (None, False)
    assert choice.wait_s == pytest.approx(PATIENCE_S - 0.05)
    assert choose(book, given, {str(first.url)}, waited_s=PATIENCE_S).server == second
    book.answered(first.url, "192.0.2.1", 0.1)
    assert choose(book, given, NOBODY_TO_COME, waited_s=0.1).server == first
    assert book.address(first.url) == "192.0.2.1"


def test_one_that_was_dead_is_not_waited_for_but_used_when_it_answers() -> None:
    first, second = given = servers(UDP_1, UDP_2)
    book = ServerBook()
    book.died(first.url, -1.0)
    book.answered(second.url, "192.0.2.2", 0.0)
    assert choose(book, given, {str(first.url)}).server == second
    assert not choose(ServerBook(), given, {str(first.url), str(second.url)}).over
    book.answered(first.url, "192.0.2.1", 0.0)
    assert choose(book, given, NOBODY_TO_COME).server == first
    assert not book.is_dead(first.url, 0.0)


def test_with_udp_shut_tcp_is_chosen_and_with_tcp_shut_tls() -> None:
    udp, tcp, tls = given = servers(UDP_1, TCP, TLS)
    book = ServerBook()
    book.answered(tls.url, "192.0.2.1", 0.06)
    book.answered(tcp.url, "192.0.2.1", 0.04)
    assert not choose(book, given, {str(udp.url)}, waited_s=0.1).over
    assert choose(book, given, {str(udp.url)}, waited_s=PATIENCE_S).server == tcp
    book.died(udp.url, 2.0)
    book.died(tcp.url, 2.0)
    assert choose(book, given, NOBODY_TO_COME, waited_s=2.0).server == tls


def test_an_old_answer_counts_no_more_and_a_death_is_forgotten_in_time() -> None:
    [only] = given = servers(UDP_1)
    book = ServerBook()
    book.answered(only.url, "192.0.2.1", -FRESH_S - 0.1)
    assert not book.is_fresh(only.url, 0.0)
    assert choose(book, given, NOBODY_TO_COME) == Choice(None, None, over=True)
    book.died(only.url, 0.0)
    assert book.is_dead(only.url, DEAD_FOR_S)
    assert not book.is_dead(only.url, DEAD_FOR_S + 0.1)
