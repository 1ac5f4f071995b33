"""What is left of a unit that was taken out of service, also when it was killed on the way."""

from __future__ import annotations

import pytest

from agent import wiping
from agent.wiping import (
    Mark,
    NotErased,
    Places,
    bury,
    erase,
    erase_data,
    erase_keys,
    is_buried,
    read_mark,
    write_mark,
)

CANARY = b"Kanariefagel"
MARK = Mark("cmd-1", keep_bootstrap=True, unit="unit-7", boot=3, at="2026-11-22T08:00:00+00:00")


@pytest.fixture
def places(tmp_path):
    """A unit's files, each with a canary."""
    state, keys = tmp_path / "state", tmp_path / "keys"
    for name in (
        "unit.db",
        "unit.db-wal",
        "browser/profile/History",
        "helper/clock.answer",
        "identity/current/key.pem",
        "identity/bootstrap/key.pem",
        "network/proven.json",
    ):
        file = state / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(CANARY * 10_000)
    keys.mkdir()
    for name in ("key.pem", "certificate.pem"):
        (keys / name).write_bytes(CANARY)
    write_mark(state, MARK)
    return Places(state, (keys / "key.pem", keys / "certificate.pem"))


def left(places):
    return {str(f.relative_to(places.state)) for f in places.state.rglob("*") if f.is_file()} | {
        f.name for f in places.keys if f.exists()
    }


def test_data_go_before_keys_and_the_bootstrap_stays_if_it_is_to(places):
    assert erase_data(places) == 4
    identities = {"identity/current/key.pem", "identity/bootstrap/key.pem"}
    # Without its network the unit could tell nobody.
    assert left(places) == {"wipe.json", "key.pem", "certificate.pem", "network/proven.json", *identities}
    assert erase_keys(places, keep_bootstrap=True) == 4
    assert left(places) == {"wipe.json", "identity/bootstrap/key.pem"}
    erase_keys(places, keep_bootstrap=False)
    bury(places.state, MARK)
    assert left(places) == {"wiped.json"}
    assert (read_mark(places.state), is_buried(places.state)) == (None, True)


def test_what_is_overwritten_is_so_before_it_is_removed(places, monkeypatch):
    seen = []
    unlink = type(places.state).unlink
    monkeypatch.setattr(
        type(places.state),
        "unlink",
        lambda file, **more: (seen.append(file.read_bytes()), unlink(file, **more))[1],
    )
    erase(places.state / "unit.db")
    assert seen == [b""]


def test_a_disk_that_keeps_what_it_was_told_to_overwrite_is_found_out(places, monkeypatch):
    noise = iter([b"a" * 65536, b"b" * 65536])
    monkeypatch.setattr(wiping.secrets, "token_bytes", lambda _size: Liar(next(noise)))
    with pytest.raises(NotErased, match=r"unit\.db"):
        erase(places.state / "unit.db")


class Liar(bytes):
    """Bytes that are written as they are, and are found to be others."""

    def __ne__(self, other):
        return True

    __hash__ = bytes.__hash__


@pytest.mark.parametrize("at", range(1, 9))
def test_killed_at_any_file_the_next_start_goes_on_to_the_end(places, monkeypatch, at):
    count = iter(range(1, 100))
    unlink = type(places.state).unlink

    def killed(file, **more):
        if next(count) == at:
            raise KeyboardInterrupt
        unlink(file, **more)

    monkeypatch.setattr(type(places.state), "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        _whole(places)
    monkeypatch.undo()
    assert read_mark(places.state) == MARK
    _whole(places)
    assert left(places) == {"wiped.json"}


def _whole(places):
    erase_data(places)
    erase_keys(places, keep_bootstrap=False)
    bury(places.state, MARK)


def test_links_are_removed_and_not_followed(places, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_bytes(CANARY)
    (places.state / "link").symlink_to(elsewhere)
    (places.state / "file-link").symlink_to(elsewhere / "kept")
    erase_data(places)
    assert (elsewhere / "kept").read_bytes() == CANARY
    assert not (places.state / "link").is_symlink()
