"""Whatever a page writes: what is kept of it is short, in one line, and of the shape we expect."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.meeting_messages import (
    BESIDE_MAX,
    CHAT_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    ViewWish,
    clean,
    read_beside,
    read_chat,
    read_id,
    read_name,
    read_view,
)

KEYS = [
    "type",
    "id",
    "name",
    "title",
    "organisation",
    "text",
    "people",
    "camera",
    "zoom",
    "x",
    "y",
    "width",
    "height",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=30)
    | st.sampled_from(["main", "hand"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)
MESSAGES = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)


def is_tame(text, most):
    drawn = not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
    return len(text) <= most and drawn and text == text.strip()


@given(MESSAGES)
def test_any_object_is_read_into_bounded_values_or_not_at_all(message):
    name = read_name(message)
    assert all(is_tame(text, NAME_CHARACTERS_MAX) for text in (name.name, name.title, name.organisation))
    assert len(read_id(message)) <= 80
    chat = read_chat(message)
    assert chat is None or (chat.text and is_tame(chat.text, CHAT_CHARACTERS_MAX))
    people = read_beside(message) or ()
    assert len(people) <= BESIDE_MAX
    assert all(is_tame(person.name, 80) and is_tame(person.organisation, 80) for person in people)
    wish = read_view(message)
    if wish is not None and wish.zoom is not None:
        zoom = wish.zoom
        assert 1 / 8 <= zoom.width == zoom.height <= 1
        assert 0 <= zoom.x <= 1 - zoom.width + 1e-9
        assert 0 <= zoom.y <= 1 - zoom.height + 1e-9


@given(st.text(max_size=400), st.integers(1, 200))
def test_any_text_becomes_one_line_that_can_be_written_as_utf_8(text, most):
    cleaned = clean(text, most)
    assert is_tame(cleaned, most)
    json.dumps(cleaned, ensure_ascii=False).encode()
    assert clean(cleaned, most) == cleaned


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  Karin\n\tEk\x00 ", "Karin Ek"),
        ("Ek\u202enirak", "Eknirak"),
        ("\ud83d", ""),
        ("e" + "\u0301" * 40, "é" + "\u0301" * 3),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 900, "x" * 80),
        (None, ""),
        (7, ""),
    ],
)
def test_text_is_freed_of_what_draws_nothing_or_turns_lines_around(text, kept):
    assert clean(text, 80) == kept


def test_a_huge_number_is_no_zoom_and_a_small_one_is_made_larger_in_its_place():
    assert read_view({"camera": "main", "zoom": {"x": 10**400, "y": 0, "width": 1, "height": 1}}) is None
    assert read_view({"camera": "third", "zoom": None}) is None
    assert read_view({"zoom": {"x": True, "y": 0, "width": 1, "height": 1}}) is None
    assert read_view({"zoom": {"x": 0, "y": 0, "width": 1, "height": 1}}) == ViewWish("main", None)
    zoom = read_view({"camera": "hand", "zoom": {"x": 0.5, "y": 0.5, "width": 0.01, "height": 0.01}}).zoom
    assert (zoom.width, zoom.x) == (1 / 8, pytest.approx(0.505 - 1 / 16))


def test_people_without_a_known_role_or_an_id_and_those_named_twice_are_left_out():
    people = [
        {"id": "1", "role": "relative", "name": "Bo"},
        {"id": "1", "role": "staff"},
        {"id": "2", "role": "Kanariefagel"},
        {"role": "staff"},
        "Kanariefagel",
    ]
    assert [person.name for person in read_beside({"people": people})] == ["Bo"]
    assert read_beside({"people": "Bo"}) is None
