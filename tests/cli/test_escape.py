"""Text of models and tools cannot reach into the terminal."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.agent.cli.documents import json_text
from jigwork.agent.cli.escape import Cleaner, clean, one_line

CASES = [
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b]0;title\x07text", "text"),
    ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1bPq#0\x1b\\after", "after"),
    ("\x9b2Jgone", "gone"),
    ("\x1b(Bplain \x1bcreset", "plain reset"),
    ("a\rb\x08\x07\x7f", "ab"),
    ("abc\u202edcba\u2066x", "abcdcbax"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ("Zażółć 夜の電車 😀", "Zażółć 夜の電車 😀"),
    ("\x1b]never ended, still read", "]never ended, still read"),
    ("lone \ud800 half", "lone \ufffd half"),
]
NASTY = st.text(
    st.one_of(st.sampled_from("\x1b\x9b\x9d\x07\x1b[]0;mP\\\n\t "), st.characters(exclude_categories=["Cs"]))
)
FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_escapes_are_taken_out(text: str, shown: str) -> None:
    """Escape sequences go whole, control characters go, everything to look at stays."""
    assert clean(text) == shown


@given(NASTY)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Whatever comes in, what goes out holds no control character but new lines and tabs."""
    assert not FORBIDDEN.search(clean(text))


@given(st.lists(NASTY, max_size=8))
def test_pieces_give_no_more_than_the_whole(pieces: list[str]) -> None:
    """A text that comes in pieces is cleaned as it would be whole: a sequence may be cut anywhere."""
    cleaner = Cleaner()
    shown = "".join([*(cleaner.feed(piece) for piece in pieces), cleaner.end()])
    assert shown == clean("".join(pieces))


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_single_characters_give_the_whole(text: str, shown: str) -> None:
    """The smallest pieces give the same."""
    cleaner = Cleaner()
    assert "".join([*map(cleaner.feed, text), cleaner.end()]) == shown


@given(st.text())
def test_json_is_harmless_and_whole(text: str) -> None:
    """A document holds no character that a terminal obeys, and gives back exactly what went in."""
    written = json_text({text: [text]})
    assert not FORBIDDEN.search(written) and written.encode("utf-8")
    assert json.loads(written) == {text: [text]}


@given(NASTY, st.integers(1, 50))
def test_one_line_is_one_line(text: str, width: int) -> None:
    """A line has no break in it and is no longer than it may be."""
    line = one_line(text, width)
    assert len(line) <= width and len(line.splitlines()) <= 1
