"""Token masks for models in this process."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jigwork.errors import GrammarError
from jigwork.grammars import Grammar, library

PIECES = [
    b"SELECT",
    b" FROM",
    b"id",
    b"name",
    b", ",
    b'{"',
    b'":',
    b"true",
    b"null",
    b"10",
    b"* ",
    b"O-O",
    b"\n",
    b"  ",
]
TOKENS = [*(bytes([i]) for i in range(256)), *PIECES, b"<end>"]
END = len(TOKENS) - 1

QUERY = Grammar.from_lark(
    'start: "SELECT " COLUMN (", " COLUMN)* " FROM " TABLE\nCOLUMN: "id" | "name"\nTABLE: "t"\n'
)


def test_masks_hold_exactly_what_may_come() -> None:
    """A mask allows the tokens that go on, whole or in part, and nothing else."""
    matcher = QUERY.matcher(TOKENS, end=END)
    assert {TOKENS[t] for t in matcher.allowed()} == {b"S", b"SELECT"}
    assert matcher.consume(TOKENS.index(b"SELECT"))
    assert not matcher.consume(TOKENS.index(b"id"))
    assert matcher.consume(ord(" "))
    assert {TOKENS[t] for t in matcher.allowed()} == {b"i", b"id", b"n", b"name"}
    assert len(matcher.mask()) == (len(TOKENS) + 7) // 8


def test_rollback_copy_and_reset() -> None:
    """Tokens can be taken back, the end included; a copy goes its own way."""
    matcher = QUERY.matcher(TOKENS, end=END)
    for token in QUERY_TOKENS:
        assert matcher.consume(token)
    assert matcher.is_accepting
    other = matcher.copy()
    assert other.consume(END) and other.ended
    assert other.allowed() == []
    assert not matcher.ended
    other.rollback(2)
    assert not other.is_accepting
    assert TOKENS[other.allowed()[0]] == b"t"
    matcher.reset()
    assert {TOKENS[t] for t in matcher.allowed()} == {b"S", b"SELECT"}


QUERY_TOKENS = [TOKENS.index(piece) for piece in (b"SELECT", b" ", b"id", b" FROM", b" ", b"t")]


def test_forced_tokens() -> None:
    """Where only one token is allowed it is forced, and so on until there is a choice or an end."""
    matcher = Grammar.from_choices(["xyz"]).matcher([b"x", b"y", b"z", b"<end>"], end=3)
    assert matcher.forced() == [0, 1, 2]
    assert matcher.allowed() == [0]


@pytest.mark.parametrize("name", ["json", "chess", "cron", "iso8601", "semver", "csv"])
def test_random_choices_under_masks_end_in_accepted_texts(name: str) -> None:
    """Whoever follows the masks, however wildly, writes a text that the grammar accepts."""
    grammar = library(name)
    for seed in range(6):
        rng = random.Random(seed)
        matcher = grammar.matcher(TOKENS, end=END)
        written = b""
        for _ in range(300):
            allowed = matcher.allowed()
            token = END if END in allowed and rng.random() < 0.3 else rng.choice(allowed)
            assert matcher.consume(token)
            if matcher.ended:
                break
            written += TOKENS[token]
        if matcher.ended:
            assert grammar.accepts(written.decode())
        else:
            assert grammar.explain(written.decode("utf-8", "ignore")).unfinished or matcher.is_accepting


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["json", "cron", "iso8601", "lucene", "apply_patch"]), st.integers(0, 10**6))
def test_the_laws_of_a_place(name: str, seed: int) -> None:
    """Wherever one is: the end is allowed exactly where the text may end, what is masked changes nothing, what is
    forced is all that is allowed, and what is taken back is as if it had never been written."""
    rng = random.Random(seed)
    matcher = library(name).matcher(TOKENS, end=END)
    masks, written = list[bytes](), list[int]()
    for _ in range(25):
        masks.append(matcher.mask())
        allowed = matcher.allowed()
        assert (END in allowed) == matcher.is_accepting and allowed
        assert not any(matcher.consume(t) for t in rng.sample(range(len(TOKENS)), 5) if t not in allowed)
        forced = matcher.forced()
        assert not forced or allowed == forced[:1]
        assert matcher.mask() == masks[-1]
        token = END if END in allowed and rng.random() < 0.1 else rng.choice(allowed)
        assert matcher.consume(token)
        written.append(token)
        if matcher.ended:
            assert matcher.allowed() == [] and not matcher.consume(token)
            break
    place = len(written)
    for _ in range(5):
        back = rng.randint(0, place)
        matcher.rollback(back)
        place -= back
        if place < len(masks):
            assert matcher.mask() == masks[place]
        further = rng.randint(0, len(written) - place)
        assert all(matcher.consume(token) for token in written[place : place + further])
        place += further
    with pytest.raises(GrammarError, match="can be taken back"):
        matcher.rollback(place + 1)
    with pytest.raises(GrammarError, match="can be taken back"):
        matcher.rollback(-1)
    matcher.rollback(place)
    assert matcher.mask() == masks[0]


def test_a_vocabulary_that_lacks_a_byte_is_an_error_where_it_shows() -> None:
    """A dead end is not passed off as the end of the text, however often one asks."""
    matcher = Grammar.from_choices(["xyz"]).matcher([b"x", b"y", b"<end>"], end=2)
    assert matcher.consume(0) and matcher.consume(1)
    for _ in range(2):
        with pytest.raises(GrammarError, match="lacks a byte"):
            matcher.mask()
    assert not matcher.is_accepting


def test_traps_do_not_hang_masks() -> None:
    """A grammar with an endless forced text gives masks all the same."""
    matcher = Grammar.from_lark('start: A "a"\nA: /a+/\n').matcher(TOKENS, end=END)
    for _ in range(50):
        assert matcher.consume(ord("a"))
    assert [TOKENS[t] for t in matcher.allowed()] == [b"a"]
    assert len(matcher.forced()) == 64


def test_what_is_no_tokenizer_is_refused() -> None:
    """A missing end token, a wrong object and a grammar that does not compile are errors with a reason."""
    with pytest.raises(GrammarError, match="end token"):
        QUERY.matcher(TOKENS)
    with pytest.raises(GrammarError, match="tokenizer"):
        QUERY.matcher(object())
    with pytest.raises(GrammarError, match="refuses"):
        Grammar.from_lark("start: <|x|>\n").matcher(TOKENS, end=END)
